/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into arenas: counting, dumping, comparing.
 *
 * Blocks count from 1 in each arena, in the order of their addresses.
 *
 * For all functions here: any number of threads may look into one arena at
 * once, if none changes it meanwhile; see enum moat_sharing. Snapshots may be
 * used by any thread, but not while another frees them. But for
 * moat_describe(), none is for signal handlers, because they use stdio or
 * memory.
 */
#ifndef MOAT_INSPECT_H
#define MOAT_INSPECT_H

#include <moat/arena.h>
#include <moat/finding.h>
#include <moat/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

MOAT_BEGIN_DECLS

/* Sizes in bytes, counted as moat_arena_create() counts its capacity. */
struct moat_stats {
    size_t capacity;
    /* What moat_arena_grow() can make of it. */
    size_t max_capacity;
    /* Capacity that allocations have used up, freed blocks included. */
    size_t used;
    /* Blocks that are allocated now, and the bytes asked for in them. */
    size_t live_blocks;
    size_t live_bytes;
    /* Blocks that were freed, and the bytes asked for in them. */
    size_t freed_blocks;
    size_t freed_bytes;
    /* Bytes lost to rounding sizes up and to alignment. The three together are
     * USED. */
    size_t slack_bytes;
    /* Accessible memory: blocks, canaries, and the rest of their pages. */
    size_t accessible_bytes;
    /* Allocations that did not fit. */
    size_t refused;
    /*
     * What canaries take on top: accessible bytes between and around blocks
     * that a plain bump allocator would not have. Slack is stamped, too, but
     * counted above. Packed, USED and these together are what blocks have
     * reached of ACCESSIBLE_BYTES; fenced, a freed block's are gone.
     */
    size_t canary_bytes;
    /*
     * The largest hole: the longest piece of USED without a live block in it,
     * which is freed blocks side by side and the gaps that alignment left. An
     * allocator that looks for room would find that much in one piece there; an
     * arena does not before it is reset. Much USED, few bytes live and small
     * holes: the arena is fragmented.
     */
    size_t largest_hole;
};

/*
 * Store the counts of ARENA in *STATS. Looks at each block.
 *
 * When ARENA is NULL or no living arena, all counts are zero and errno is
 * EINVAL; nothing happens when STATS is NULL.
 */
MOAT_API void moat_arena_stats(const struct moat_arena *arena,
                               struct moat_stats *stats);

/* A block, as moat_arena_walk() shows it. */
struct moat_block {
    unsigned long number;
    /* Where it starts; do not touch a block that is freed. */
    void *start;
    /* As asked for. */
    size_t size;
    /* Where a plain bump allocator would have put it in its arena. */
    size_t arena_offset;
    bool is_live;
};

/*
 * Called for a block, with the CONTEXT given to moat_arena_walk(). *BLOCK is
 * valid during the call. Return 0 to go on; anything else ends the walk. It
 * must not change the arena, and must return: not leave by longjmp() or by an
 * exception, because the thread is in a call on the arena until then. It must
 * not wait for another thread that uses a shared arena.
 */
typedef int (*moat_block_visitor)(const struct moat_block *block,
                                  void *context);

/*
 * Call VISIT for each block of ARENA, freed ones included, in order.
 *
 * Returns 0 after the last block, else what VISIT returned; EINVAL when VISIT
 * is NULL or ARENA is NULL or no living arena.
 */
MOAT_API int moat_arena_walk(const struct moat_arena *arena,
                             moat_block_visitor visit, void *context);

/* How moat_arena_dump() shows an arena. */
enum moat_dump {
    /* 64 bytes a line as text, '.' for what is not printable ASCII, for
     * freed blocks and for slack. */
    MOAT_DUMP_TEXT = 0,
    /* A line for each block with its bounds, then its bytes in hex and as
     * text, 16 a line; of freed blocks the line alone. */
    MOAT_DUMP_HEX = 1,
    /*
     * A cell for each 16 bytes, one for a guard page: live, live with slack
     * behind the block's end, leaked, freed, canary, damaged, never used; lines
     * that say the same are left out, and one says what is what. Leaked is what
     * the last moat_arena_leaks() found. What canaries take comes last. On a
     * terminal in colour, unless NO_COLOR is set or TERM is "dumb"; in Unicode
     * where the locale (setlocale()) is one of UTF-8, else in ASCII.
     */
    MOAT_DUMP_MAP = 2
};

