/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that the program has altered; see altered.h. */
#include "alloc/altered.h"

#include "base/canary.h"
#include "base/size.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "record/heap_walk.h"

static struct moat_state *state;

void altered_start(struct moat_state *moat)
{
    state = moat;
}

static void add_traits(struct block_record *block, unsigned traits)
{
    atomic_fetch_or_explicit(&block->traits, (uint8_t)traits,
                             memory_order_relaxed);
}

void altered_note(uintptr_t start, uintptr_t end, unsigned traits)
{
    struct heap_walk walk = { .at = start, .end = end };
    struct heap_step step;
    while (heap_walk_next(state, &walk, &step)) {
        /* On pages that blocks share nothing is done but locking. */
        add_traits(step.block, step.owner->has_canaries_only
                                   ? traits & BLOCK_LOCKED
                                   : traits);
    }
}

/* The living arena at ADDRESS that is the program's; NULL: none. */
static const struct moat_arena *arena_of_program(uintptr_t address)
{
    const struct moat_arena *arena = state_arena_at(state, address);
    return arena != NULL && !arena->is_heap
                   && arena_state_of(arena) == ARENA_LIVE
               ? arena
               : NULL;
}

/* The pages of STEP that its block has to itself. Blocks without guard pages
 * contain no whole page: they are too small, or not aligned to one. */
static struct altered_pages whole_pages(const struct heap_step *step)
{
    return (struct altered_pages){
        .start = step->start,
        .end = step->owner->has_canaries_only ? step->start : step->end,
    };
}

bool altered_next(uintptr_t *at, uintptr_t end, bool is_whole,
                  struct altered_pages *pages)
{
    const struct moat_arena *arena = arena_of_program(*at);
    if (arena != NULL) {
        uintptr_t armed_end = arena->base + arena->armed_bytes;
        pages->start = *at > arena->base ? *at : arena->base;
        pages->end = end < armed_end ? end : armed_end;
        *at = arena->extent_start + arena->extent_bytes;
        if (pages->start < pages->end) {
            return true;
        }
    }
    struct heap_walk walk = { .at = *at, .end = end };
    struct heap_step step;
    if (!heap_walk_next(state, &walk, &step)) {
        return false;
    }
    /* What blocks share comes once: the next walk begins behind. */
    *pages = is_whole ? whole_pages(&step)
                      : (struct altered_pages){ step.start, step.end };
    *at = step.end;
    return true;
}

bool altered_is_owned(uintptr_t start, uintptr_t end)
{
    struct heap_walk walk = { .at = start, .end = end };
    struct heap_step step;
    uintptr_t owned_end = start;
    while (owned_end < end && heap_walk_next(state, &walk, &step)) {
        struct altered_pages pages = whole_pages(&step);
        if (pages.start > owned_end || pages.end <= owned_end) {
            return false;
        }
        owned_end = pages.end;
    }
    return owned_end >= end;
}

/* Stamp what of the canary from FIRST to LAST lies in the pages of STEP. */
static void stamp_in(const struct heap_step *step, uintptr_t first,
                     uintptr_t last)
{
    first = first > step->start ? first : step->start;
    last = last < step->end ? last : step->end;
    if (first < last) {
        canary_stamp(state->secret, first, last);
    }
}

void altered_refill(uintptr_t start, uintptr_t end)
{
    struct heap_walk walk = { .at = start, .end = end };
    struct heap_step step;
    while (heap_walk_next(state, &walk, &step)) {
        struct block_record *block = step.block;
        uintptr_t block_end = block->start + block->bytes;
        if (step.owner->has_canaries_only) {
            /* Nothing was dropped. */
            continue;
        }
        if (step.owner->way->refill != NULL) {
            step.owner->way->refill(step.start, step.end - step.start);
        }
        if (block_has(block, BLOCK_PROTECTED)) {
            /* It may not be writable now. */
            add_traits(block, BLOCK_UNSTAMPED);
        }
        if (!block_has(block, BLOCK_UNSTAMPED)) {
            stamp_in(&step, block->start - block->front_bytes, block->start);
            stamp_in(&step, block_end, block_end + block->tail_bytes);
        }
    }
}

static uintptr_t first_page(const struct block_record *block, size_t *bytes)
{
    uintptr_t start = size_round_down(block->start, state->page_bytes);
    *bytes = size_round_up(block->start + block->bytes, state->page_bytes)
             - start;
    return start;
}

bool altered_open(const struct block_record *block)
{
    size_t bytes;
    uintptr_t start = first_page(block, &bytes);
    return !block_has(block, BLOCK_UNSTAMPED)
           && (!block_has(block, BLOCK_PROTECTED) || bytes == 0
               || pages_allow(start, bytes) == 0);
}

bool altered_undo(const struct block_record *block)
{
    size_t bytes;
    uintptr_t start = first_page(block, &bytes);
    bool is_undone = !block_has(block, BLOCK_REMAPPED);
    if (block_has(block, BLOCK_LOCKED)) {
        is_undone = pages_unlock(start, bytes) == 0 && is_undone;
    }
    if (block_has(block, BLOCK_PROTECTED)) {
        is_undone = pages_allow(start, bytes) == 0 && is_undone;
    }
    return is_undone;
}
