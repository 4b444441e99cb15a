/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arenas: named address ranges that own blocks and die as a whole.
 *
 * In the packed layout, the default, blocks lie side by side:
 *
 *   guard |block #1|slack, canary|canary|block #2|slack, canary| ... | guard
 *         ^ moat_arena_base()                     moat_arena_limit() ^
 *
 * The first block starts right behind the front guard page. A block that
 * brings the arena exactly to its capacity ends at the rear guard page, as
 * exactly as its alignment allows. Pages that no block has needed yet are
 * inaccessible too.
 *
 * In the fenced layout (see enum moat_layout) each block has pages of its own,
 * and a guard page behind it: that finds more, and costs a page for each block.
 *
 * Limits of the packed layout, said plainly:
 *  - an access that stays between two guard pages is found late: a write when
 *    the canaries are next looked at, a read not at all;
 *  - freeing a block does not give its space back, and reading it afterwards
 *    is not noticed. A write to it is, at the next check;
 *  - the slack behind a block whose size is no multiple of 16 is inside the
 *    pages of the block: one byte too far is then found as a damaged canary.
 *
 * CAPACITY counts bytes as a plain bump allocator would use them, each size
 * rounded up to a multiple of 16. Canaries come on top, from address space
 * that the arena holds in addition.
 *
 * For all functions here: sizes are in bytes. Where one fails, errno is as its
 * comment says. Where one does not, it is untouched, but after creating and
 * allocating it may be anything, as after malloc(). Threads may use different
 * arenas at once, and one arena as enum moat_sharing says. None is for signal
 * handlers.
 */
#ifndef MOAT_ARENA_H
#define MOAT_ARENA_H

#include <moat/version.h>

#include <stddef.h>
#include <stdint.h>

MOAT_BEGIN_DECLS

/* An arena. Intentionally not defined in the public interface. */
struct moat_arena;

/* How blocks lie in an arena. */
enum moat_layout {
    /* Side by side, canaries between them; the picture above. */
    MOAT_LAYOUT_PACKED = 0,
    /*
     * Each on pages of its own, against a guard page:
     *
     *   guard |  canary|block #1|slack| guard |  canary|block #2|slack| guard
     *
     * An access past a block is stopped at once, if it is further than the
     * slack that the block's alignment leaves; a freed block becomes
     * inaccessible at once. The option placement=before puts blocks behind
     * their guard pages instead, to stop accesses in front of them. The option
     * alignment says what moat_arena_alloc() aligns to here; with
     * alignment=natural no block has slack. A block takes two pages of address
     * space and one of memory at least.
     */
    MOAT_LAYOUT_FENCED = 1
};

/*
 * Which threads may use an arena at once.
 *
 * Neither is for signal handlers: one that interrupts a call on the arena and
 * makes another itself is not taken for a second thread, and meets the arena
 * as it is in the middle of the first call. After fork() the child has the
 * arena of the parent without the parent's threads; a shared one is then in no
 * call of theirs.
 */
enum moat_sharing {
    /*
     * One. Another may go on where it stopped, as after pthread_join() or
     * under a mutex. Two in calls on the arena at the same time are reported,
     * as data-race, if one of these changes it: a report names both, and comes
     * once for each arena. With halt_on_error=0 those that change it wait for
     * each other from then on.
     */
    MOAT_SHARING_NONE = 0,
    /*
     * Any number. Each call waits until no other thread is in one;
     * moat_describe(), moat_arena_base() and moat_arena_limit() do not. A mark
     * is good as long as no other thread rewinds further, and destroying is
     * for the last one that uses the arena.
     */
    MOAT_SHARING_LOCKED = 1
};