/*
 * Write what ARENA holds to OUT in STYLE, then a line with its counts. In text
 * and in hex canaries are left out, so that offsets are those of a plain bump
 * allocator; a map shows memory as it is.
 *
 * When ARENA is NULL or no living arena, or STYLE is unknown, errno is EINVAL
 * and nothing is written; nothing happens when OUT is NULL.
 */
MOAT_API void moat_arena_dump(const struct moat_arena *arena, FILE *out,
                              enum moat_dump style);

/* A copy of an arena at one moment. */
struct moat_snapshot;

/*
 * Copy the blocks of ARENA and what they hold.
 *
 * The copy lives outside the arena, until moat_snapshot_free(), also when the
 * arena is destroyed.
 *
 * Returns NULL with errno EINVAL when ARENA is NULL or no living arena,
 * ENOMEM when there is no memory for the copy.
 */
MOAT_API struct moat_snapshot *
moat_arena_snapshot(const struct moat_arena *arena);

/*
 * Write to OUT what differs from BEFORE to AFTER: blocks that appeared, that
 * were freed or that a rewind took back, and the bytes that changed in blocks
 * live in both: where in the block, and the first 16 of each stretch in hex and
 * as text, as they were and as they are. OUT may be NULL to only count.
 *
 * Returns how many blocks differ, or -1 with errno EINVAL when either is NULL,
 * no snapshot or one that was freed, or when they are of different arenas or
 * of one before and after a reset.
 */
MOAT_API int moat_snapshot_diff(const struct moat_snapshot *before,
                                const struct moat_snapshot *after, FILE *out);

/*
 * Free SNAPSHOT; NULL is allowed and does nothing.
 *
 * What is no snapshot, or was freed before, is reported as bad-free, and
 * nothing is freed. errno is preserved.
 */
MOAT_API void moat_snapshot_free(struct moat_snapshot *snapshot);

/*
 * Search for leaks in ARENA: live blocks to which no pointer remains, in
 * registers, on stacks, in globals and other memory that the program can write
 * to, or in live blocks of any arena or of malloc() that are not leaked
 * themselves. Whatever looks like the address of a block, of a byte inside it,
 * or of the one behind its end, counts as a pointer if it is aligned like one;
 * so a leak may be missed, when its address happens to be there still, as in
 * memory that the C library's malloc() has freed.
 *
 * Write to OUT a line for each block that is leaked, with its number, size,
 * offset and where it was allocated; then a line with the sums, such as
 * "1 leaked (32 bytes), 3 still reachable (96 bytes)". OUT may be NULL to only
 * count. A map that moat_arena_dump() draws afterwards shows these blocks.
 *
 * All other threads are stopped meanwhile, by SIGSEGV with a value of Moat's
 * own. Sleeping and waiting for descriptors (nanosleep(), poll(), select() and
 * the like) ends in them with EINTR. A thread that cannot be stopped, because
 * it has blocked the signal or the program has a handler of its own for it in
 * front of Moat's, goes on, and a line in OUT says so: what only its registers
 * refer to counts as leaked.
 *
 * Returns how many blocks are leaked. Returns 0 with errno set when there was
 * no search: EINVAL when ARENA is NULL or no living arena, ENOMEM, or why
 * /proc, which tells what to search, cannot be read; but for EINVAL, a line in
 * OUT says so. With MOAT_OFF blocks are not known: nothing is written, and the
 * result is 0.
 *
 * Thread-safe: searches come one after the other. Not for use in a signal
 * handler, nor in a report hook.
 */
MOAT_API size_t moat_arena_leaks(const struct moat_arena *arena, FILE *out);

/*
 * Say to whom ADDRESS belongs: fill *FINDING with the block and the arena at
 * or next to it, with kind MOAT_KIND_NONE. Nothing is reported.
 *
 * Returns whether an arena, living or destroyed, holds ADDRESS, guard pages
 * included; false, with *FINDING zeroed, for any other address and when
 * FINDING is NULL.
 *
 * Thread-safe and async-signal-safe.
 */
MOAT_API bool moat_describe(const void *address, struct moat_finding *finding);

MOAT_END_DECLS

#ifdef MOAT_OFF
#include <moat/off_inspect.h>
#endif

#endif
