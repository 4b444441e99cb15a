/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extents; see extent.h. */
#include "alloc/extent.h"

#include "base/size.h"
#include "os/lock.h"
#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/*
 * Block records of destroyed arenas may keep so much memory; then the oldest
 * lose theirs, and reports of use after unmap name the arena but no block.
 */
#define RETIRED_RECORD_BYTES ((size_t)32 << 20)

/*
 * So many destroyed arenas of a span and more may wait: the records of each are
 * a piece of their own, which is a mapping or two.
 */
enum { MOST_WIDE = 4096 };

enum { CLASSES = 48 };

/*
 * Records are linked by their numbers: destroyed arenas from the oldest to
 * the newest by `newer` and back by `older`, unused ones by `newer` alone.
 */
static struct {
    struct lock lock;
    struct moat_state *state;
    uintptr_t frontier;
    size_t quarantine;

    uint32_t oldest;
    uint32_t newest;
    size_t retired;
    size_t retired_wide;
    /* The oldest destroyed arena that has its block records. */
    uint32_t oldest_with_blocks;
    size_t retired_record_bytes;

    /* Unused records with an extent, by its class; and without one. */
    uint32_t with_extent[CLASSES];
    uint32_t without_extent;

    /* Whether the program ever chose an address itself. */
    bool has_placed;
} pool;

void extent_start(struct moat_state *state, size_t quarantine)
{
    pool.state = state;
    pool.frontier = state->region.start;
    pool.quarantine = quarantine;
}

/* NUMBER is not 0. */
static struct moat_arena *at(uint32_t number)
{
    return &pool.state->arenas.records[number];
}

static uint32_t number_of(const struct moat_arena *arena)
{
    return arena_record_number(&pool.state->arenas, arena);
}

static unsigned class_of(size_t extent_bytes)
{
    return size_exponent(extent_bytes >> REGION_GRANULE_SHIFT);
}

static bool is_wide(const struct moat_arena *arena)
{
    return arena->extent_bytes >= REGION_SPAN;
}

/* The memory that the block records of ARENA take. */
static size_t record_bytes(const struct moat_arena *arena)
{
    size_t count = arena->block_count;
    if (count < arena->stale_blocks) {
        count = arena->stale_blocks;
    }
    return size_round_up(count * sizeof(struct block_record), pages_size());
}

static void drop_blocks(struct moat_arena *arena)
{
    size_t bytes = record_bytes(arena);
    arena->has_blocks = false;
    if (bytes != 0) {
        pages_drop((uintptr_t)arena->blocks, bytes);
    }
}

static void unlink_retired(struct moat_arena *arena)
{
    if (pool.oldest_with_blocks == number_of(arena)) {
        pool.oldest_with_blocks = arena->newer;
    }
    if (arena->has_blocks) {
        pool.retired_record_bytes -= record_bytes(arena);
    }
    if (arena->older != 0) {
        at(arena->older)->newer = arena->newer;
    } else {
        pool.oldest = arena->newer;
    }
    if (arena->newer != 0) {
        at(arena->newer)->older = arena->older;
    } else {
        pool.newest = arena->older;
    }
    arena->is_retired = false;
    pool.retired--;
    pool.retired_wide -= is_wide(arena);
}

static void push_unused(uint32_t *list, struct moat_arena *arena)
{
    atomic_store_explicit(&arena->state, ARENA_UNUSED, memory_order_release);
    arena->newer = *list;
    *list = number_of(arena);
}

static struct moat_arena *pop_unused(uint32_t *list)
{
    if (*list == 0) {
        return NULL;
    }
    struct moat_arena *arena = at(*list);
    *list = arena->newer;
    return arena;
}

/*
 * Forget a destroyed arena; its extent is for others then, if it may be. One
 * that the program has placed ahead of the frontier is left for the frontier:
 * on a list as well, it would be given out twice.
 */
static void forget(struct moat_arena *arena)
{
    unlink_retired(arena);
    region_set_owner(&pool.state->region, arena->extent_start,
                     arena->extent_bytes, 0);
    bool is_whole = size_is_power_of_two(arena->extent_bytes)
                    && arena->extent_start % arena->extent_bytes == 0;
    bool is_behind
        = arena->extent_start + arena->extent_bytes <= pool.frontier;
    if (arena->is_reusable && is_whole && is_behind) {
        push_unused(&pool.with_extent[class_of(arena->extent_bytes)], arena);
    } else {
        push_unused(&pool.without_extent, arena);
    }
}

static struct moat_arena *new_record(void)
{
    struct moat_arena *arena = pop_unused(&pool.without_extent);
    if (arena != NULL) {
        return arena;
    }
    struct arena_table *table = &pool.state->arenas;
    size_t number = table->used;
    if (number >= table->capacity) {
        return NULL;
    }
    atomic_store_explicit(&table->used, number + 1, memory_order_release);
    return &table->records[number];
}