/* What moat_arena_create_with() takes; all members left zero are defaults. */
struct moat_arena_config {
    /* Appears in reports; copied, at most 63 bytes. NULL: "unnamed". */
    const char *name;
    /* Bytes of all blocks together, rounded up to a multiple of 16. */
    size_t capacity;
    /*
     * Where the first block shall start: a multiple of the page size, with
     * the page before it inside the range that Moat has reserved, such as
     * moat_arena_base() of an arena that was destroyed. NULL: anywhere.
     */
    void *at;
    enum moat_layout layout;
    /* What moat_arena_grow() can make of the capacity: address space that the
     * arena holds from the start. 0: no more than CAPACITY. */
    size_t max_capacity;
    enum moat_sharing sharing;
};

/*
 * Create an arena called NAME for blocks of CAPACITY bytes together.
 *
 * Its pages take memory only when blocks reach them. It lives until
 * moat_arena_destroy() or the end of the program.
 *
 * Returns the arena, or NULL with errno set:
 *  - EINVAL: CAPACITY is 0;
 *  - ENOMEM: CAPACITY or the number of arenas exceeds the reserved address
 *    range, or the kernel refuses memory or a further mapping.
 *
 * Thread-safe.
 */
MOAT_API struct moat_arena *moat_arena_create(const char *name,
                                              size_t capacity);

/*
 * Create an arena as CONFIG says; *CONFIG is not needed afterwards.
 *
 * Returns the arena, or NULL with errno set as moat_arena_create() does, and:
 *  - EINVAL: CONFIG is NULL, config->layout or config->sharing is unknown,
 *    config->max_capacity is less than the capacity but not 0, or config->at is
 *    no multiple of the page size or not inside the reserved range;
 *  - EEXIST: the arena would lie on addresses that a living arena holds,
 *    guard pages included. This is also reported, as arena-overlap, because
 *    only a mistake can lead there.
 *
 * Thread-safe.
 */
MOAT_API struct moat_arena *
moat_arena_create_with(const struct moat_arena_config *config);

/*
 * End ARENA and all its blocks; NULL is allowed and does nothing.
 *
 * The canaries of all blocks are checked first and damage is reported, seen
 * at destroy. Then the pages become inaccessible and their memory returns to
 * the kernel. The addresses stay out of use for long, so that a later access
 * through an old pointer is reported as use-after-unmap.
 *
 * An arena that was destroyed before is reported as double-free, anything
 * else that is no arena as bad-free; neither is touched.
 *
 * Thread-safe for different arenas. errno is preserved.
 */
MOAT_API void moat_arena_destroy(struct moat_arena *arena);

/*
 * End all blocks of ARENA at once, and go on with it, empty as when it was
 * created; NULL is allowed and does nothing.
 *
 * The canaries of all blocks are checked first and damage is reported, seen
 * at reset. Then the pages become inaccessible and their memory returns to
 * the kernel. The arena goes on at other addresses: moat_arena_base() is
 * another one then. Those that it had stay out of use for long, so that a
 * later access through an old pointer is reported as use-after-reset. An old
 * block cannot be freed; that is reported as bad-free. The counts of
 * moat_arena_stats() start anew, and a snapshot of before cannot be compared
 * with one of after.
 *
 * An arena that was placed (config->at) stays where it is, and so does any
 * other when there is no other place left. New blocks then come where the old
 * ones were, and an access through an old pointer is found only where none
 * has come yet.
 *
 * A destroyed arena is reported as use-after-unmap, anything else that is no
 * arena as bad-free; neither is touched. An arena without blocks stays as it
 * is.
 *
 * Thread-safe for different arenas. errno is preserved.
 */
MOAT_API void moat_arena_reset(struct moat_arena *arena);

/* A place in an arena, by moat_arena_mark(). The members are for Moat alone. */
struct moat_mark {
    const struct moat_arena *arena;
    const void *place;
    uint64_t era;
    size_t rewinds;
    size_t blocks;
    size_t cursor;
    size_t placed_end;
};

/*
 * Return a mark of where ARENA is filled to now, for moat_arena_rewind(). It
 * needs no freeing, and may be used again and again.
 *
 * When ARENA is NULL or no arena, errno is EINVAL and the mark is one to which
 * no arena can be rewound. A destroyed arena is also reported, as
 * use-after-unmap.
 */
