/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large blocks; see large.h. */
#include "alloc/large.h"

#include "alloc/altered.h"
#include "alloc/arena.h"
#include "alloc/arena_pages.h"
#include "alloc/budget.h"
#include "alloc/canary_slots.h"
#include "base/canary.h"
#include "base/size.h"
#include "os/pages.h"
#include "os/revoke.h"

static struct moat_state *state;

void large_start(struct moat_state *moat)
{
    state = moat;
}

/*
 * Up to here an extent may have guard markers on all of its pages: it is one
 * mapping with its neighbours of the same kind then.
 */
#define MOST_WHOLE ((size_t)64 << 20)

static bool can_be_whole(size_t capacity)
{
    return arena_sparse_way() == &revoke_guard
           && capacity < MOST_WHOLE - 2 * pages_size();
}

static bool is_whole(const struct moat_arena *arena)
{
    return !arena->is_unprepared
           && arena->prepared_bytes == arena->extent_bytes;
}

/*
 * Each live block is counted as two mappings: what of its extent is not
 * prepared, or with mprotect() not accessible, lies between it and the next.
 * Beyond what the budget has, a block takes none where guard markers are on
 * all of its extent, and stay there.
 */
static struct moat_arena *create(size_t capacity, site_id site, bool *is_short)
{
    struct arena_request request = { .name = "large block",
                                     .capacity = capacity,
                                     .layout = ARENA_FENCED,
                                     .is_heap = true,
                                     .site = site };
    struct moat_arena *arena;
    struct moat_finding unused;
    *is_short = false;
    if (capacity == 0) {
        return NULL;
    }
    bool is_counted
        = budget_take_mappings(capacity > CANARY_SLOTS_MOST - pages_size());
    if (!is_counted && !can_be_whole(capacity)) {
        *is_short = true;
        return NULL;
    }
    if (arena_create(&request, &arena, &unused) != 0) {
        if (is_counted) {
            budget_give_mappings_back();
        }
        return NULL;
    }
    arena->stays_prepared = !is_counted;
    return arena;
}

void large_free(struct moat_arena *owner, site_id site)
{
    if (!owner->stays_prepared) {
        budget_give_mappings_back();
    }
    if (owner->block_count != 0 && block_has(&owner->blocks[0], BLOCK_ALTERED)
        && !altered_undo(&owner->blocks[0])) {
        /* So all of the extent is mapped anew. */
        owner->is_unprepared = true;
    }
    arena_end(owner, site);
}

/* The most that fits into the extent of a block of BYTES, a power of two. */
static size_t capacity_to_grow(size_t bytes)
{
    size_t guards = 2 * pages_size();
    size_t extent_bytes;
    if (!size_add(bytes, guards + pages_size(), &extent_bytes)
        || extent_bytes > SIZE_MAX / 2) {
        return 0;
    }
    extent_bytes = size_power_of_two_above(extent_bytes - 1);
    return extent_bytes < REGION_GRANULE ? REGION_GRANULE - guards
                                         : extent_bytes - guards;
}

/*
 * Make all of an arena one piece for mremap(): with guard markers one mapping.
 * With mprotect() it will be two, what is accessible and what is not; these
 * must have a common origin, or what is made accessible later would be a
 * mapping of its own. They have when they are split after a page was touched
 * (the kernel's vm_pgoff and anon_vma then stay with both).
 *
 * Returns false when all of it was left accessible.
 */
static bool make_room(struct moat_arena *arena)
{
    if (arena->way == &revoke_guard) {
        arena_pages_prepare(arena, arena->reach_bytes + pages_size());
        arena->is_growing = is_whole(arena);
        return true;
    }
    if (pages_allow(arena->base, arena->reach_bytes) != 0) {
        return true;
    }
    *(volatile char *)arena->base = 0;
    arena->is_growing = pages_deny(arena->base, arena->reach_bytes) == 0;
    if (!arena->is_growing) {
        arena->armed_bytes = arena->reach_bytes;
    }
    return arena->is_growing;
}

struct block_record *large_allocate(const struct large_request *request,
                                    bool *is_short)
{
    size_t capacity = request->bytes == 0 ? 1 : request->bytes;
    if (request->is_growing) {
        capacity = capacity_to_grow(capacity);
    }
    if (request->alignment > pages_size()
        && !size_add(capacity, request->alignment, &capacity)) {
        *is_short = false;
        return NULL;
    }
    struct moat_arena *arena = create(capacity, request->site, is_short);
    int error;
    if (arena == NULL) {
        return NULL;
    }
    if (request->is_growing && !make_room(arena)) {
        struct large_request steady = *request;
        steady.is_growing = false;
        large_free(arena, request->site);
        return large_allocate(&steady, is_short);
    }
    if (arena->stays_prepared) {
        arena_pages_prepare(arena, arena->extent_bytes - pages_size());
    }
    if ((arena->stays_prepared && !is_whole(arena))
        || arena_allocate_on(arena, request->side, request->alignment,
                             request->bytes, request->site, &error)
               == NULL) {
        large_free(arena, request->site);
        *is_short = true;
        return NULL;
    }
    return &arena->blocks[0];
}

