/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the calls of this library are with MOAT_OFF: a plain bump allocator,
 * all of it inline. It comes with each header of the library when MOAT_OFF is
 * defined, and is not included by itself.
 *
 *     cc -DMOAT_OFF ...          the same source; no library is linked
 *
 * No guard pages, no canaries, no records, no reports: an allocation adds to a
 * cursor. An arena takes a page for itself and address space for max_capacity,
 * which takes memory where it is written to.
 *
 * What stays as the comments of the other headers say, so that a program does
 * the same in both forms: which call fills an arena, alignment, contents,
 * errno, marks, growing, and that a block that is freed is not used again
 * before a reset. A NULL argument is refused in the same way.
 *
 * What is otherwise, said plainly:
 *  - nothing is found, and nothing is checked but the arguments themselves: a
 *    pointer that is neither NULL nor an arena is followed. This goes for an
 *    arena that was destroyed, too;
 *  - moat_arena_free() does nothing. moat_arena_realloc() refuses a BLOCK that
 *    is not in what ARENA has handed out. How large it was is not known: SIZE
 *    bytes are copied, or what there is up to the cursor if that is less, so
 *    that bytes behind the old block's end are what lay there;
 *  - after a reset or a rewind the addresses are the same, and may hold what
 *    was there before. moat_arena_rewind() refuses a mark of another arena, of
 *    before a reset, and one further on than the arena is filled; it does not
 *    know one whose blocks were taken back and replaced by others;
 *  - config->at may be any page that is free, with the page before it; what
 *    lies there, of an arena or not, is EEXIST. The place of a destroyed arena
 *    is soon taken by others;
 *  - config->layout is looked at and has no effect. With MOAT_SHARING_LOCKED,
 *    allocating is for any number of threads at once; resets, rewinds and
 *    growing then are atomic, but what others have is not looked at;
 *  - AddressSanitizer and Valgrind, where one of them is there, are told what
 *    is live; see off_annotations.h. An allocation, a reset or a rewind in
 *    such a run takes longer, and moat_arena_realloc() knows how large the
 *    block was. What is dead is shown as zeroes by dumps and snapshots;
 *  - moat_arena_check() returns 0. moat_arena_limit() is where the mapping
 *    ends.
 *
 * Objects of the two forms cannot be linked together: GNU ld and gold refuse,
 * naming moat_off_and_moat_do_not_mix; lld does only where C++ functions take
 * or return arenas. A shared library may be in the other form, if the program
 * does not share arenas with it.
 */
#ifndef MOAT_OFF_H
#define MOAT_OFF_H

#include <moat/arena.h>
#include <moat/off_annotations.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

MOAT_BEGIN_DECLS

/* Where <sys/mman.h> hides them, as it does from -std=c11: the same on all
 * processors that Moat is for. */
#ifdef MAP_ANONYMOUS
#define MOAT_OFF_ANONYMOUS MAP_ANONYMOUS
#else
#define MOAT_OFF_ANONYMOUS 0x20
#endif
#ifdef MAP_NORESERVE
#define MOAT_OFF_NORESERVE MAP_NORESERVE
#else
#define MOAT_OFF_NORESERVE 0x4000
#endif
#ifdef MAP_FIXED_NOREPLACE
#define MOAT_OFF_IN_PLACE MAP_FIXED_NOREPLACE
#else
#define MOAT_OFF_IN_PLACE 0x100000
#endif

/* What all sizes are rounded to. */
#define MOAT_OFF_UNIT ((size_t)16)

/* Lies in the page in front of BASE. */
struct moat_arena {
    char *base;
    /* Multiples of MOAT_OFF_UNIT. */
    size_t cursor;
    size_t capacity;
    size_t max_capacity;
    /* From BASE, whole pages. */
    size_t mapped_bytes;
    size_t refused;
    /* How often it was reset, for marks and snapshots. */
    uint64_t era;
    /* An allocation adds to the cursor, and that is all: the arena is neither
     * shared nor watched. */
    bool is_quick;
    char name[64];
    struct moat_off_watch watch;
};