/*
 * From here on the addresses are taken, though no arena lives there before its
 * state says so.
 */
static void set_owner(struct moat_arena *arena)
{
    region_set_owner(&pool.state->region, arena->extent_start,
                     arena->extent_bytes, number_of(arena));
}

static void set_extent(struct moat_arena *arena, uintptr_t start, size_t bytes)
{
    arena->extent_start = start;
    arena->extent_bytes = bytes;
    arena->prepared_bytes = 0;
    arena->is_reusable = true;
}

/* A stretch of the frontier, aligned to its size, that nobody was placed on. */
static uintptr_t from_frontier(size_t bytes)
{
    const struct region *region = &pool.state->region;
    uintptr_t end = region->start + region->bytes;
    uintptr_t start = size_round_up(pool.frontier, bytes);
    while (start >= pool.frontier && start < end && end - start >= bytes) {
        if (!pool.has_placed || region_first_owner(region, start, bytes) == 0) {
            pool.frontier = start + bytes;
            return start;
        }
        start += bytes;
    }
    return 0;
}

static int take(size_t bytes, struct moat_arena **arena)
{
    unsigned class = class_of(bytes);
    while (pool.retired > pool.quarantine || pool.retired_wide > MOST_WIDE) {
        forget(at(pool.oldest));
    }
    for (;;) {
        *arena = pop_unused(&pool.with_extent[class]);
        if (*arena != NULL) {
            return 0;
        }
        *arena = new_record();
        if (*arena != NULL) {
            uintptr_t start = from_frontier(bytes);
            if (start != 0) {
                set_extent(*arena, start, bytes);
                return 0;
            }
            push_unused(&pool.without_extent, *arena);
        }
        if (pool.oldest == 0) {
            return ENOMEM;
        }
        forget(at(pool.oldest));
    }
}

int extent_take(size_t bytes, size_t record_bytes, struct moat_arena **arena)
{
    if (bytes > pool.state->region.bytes) {
        return ENOMEM;
    }
    size_t whole = bytes < REGION_GRANULE ? REGION_GRANULE
                                          : size_power_of_two_above(bytes);
    lock_take(&pool.lock);
    int error = take(whole, arena);
    if (error == 0
        && region_allow(&pool.state->region, (*arena)->extent_start, whole,
                        record_bytes < whole ? record_bytes : whole)
               != 0) {
        push_unused(&pool.with_extent[class_of(whole)], *arena);
        error = ENOMEM;
    }
    if (error == 0) {
        set_owner(*arena);
    }
    lock_release(&pool.lock);
    return error;
}

/* Unused extents that lie in the way are lost; only their records are not. */
static void discard_unused(uintptr_t start, size_t bytes)
{
    for (unsigned class = 0; class < CLASSES; class++) {
        uint32_t *link = &pool.with_extent[class];
        while (*link != 0) {
            struct moat_arena *arena = at(*link);
            if (arena->extent_start < start + bytes
                && start < arena->extent_start + arena->extent_bytes) {
                *link = arena->newer;
                push_unused(&pool.without_extent, arena);
            } else {
                link = &arena->newer;
            }
        }
    }
}

static int take_at(uintptr_t start, size_t bytes, struct moat_arena **arena)
{
    struct region *region = &pool.state->region;
    for (size_t offset = 0; offset < bytes; offset += REGION_GRANULE) {
        uint32_t owner = region_owner(region, start + offset);
        /* Also one that another thread is creating or destroying. */
        if (owner != 0 && !at(owner)->is_retired) {
            *arena = at(owner);
            return EEXIST;
        }
    }
    uint32_t owner;
    while ((owner = region_first_owner(region, start, bytes)) != 0) {
        forget(at(owner));
    }
    discard_unused(start, bytes);
    *arena = new_record();
    if (*arena == NULL) {
        return ENOMEM;
    }
    set_extent(*arena, start, bytes);
    /* Guards of other arenas may lie here, and pages that were not revoked. */
    if (region_allow(region, start, bytes, bytes) != 0
        || revoke_renew(start, bytes) != 0) {
        push_unused(&pool.without_extent, *arena);
        return ENOMEM;
    }
    set_owner(*arena);
    pool.has_placed = true;
    return 0;
}

int extent_take_at(uintptr_t start, size_t bytes, struct moat_arena **arena)
{
    const struct region *region = &pool.state->region;
    if (!region_contains(region, start)
        || bytes > region->start + region->bytes - start) {
        return EINVAL;
    }
    uintptr_t first = size_round_down(start, REGION_GRANULE);
    uintptr_t end = size_round_up(start + bytes, REGION_GRANULE);
    lock_take(&pool.lock);
    int error = take_at(first, end - first, arena);
    lock_release(&pool.lock);
    return error;
}