MOAT_API struct moat_mark moat_arena_mark(const struct moat_arena *arena);

/*
 * End all blocks of ARENA that were allocated since MARK, and make their
 * capacity free again; a NULL ARENA is allowed and does nothing.
 *
 * The canaries of these blocks are checked first and damage is reported, seen
 * at reset. Then their pages become inaccessible, and an access through an old
 * pointer is reported as use-after-reset. Said plainly, what is not found:
 *  - in the packed layout, blocks that share a page with older ones stay
 *    accessible. They are overwritten, and a write to them is found by the
 *    next check, a read is not found at all;
 *  - new blocks come behind the old ones only as long as the arena has room to
 *    spare, which it takes with it from the start. After that they come where
 *    old ones were, and an access through an old pointer is found only where
 *    none has come yet;
 *  - reports name the old block until a newer one takes its number, which
 *    starts again behind MARK.
 *
 * A mark of another arena, of before a reset, or of blocks that an earlier
 * rewind took back is refused, errno being EINVAL, and reported as bad-free,
 * seen at reset; nothing is ended. Of such rewinds the last eight are
 * remembered, not counting those that a later one went further back than.
 *
 * A destroyed arena is reported as use-after-unmap, anything else that is no
 * arena as bad-free; neither is touched.
 *
 * Thread-safe for different arenas. But for EINVAL, errno is preserved.
 */
MOAT_API void moat_arena_rewind(struct moat_arena *arena,
                                struct moat_mark mark);

/*
 * Let ARENA have CAPACITY bytes, rounded up to a multiple of 16, in place.
 *
 * Nothing moves: the blocks and moat_arena_base() stay where they are. The rear
 * guard page moves up as blocks reach it, until then the addresses behind it
 * stay inaccessible. A reset leaves the capacity as it is then. In the packed
 * layout a block that fills the capacity ends at the guard page again, except
 * in an arena that is filled and grown by less than a page very often.
 *
 * Returns 0, errno being untouched, or
 *  - ENOMEM: CAPACITY is beyond the max_capacity of the arena's configuration;
 *  - EINVAL: CAPACITY is less than now, or ARENA is NULL or no arena. A
 *    destroyed arena is also reported, as use-after-unmap.
 *
 * Thread-safe for different arenas.
 */
MOAT_API int moat_arena_grow(struct moat_arena *arena, size_t capacity);

/*
 * The functions that allocate do not carry the compiler's attribute "malloc":
 * it would allow the compiler to drop writes to a block that only Moat would
 * read, for a dump, a snapshot or a check.
 */

/*
 * Allocate SIZE bytes in ARENA, at a multiple of 16; in the fenced layout at
 * what the option alignment says.
 *
 * The bytes are not initialized. SIZE 0 gives a block of its own without a
 * usable byte, which takes 16 bytes of the capacity. Who asked is kept for
 * reports.
 *
 * Returns the block, or NULL with errno set:
 *  - ENOMEM: it does not fit into what is left of the capacity, or the kernel
 *    refuses memory. Who asked is kept: a report on a use of NULL names the
 *    allocation that was refused last;
 *  - EINVAL: ARENA is NULL or no arena. A destroyed arena is also reported,
 *    as use-after-unmap.
 */
MOAT_API void *moat_arena_alloc(struct moat_arena *arena, size_t size)
    __attribute__((alloc_size(2)));

/*
 * Allocate COUNT times SIZE bytes in ARENA, all zero, at a multiple of 16.
 *
 * Returns as moat_arena_alloc() does; ENOMEM also when the product
 * overflows.
 */
MOAT_API void *moat_arena_calloc(struct moat_arena *arena, size_t count,
                                 size_t size)
    __attribute__((alloc_size(2, 3)));