static void publish(struct moat_arena *arena, uintptr_t start, size_t bytes,
                    size_t data_bytes, site_id site)
{
    struct block_record *block = &arena->blocks[0];
    uint64_t secret = state->secret;
    uintptr_t end = start + bytes;
    uintptr_t last = arena->base + data_bytes;
    size_t front = start - arena->base;
    front = front < FENCE_CANARY ? front : FENCE_CANARY;
    canary_stamp(secret, start - front, start);
    canary_stamp(secret, end, last);
    block->start = start;
    block->bytes = bytes;
    block->arena_offset = 0;
    block->front_bytes = (uint8_t)front;
    atomic_store_explicit(&block->traits, 0, memory_order_relaxed);
    block->growths = 0;
    block->tail_bytes = (uint32_t)(last - end);
    block->alloc_site = site;
    block->alloc_actor = actor_self(&state->actors);
    atomic_store_explicit(&block->state, BLOCK_LIVE, memory_order_relaxed);
    atomic_store_explicit(&arena->block_count, 1, memory_order_release);
    arena->live_blocks = 1;
    arena->live_bytes = bytes;
    arena->placed_end = data_bytes + pages_size();
}

/*
 * Hand the pages of FROM over to TO, an arena of the same size without pages.
 * With mprotect() what is inaccessible behind the first ARMED bytes goes too,
 * for the common origin; when that fails, TO can be handed over no more.
 */
static int hand_over(struct moat_arena *from, struct moat_arena *to,
                     size_t armed)
{
    int error;
    if (from->way == &revoke_guard) {
        error = pages_transfer(from->extent_start, to->extent_start,
                               from->extent_bytes);
        to->is_growing = error == 0;
        to->prepared_bytes = error == 0 ? to->extent_bytes : 0;
        return error;
    }
    error = pages_transfer(from->base, to->base, armed);
    if (error == 0) {
        to->is_growing
            = armed == to->reach_bytes
              || pages_transfer(from->base + armed, to->base + armed,
                                to->reach_bytes - armed)
                     == 0;
    }
    return error;
}

/* A place for what is in OWNER, of the same size and with no pages yet. */
static struct moat_arena *create_like(const struct moat_arena *owner,
                                      site_id site)
{
    bool is_short;
    struct moat_arena *arena = create(owner->capacity, site, &is_short);
    if (arena == NULL) {
        return NULL;
    }
    bool is_plain
        = arena->prepared_bytes == 0
          || revoke_renew(arena->extent_start, arena->extent_bytes) == 0;
    arena->prepared_bytes = 0;
    if (!is_plain || arena->way != owner->way
        || arena->extent_bytes != owner->extent_bytes) {
        large_free(arena, site);
        return NULL;
    }
    return arena;
}

struct block_record *large_transfer(struct moat_arena *owner,
                                    const struct block_record *old,
                                    size_t bytes, site_id site)
{
    size_t inset = old->start - owner->base;
    size_t armed = owner->armed_bytes;
    size_t data_bytes;
    if (!owner->is_growing || owner->is_unprepared || inset >= pages_size()
        || !size_add(bytes, inset, &data_bytes)
        || data_bytes > owner->reach_bytes) {
        return NULL;
    }
    data_bytes = size_round_up(data_bytes, pages_size());
    struct moat_arena *arena = create_like(owner, site);
    if (arena == NULL) {
        return NULL;
    }
    /*
     * What is to be new is made accessible before the move: when that fails,
     * there is nothing to undo.
     */
    if (data_bytes > armed && arena_pages_arm(owner, armed, data_bytes) != 0) {
        large_free(arena, site);
        return NULL;
    }
    if (owner->is_unprepared || hand_over(owner, arena, data_bytes) != 0) {
        if (data_bytes > armed) {
            arena_pages_revoke(owner, armed, data_bytes);
        }
        large_free(arena, site);
        return NULL;
    }
    /*
     * A write of another thread that comes before this is lost, as it would be
     * between copying a block and revoking it.
     */
    owner->is_unprepared = true;
    atomic_store_explicit(&owner->armed_bytes, data_bytes,
                          memory_order_release);
    if (pages_deny(owner->extent_start, owner->extent_bytes) == 0) {
        atomic_store_explicit(&owner->armed_bytes, 0, memory_order_release);
    }
    atomic_store_explicit(&arena->armed_bytes, data_bytes,
                          memory_order_release);
    publish(arena, arena->base + inset, bytes, data_bytes, site);
    return &arena->blocks[0];
}