void extent_publish(struct moat_arena *arena)
{
    atomic_store_explicit(&arena->state, ARENA_LIVE, memory_order_release);
}

bool extent_retire(struct moat_arena *arena)
{
    /* Not while extent_each_living() looks at it. */
    lock_take(&pool.lock);
    bool is_living = arena_state_of(arena) == ARENA_LIVE;
    if (is_living) {
        atomic_store_explicit(&arena->state, ARENA_DESTROYED,
                              memory_order_release);
    }
    lock_release(&pool.lock);
    return is_living;
}

/* Blocks first: whoever reads without a lock counts none of them. */
static void empty(struct moat_arena *arena)
{
    arena->stale_blocks = arena->block_count;
    atomic_store_explicit(&arena->block_count, 0, memory_order_release);
    arena->cursor = 0;
    arena->placed_end = 0;
    arena->live_blocks = 0;
    arena->live_bytes = 0;
    arena->freed_bytes = 0;
    arena->slack_bytes = 0;
    arena->refused = 0;
    arena->rewinds = 0;
    arena->kept_rewinds = 0;
}

void extent_empty(struct moat_arena *arena)
{
    /* Not while extent_each_living() looks at it. */
    lock_take(&pool.lock);
    empty(arena);
    lock_release(&pool.lock);
}

void extent_shorten(struct moat_arena *arena, size_t count)
{
    lock_take(&pool.lock);
    arena->stale_blocks = arena->block_count;
    atomic_store_explicit(&arena->block_count, count, memory_order_release);
    lock_release(&pool.lock);
}

/* All of ARENA but its state. */
static void copy_record(struct moat_arena *copy,
                        const struct moat_arena *arena)
{
    size_t start = offsetof(struct moat_arena, name);
    memcpy((char *)copy + start, (const char *)arena + start,
           sizeof *arena - start);
}

void extent_exchange(struct moat_arena *arena, struct moat_arena *former)
{
    uintptr_t start = former->extent_start;
    size_t prepared_bytes = former->prepared_bytes;
    bool is_unprepared = former->is_unprepared;
    lock_take(&pool.lock);
    copy_record(former, arena);
    atomic_store_explicit(&former->state, ARENA_RESET, memory_order_release);
    /* A fault finds FORMER from here on, and ARENA may change. */
    set_owner(former);
    empty(arena);
    atomic_store_explicit(&arena->armed_bytes, 0, memory_order_release);
    arena->base += start - arena->extent_start;
    arena->extent_start = start;
    arena->prepared_bytes = prepared_bytes;
    arena->is_unprepared = is_unprepared;
    arena->is_reusable = true;
    arena->blocks = region_blocks(&pool.state->region, start);
    arena->reset_bytes = 0;
    arena->stale_blocks = 0;
    set_owner(arena);
    lock_release(&pool.lock);
}

void extent_quarantine(struct moat_arena *arena)
{
    lock_take(&pool.lock);
    arena->has_blocks = true;
    arena->older = pool.newest;
    arena->newer = 0;
    if (pool.newest != 0) {
        at(pool.newest)->newer = number_of(arena);
    } else {
        pool.oldest = number_of(arena);
    }
    pool.newest = number_of(arena);
    arena->is_retired = true;
    pool.retired++;
    pool.retired_wide += is_wide(arena);
    if (pool.oldest_with_blocks == 0) {
        pool.oldest_with_blocks = number_of(arena);
    }
    pool.retired_record_bytes += record_bytes(arena);
    while (pool.retired_record_bytes > RETIRED_RECORD_BYTES
           && pool.oldest_with_blocks != number_of(arena)) {
        struct moat_arena *oldest = at(pool.oldest_with_blocks);
        pool.retired_record_bytes -= record_bytes(oldest);
        drop_blocks(oldest);
        pool.oldest_with_blocks = oldest->newer;
    }
    lock_release(&pool.lock);
}

void extent_each_living(void (*visit)(struct moat_arena *arena, void *context),
                        void *context)
{
    lock_take(&pool.lock);
    const struct arena_table *table = &pool.state->arenas;
    for (uint32_t number = 1; number < table->used; number++) {
        struct moat_arena *arena = at(number);
        if (arena_state_of(arena) == ARENA_LIVE) {
            visit(arena, context);
        }
    }
    lock_release(&pool.lock);
}

void extent_before_fork(void)
{
    lock_take(&pool.lock);
}

void extent_after_fork_in_parent(void)
{
    lock_release(&pool.lock);
}

void extent_after_fork_in_child(void)
{
    lock_reset_after_fork(&pool.lock);
}
