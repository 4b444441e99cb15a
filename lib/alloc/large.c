/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large blocks; see large.h. */
#include "alloc/large.h"

#include "alloc/arena.h"
#include "alloc/budget.h"
#include "base/canary.h"
#include "base/size.h"
#include "os/pages.h"
#include "os/revoke.h"

static struct moat_state *state;

void large_start(struct moat_state *moat)
{
    state = moat;
}

static struct moat_arena *create(size_t capacity, site_id site)
{
    struct arena_request request = { .name = "large block",
                                     .capacity = capacity,
                                     .layout = ARENA_FENCED,
                                     .is_heap = true,
                                     .site = site };
    struct moat_arena *arena;
    struct moat_finding unused;
    bool splits = arena_sparse_way() == &revoke_mprotect;
    if (capacity == 0 || (splits && !budget_take_mappings())) {
        return NULL;
    }
    if (arena_create(&request, &arena, &unused) != 0) {
        if (splits) {
            budget_give_mappings_back();
        }
        return NULL;
    }
    return arena;
}

void large_free(struct moat_arena *owner, site_id site)
{
    if (owner->way == &revoke_mprotect) {
        budget_give_mappings_back();
    }
    arena_end(owner, site);
}

struct block_record *large_allocate(size_t bytes, size_t alignment,
                                    enum fence_placement side, site_id site)
{
    size_t capacity = bytes == 0 ? 1 : bytes;
    if (alignment > pages_size() && !size_add(capacity, alignment, &capacity)) {
        return NULL;
    }
    struct moat_arena *arena = create(capacity, site);
    int error;
    if (arena == NULL) {
        return NULL;
    }
    if (arena_allocate_on(arena, side, alignment, bytes, site, &error)
        == NULL) {
        large_free(arena, site);
        return NULL;
    }
    return &arena->blocks[0];
}

/* All pages of ARENA back to reserved, to be armed by mprotect() alone. */
static bool make_plain(struct moat_arena *arena)
{
    bool is_plain
        = arena->prepared_bytes == 0
          || revoke_renew(arena->extent_start, arena->extent_bytes) == 0;
    arena->prepared_bytes = 0;
    arena->is_unprepared = true;
    return is_plain;
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

struct block_record *large_transfer(struct moat_arena *owner,
                                    const struct block_record *old,
                                    size_t bytes, site_id site)
{
    size_t page_bytes = pages_size();
    uintptr_t from = size_round_down(old->start, page_bytes);
    uintptr_t from_end = size_round_up(old->start + old->bytes, page_bytes);
    size_t inset = old->start - from;
    size_t moved = from_end - from;
    size_t data_bytes;
    if (!size_add(bytes, inset, &data_bytes)
        || !size_round_up_checked(data_bytes, page_bytes, &data_bytes)
        || data_bytes < moved) {
        return NULL;
    }
    struct moat_arena *arena = create(data_bytes, site);
    if (arena == NULL) {
        return NULL;
    }
    if (!make_plain(arena)
        || pages_transfer(from, arena->base, moved) != 0) {
        large_free(arena, site);
        return NULL;
    }
    /* What lay there is inaccessible now and must not be armed as it is. */
    owner->is_unprepared = true;
    if (pages_allow(arena->base, data_bytes) != 0) {
        /* Back again; it worked the other way round a moment ago. */
        pages_transfer(arena->base, from, moved);
        pages_allow(from, moved);
        large_free(arena, site);
        return NULL;
    }
    atomic_store_explicit(&arena->armed_bytes, data_bytes,
                          memory_order_release);
    publish(arena, arena->base + inset, bytes, data_bytes, site);
    return &arena->blocks[0];
}