/* Round SIZE up to UNIT, a power of two; false when that is too much. */
static inline bool moat_off_round(size_t size, size_t unit, size_t *rounded)
{
    *rounded = (size + unit - 1) & ~(unit - 1);
    return *rounded >= size;
}

/* Map BYTES at PLACE, anywhere if that is NULL. */
static inline char *moat_off_map(char *place, size_t bytes)
{
    int flags = MAP_PRIVATE | MOAT_OFF_ANONYMOUS | MOAT_OFF_NORESERVE
                | (place != NULL ? MOAT_OFF_IN_PLACE : 0);
    int saved_errno = errno;
    void *pages = mmap(place, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (pages == MAP_FAILED) {
        errno = place == NULL ? ENOMEM : errno == EEXIST ? EEXIST : EINVAL;
        return NULL;
    }
    if (place != NULL && pages != place) {
        /* Linux before 4.17 takes the place for a wish. */
        (void)munmap(pages, bytes);
        errno = EEXIST;
        return NULL;
    }
    errno = saved_errno;
    return (char *)pages;
}

static inline bool moat_off_is_config(const struct moat_arena_config *config,
                                      size_t page_bytes)
{
    return config != NULL && config->capacity != 0
           && (config->layout == MOAT_LAYOUT_PACKED
               || config->layout == MOAT_LAYOUT_FENCED)
           && (config->sharing == MOAT_SHARING_NONE
               || config->sharing == MOAT_SHARING_LOCKED)
           && (config->max_capacity == 0
               || config->max_capacity >= config->capacity)
           && (uintptr_t)config->at % page_bytes == 0;
}

/* Have the checkers that there are watch ARENA, a new one. */
static inline void moat_off_have_watched(struct moat_arena *arena)
{
    unsigned by = moat_off_watchers();
    void *sizes = NULL;
    if (by != 0) {
        int saved_errno = errno;
        sizes = moat_off_map(NULL, arena->mapped_bytes / 2);
        errno = saved_errno;
    }
    if (sizes != NULL) {
        arena->watch.by = by;
        arena->watch.sizes = (size_t *)sizes;
        moat_off_note_created(&arena->watch, arena->base, arena->mapped_bytes);
    }
}

static inline bool moat_off_is_watched(const struct moat_arena *arena)
{
    return __builtin_expect(arena->watch.by != 0, 0);
}

static inline struct moat_arena *
moat_arena_create_with(const struct moat_arena_config *config)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t capacity;
    size_t max_capacity;
    size_t mapped_bytes;
    if (!moat_off_is_config(config, page_bytes)) {
        errno = EINVAL;
        return NULL;
    }
    if (!moat_off_round(config->capacity, MOAT_OFF_UNIT, &capacity)
        || !moat_off_round(config->max_capacity, MOAT_OFF_UNIT, &max_capacity)
        || !moat_off_round(capacity > max_capacity ? capacity : max_capacity,
                           page_bytes, &mapped_bytes)
        || mapped_bytes > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    char *place = NULL;
    if (config->at != NULL) {
        place = (char *)((uintptr_t)config->at - page_bytes);
        if (place == NULL) {
            errno = EINVAL;
            return NULL;
        }
    }
    char *pages = moat_off_map(place, page_bytes + mapped_bytes);
    if (pages == NULL) {
        return NULL;
    }
    struct moat_arena *arena = (struct moat_arena *)(void *)pages;
    const char *name = config->name != NULL ? config->name : "unnamed";
    arena->base = pages + page_bytes;
    arena->capacity = capacity;
    arena->max_capacity = capacity > max_capacity ? capacity : max_capacity;
    arena->mapped_bytes = mapped_bytes;
    moat_off_have_watched(arena);
    arena->is_quick
        = config->sharing == MOAT_SHARING_NONE && arena->watch.by == 0;
    for (size_t i = 0; i < sizeof arena->name - 1 && name[i] != '\0'; i++) {
        arena->name[i] = name[i];
    }
    return arena;
}

static inline struct moat_arena *moat_arena_create(const char *name,
                                                   size_t capacity)
{
    struct moat_arena_config config;
    memset(&config, 0, sizeof config);
    config.name = name;
    config.capacity = capacity;
    return moat_arena_create_with(&config);
}

static inline void moat_arena_destroy(struct moat_arena *arena)
{
    if (arena != NULL) {
        int saved_errno = errno;
        char *pages = (char *)arena;
        if (moat_off_is_watched(arena)) {
            moat_off_note_destroyed(&arena->watch, arena->cursor);
            (void)munmap(arena->watch.sizes, arena->mapped_bytes / 2);
        }
        (void)munmap(pages,
                     (size_t)(arena->base - pages) + arena->mapped_bytes);
        errno = saved_errno;
    }
}

static inline void moat_arena_reset(struct moat_arena *arena)
{
    if (arena != NULL && arena->cursor != 0) {
        if (moat_off_is_watched(arena)) {
            moat_off_note_cut(&arena->watch, 0, arena->cursor);
        }
        __atomic_store_n(&arena->cursor, 0, __ATOMIC_RELAXED);
        arena->refused = 0;
        arena->era++;
    }
}

static inline struct moat_mark moat_arena_mark(const struct moat_arena *arena)
{
    struct moat_mark mark;
    memset(&mark, 0, sizeof mark);
    if (arena == NULL) {
        errno = EINVAL;
        return mark;
    }
    mark.arena = arena;
    mark.era = arena->era;
    mark.cursor = __atomic_load_n(&arena->cursor, __ATOMIC_RELAXED);
    return mark;
}

static inline void moat_arena_rewind(struct moat_arena *arena,
                                     struct moat_mark mark)
{
    if (arena == NULL) {
        return;
    }
    if (mark.arena != arena || mark.era != arena->era
        || mark.cursor > arena->cursor) {
        errno = EINVAL;
        return;
    }
    if (moat_off_is_watched(arena)) {
        moat_off_note_cut(&arena->watch, mark.cursor, arena->cursor);
    }
    __atomic_store_n(&arena->cursor, mark.cursor, __ATOMIC_RELAXED);
}

static inline int moat_arena_grow(struct moat_arena *arena, size_t capacity)
{
    size_t rounded;
    if (arena == NULL) {
        return EINVAL;
    }
    if (!moat_off_round(capacity, MOAT_OFF_UNIT, &rounded)
        || rounded > arena->max_capacity) {
        return ENOMEM;
    }
    if (rounded < arena->capacity) {
        return EINVAL;
    }
    __atomic_store_n(&arena->capacity, rounded, __ATOMIC_RELAXED);
    return 0;
}

/* Kept out of the way of allocations that fit. */
static inline void *moat_off_refuse(struct moat_arena *arena)
{
    if (arena == NULL) {
        errno = EINVAL;
    } else {
        __atomic_fetch_add(&arena->refused, 1, __ATOMIC_RELAXED);
        errno = ENOMEM;
    }
    return NULL;
}

/* Where a block of SIZE bytes, more than 0, goes, and the next CURSOR; false
 * when it does not fit. */
static inline __attribute__((always_inline)) bool
moat_off_place(size_t capacity, size_t alignment, size_t size, size_t *cursor,
               size_t *offset)
{
    *offset = *cursor;
    if (alignment > MOAT_OFF_UNIT) {
        *offset = (*offset + alignment - 1) & ~(alignment - 1);
    }
    /* No more than the capacity, which is a multiple of the unit. */
    *cursor = *offset + ((size + MOAT_OFF_UNIT - 1) & ~(MOAT_OFF_UNIT - 1));
    return *offset <= capacity && size <= capacity - *offset;
}

/* The same, watched, and from several threads at once. */
static inline __attribute__((cold)) void *
moat_off_allocate_slowly(struct moat_arena *arena, size_t alignment,
                         size_t size)
{
    size_t cursor = __atomic_load_n(&arena->cursor, __ATOMIC_RELAXED);
    size_t next;
    size_t offset;
    do {
        size_t capacity = __atomic_load_n(&arena->capacity, __ATOMIC_RELAXED);
        next = cursor;
        if (!moat_off_place(capacity, alignment, size + (size == 0), &next,
                            &offset)) {
            return moat_off_refuse(arena);
        }
    } while (!__atomic_compare_exchange_n(&arena->cursor, &cursor, next, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    if (moat_off_is_watched(arena)) {
        moat_off_note_allocated(&arena->watch, offset, size);
    }
    return arena->base + offset;
}

/* All allocations; ALIGNMENT is a power of two from MOAT_OFF_UNIT on. */
static inline __attribute__((always_inline)) void *
moat_off_allocate(struct moat_arena *arena, size_t alignment, size_t size)
{
    if (__builtin_expect(arena == NULL, 0)) {
        return moat_off_refuse(arena);
    }
    if (__builtin_expect(!arena->is_quick, 0)) {
        return moat_off_allocate_slowly(arena, alignment, size);
    }
    /* A block of no bytes is a block, too. */
    size += size == 0;
    size_t next = arena->cursor;
    size_t offset;
    if (__builtin_expect(
            !moat_off_place(arena->capacity, alignment, size, &next, &offset),
            0)) {
        return moat_off_refuse(arena);
    }
    arena->cursor = next;
    return arena->base + offset;
}

static inline void *moat_arena_alloc(struct moat_arena *arena, size_t size)
{
    return moat_off_allocate(arena, MOAT_OFF_UNIT, size);
}

static inline void *moat_arena_calloc(struct moat_arena *arena, size_t count,
                                      size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return moat_off_refuse(arena);
    }
    /* Not fresh after a reset. */
    void *block = moat_off_allocate(arena, MOAT_OFF_UNIT, bytes);
    return block == NULL ? NULL : memset(block, 0, bytes);
}

static inline void *moat_arena_aligned_alloc(struct moat_arena *arena,
                                             size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0
        || alignment > MOAT_ALIGNMENT_MAX) {
        errno = EINVAL;
        return NULL;
    }
    return moat_off_allocate(
        arena, alignment < MOAT_OFF_UNIT ? MOAT_OFF_UNIT : alignment, size);
}

static inline char *moat_arena_strdup(struct moat_arena *arena,
                                      const char *text)
{
    if (text == NULL) {
        errno = EINVAL;
        return NULL;
    }
    size_t size = strlen(text) + 1;
    void *copy = moat_off_allocate(arena, MOAT_OFF_UNIT, size);
    return copy == NULL ? NULL : (char *)memcpy(copy, text, size);
}

static inline void moat_arena_free(struct moat_arena *arena, void *block)
{
    if (MOAT_OFF_CAN_WATCH && arena != NULL && block != NULL
        && moat_off_is_watched(arena)) {
        moat_off_note_freed(&arena->watch, block);
    }
}

static inline void *moat_arena_realloc(struct moat_arena *arena, void *block,
                                       size_t size)
{
    if (block == NULL) {
        return moat_off_allocate(arena, MOAT_OFF_UNIT, size);
    }
    size_t start = 0;
    bool is_inside = false;
    if (arena != NULL) {
        start = (size_t)((uintptr_t)block - (uintptr_t)arena->base);
        is_inside = start < arena->cursor && start % MOAT_OFF_UNIT == 0;
    }
    if (!is_inside) {
        errno = EINVAL;
        return NULL;
    }
    size_t there = arena->cursor - start;
    if (moat_off_is_watched(arena)) {
        there = moat_off_size_at(&arena->watch, start, there);
    }
    void *moved = moat_off_allocate(arena, MOAT_OFF_UNIT, size);
    if (moved == NULL) {
        return NULL;
    }
    memcpy(moved, block, size < there ? size : there);
    moat_arena_free(arena, block);
    return moved;
}

static inline size_t moat_arena_check(const struct moat_arena *arena)
{
    if (arena == NULL) {
        errno = EINVAL;
    }
    return 0;
}

static inline void *moat_arena_base(const struct moat_arena *arena)
{
    if (arena == NULL) {
        errno = EINVAL;
        return NULL;
    }
    return arena->base;
}

static inline void *moat_arena_limit(const struct moat_arena *arena)
{
    if (arena == NULL) {
        errno = EINVAL;
        return NULL;
    }
    return arena->base + arena->mapped_bytes;
}

MOAT_END_DECLS

#endif