/*
 * Allocate SIZE bytes in ARENA at a multiple of ALIGNMENT, a power of two of
 * at most MOAT_ALIGNMENT_MAX. Less than 16 is treated as 16 in the packed
 * layout; in the fenced layout it brings the end of the block closer to its
 * guard page, and with 1 the block ends exactly there.
 *
 * Returns as moat_arena_alloc() does; EINVAL also for any other ALIGNMENT.
 */
MOAT_API void *moat_arena_aligned_alloc(struct moat_arena *arena,
                                        size_t alignment, size_t size)
    __attribute__((alloc_size(3)));

/* The largest alignment that moat_arena_aligned_alloc() takes, in bytes. */
#define MOAT_ALIGNMENT_MAX ((size_t)4096)

/*
 * Copy the string TEXT into a new block of ARENA, its zero byte included. In
 * the fenced layout the block ends exactly at its guard page.
 *
 * Returns as moat_arena_alloc() does; EINVAL also when TEXT is NULL.
 */
MOAT_API char *moat_arena_strdup(struct moat_arena *arena, const char *text);

/*
 * Free BLOCK of ARENA; a NULL block is allowed and does nothing.
 *
 * The canaries around BLOCK are checked and damage is reported, seen at free.
 * The space is not used again before a reset. In the packed layout its
 * bytes are overwritten, so that a later write to them is found by a check; in
 * the fenced layout its pages become inaccessible.
 *
 * Reported instead, and nothing freed: a block freed before (double-free); a
 * pointer into a block, into another arena, into a destroyed arena, into no
 * arena at all, or an ARENA that is none (bad-free).
 *
 * errno is preserved.
 */
MOAT_API void moat_arena_free(struct moat_arena *arena, void *block);

/*
 * Move BLOCK of ARENA to a new block of SIZE bytes and free it; a NULL BLOCK
 * allocates, as moat_arena_alloc() does.
 *
 * The bytes that both blocks have are copied, further ones are not
 * initialized. SIZE 0 gives a block without a usable byte; it frees nothing
 * else. The block always moves, also to become smaller, so that each use of an
 * old pointer is a use after free: in the fenced layout it is stopped at once,
 * in the packed layout a write is found by the next check. The new block takes
 * capacity like any other, and has the alignment of moat_arena_alloc().
 *
 * The canaries around BLOCK are checked and damage is reported, seen at free.
 *
 * Returns the new block, or NULL with errno set:
 *  - ENOMEM: as moat_arena_alloc(); BLOCK stays as it was;
 *  - EINVAL: BLOCK is no living block of ARENA, or ARENA is no living arena.
 *    This is reported as by moat_arena_free(), and nothing is freed.
 */
MOAT_API void *moat_arena_realloc(struct moat_arena *arena, void *block,
                                  size_t size)
    __attribute__((alloc_size(3)));

/*
 * Check the canaries of all blocks of ARENA, and that freed blocks were not
 * written to.
 *
 * Each damaged block is reported, seen at check, with the exact bytes. By
 * default the program then ends. With halt_on_error=0 the canaries are
 * stamped anew, so that the same damage is not reported twice.
 *
 * Returns the number of damaged blocks; 0 with errno EINVAL when ARENA is
 * NULL or no living arena.
 */
MOAT_API size_t moat_arena_check(const struct moat_arena *arena);

/*
 * Return the address of the first byte of ARENA, right behind its front guard
 * page; NULL with errno EINVAL when ARENA is NULL or no arena. It changes when
 * the arena is reset.
 *
 * A destroyed arena is answered too: the address where it was. Waits for no
 * other thread.
 */
MOAT_API void *moat_arena_base(const struct moat_arena *arena);

/*
 * Return the address behind the last accessible byte of ARENA, where its rear
 * guard page starts; NULL with errno EINVAL when ARENA is NULL or no arena.
 *
 * It moves up, page by page, as blocks are allocated; a reset brings it to the
 * new base. Waits for no other thread.
 */
MOAT_API void *moat_arena_limit(const struct moat_arena *arena);

MOAT_END_DECLS

#ifdef MOAT_OFF
#include <moat/off.h>
#endif

#endif
