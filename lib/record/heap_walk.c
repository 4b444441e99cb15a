/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live blocks by their pages; see heap_walk.h. */
#include "record/heap_walk.h"

#include "base/size.h"

/* The arena of heap blocks at ADDRESS, which is in the region; NULL: none. */
static struct moat_arena *heap_arena_at(const struct moat_state *state,
                                        uintptr_t address)
{
    struct moat_arena *arena = state_arena_at(state, address);
    return arena != NULL && arena->is_heap
                   && arena_state_of(arena) == ARENA_LIVE
               ? arena
               : NULL;
}

/*
 * The block of OWNER at AT or behind it, and in *NEXT where the walk goes on;
 * NULL: OWNER has none there.
 */
static struct block_record *block_from(struct moat_arena *owner, uintptr_t at,
                                       uintptr_t *next)
{
    size_t index = 0;
    *next = owner->extent_start + owner->extent_bytes;
    if (owner->layout == ARENA_SLOTS && at > owner->base) {
        index = (at - owner->base) / owner->slot_bytes;
    }
    if (index >= atomic_load_explicit(&owner->block_count,
                                      memory_order_acquire)) {
        return NULL;
    }
    if (owner->layout == ARENA_SLOTS) {
        *next = owner->base + (index + 1) * owner->slot_bytes;
    }
    return &owner->blocks[index];
}

/* Cut the pages of STEP's block to WALK's. Returns whether any are left. */
static bool cut(const struct moat_state *state, const struct heap_walk *walk,
                uintptr_t from, struct heap_step *step)
{
    uintptr_t start = size_round_down(step->block->start, state->page_bytes);
    uintptr_t end = size_round_up(step->block->start + step->block->bytes,
                                  state->page_bytes);
    step->start = start > from ? start : from;
    step->end = end < walk->end ? end : walk->end;
    return step->start < step->end;
}

static bool has_pages(const struct block_record *block)
{
    uint8_t state = atomic_load_explicit(&block->state, memory_order_acquire);
    return state == BLOCK_LIVE || state == BLOCK_ENDING;
}

bool heap_walk_next(const struct moat_state *state, struct heap_walk *walk,
                    struct heap_step *step)
{
    while (walk->at < walk->end
           && region_contains(&state->region, walk->at)) {
        uintptr_t at = walk->at;
        step->owner = heap_arena_at(state, at);
        if (step->owner == NULL) {
            walk->at = size_round_down(at, REGION_GRANULE) + REGION_GRANULE;
            continue;
        }
        step->block = block_from(step->owner, at, &walk->at);
        /* Slots without guard pages need not begin where a page does. */
        uintptr_t page = size_round_down(at, state->page_bytes);
        if (step->block != NULL && has_pages(step->block)
            && cut(state, walk, page, step)) {
            return true;
        }
    }
    return false;
}

bool heap_walk_is_altered(const struct moat_state *state, uintptr_t address)
{
    uintptr_t page = size_round_down(address, state->page_bytes);
    struct heap_walk walk = { .at = page, .end = page + state->page_bytes };
    struct heap_step step;
    while (heap_walk_next(state, &walk, &step)) {
        if (block_has(step.block, BLOCK_ALTERED)) {
            return true;
        }
    }
    return false;
}
