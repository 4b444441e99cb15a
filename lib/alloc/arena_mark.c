/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks; see arena_mark.h. */
#include "alloc/arena_mark.h"

#include "alloc/arena_annotate.h"
#include "alloc/arena_pages.h"
#include "alloc/extent.h"
#include "alloc/fence.h"
#include "alloc/packed.h"
#include "alloc/shortfall.h"
#include "base/canary.h"
#include "base/size.h"
#include "record/hole.h"

#include <stdatomic.h>

uint64_t arena_mark_new_era(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

struct moat_mark arena_mark(const struct moat_arena *arena)
{
    return (struct moat_mark){
        .arena = arena,
        .place = (const void *)(arena->base + arena->placed_end),
        .era = arena->era,
        .rewinds = arena->rewinds,
        .blocks = arena->block_count,
        .cursor = arena->cursor,
        .placed_end = arena->placed_end,
    };
}

bool arena_mark_is_good(const struct moat_arena *arena,
                        const struct moat_mark *mark)
{
    if (mark->arena != arena || mark->era != arena->era
        || mark->rewinds > arena->rewinds
        || mark->blocks > arena->block_count) {
        return false;
    }
    /* The first one after MARK went back the furthest. */
    for (unsigned i = 0; i < arena->kept_rewinds; i++) {
        const struct arena_rewind *rewind = &arena->rewind[i];
        if (rewind->number > mark->rewinds) {
            return rewind->blocks >= mark->blocks;
        }
    }
    return true;
}

/* Those that went back less far no longer matter. */
static void note(struct moat_arena *arena, size_t blocks)
{
    arena->rewinds++;
    unsigned kept = arena->kept_rewinds;
    while (kept > 0 && arena->rewind[kept - 1].blocks >= blocks) {
        kept--;
    }
    if (kept == ARENA_REWINDS) {
        kept--;
        for (unsigned i = 0; i < kept; i++) {
            arena->rewind[i] = arena->rewind[i + 1];
        }
    }
    arena->rewind[kept] = (struct arena_rewind){ .number = arena->rewinds,
                                                 .blocks = blocks };
    arena->kept_rewinds = kept + 1;
}

/* The counts without the blocks from index FIRST on. */
static void discount(struct moat_arena *arena, size_t first, size_t cursor)
{
    for (size_t i = first; i < arena->block_count; i++) {
        const struct block_record *block = &arena->blocks[i];
        if (block->state == BLOCK_LIVE) {
            arena->live_blocks--;
            arena->live_bytes -= block->bytes;
        } else {
            arena->freed_bytes -= block->bytes;
        }
    }
    arena->cursor = cursor;
    arena->slack_bytes = cursor - arena->live_bytes - arena->freed_bytes;
}

/* Whether new blocks can come from START on, and the arena still holds what
 * its capacity promises. */
static bool has_room_from(const struct moat_state *state,
                          const struct moat_arena *arena, size_t start)
{
    size_t capacity = arena->max_capacity - arena->cursor;
    size_t rest;
    bool fits = arena->layout == ARENA_PACKED
                    ? packed_reach(capacity, state->page_bytes, &rest)
                    : fence_reach(capacity, state->page_bytes, &rest);
    return fits && start <= arena->reach_bytes
           && rest <= arena->reach_bytes - start;
}

/* What is left of the last page of older blocks is canary from now on, down
 * from where the blocks that were taken back began. */
static void stamp_rest(const struct moat_state *state,
                       struct moat_arena *arena, size_t blocks,
                       uintptr_t start)
{
    struct block_record *last = &arena->blocks[blocks - 1];
    uintptr_t end = hole_first(arena, blocks, state->page_bytes);
    if (start < end) {
        arena_annotate_begin();
        canary_stamp(state->secret, start, end);
        arena_annotate_end();
    }
    last->tail_bytes = (uint32_t)(end - (last->start + last->bytes));
}

void arena_rewind(struct moat_state *state, struct moat_arena *arena,
                  const struct moat_mark *mark, site_id site)
{
    size_t page_bytes = state->page_bytes;
    size_t blocks = mark->blocks;
    if (arena->block_count == blocks) {
        return;
    }
    bool is_packed = arena->layout == ARENA_PACKED;
    size_t armed = arena->armed_bytes;
    size_t behind = is_packed ? armed : arena->placed_end;
    arena->reset_site = site;
    arena->reset_actor = actor_self(&state->actors);
    note(arena, blocks);
    discount(arena, blocks, mark->cursor);
    if (armed > arena->reset_bytes) {
        arena->reset_bytes = armed;
    }
    uintptr_t first = arena->blocks[blocks].start;
    extent_shorten(arena, blocks);
    if (is_packed && blocks > 0) {
        stamp_rest(state, arena, blocks, arena->base + mark->placed_end);
    }
    size_t kept = hole_first(arena, blocks, page_bytes) - arena->base;
    if (!is_packed && kept > 0) {
        /* The guard page is none of them. */
        kept -= page_bytes;
    }
    arena_annotate_rewound(arena, first, arena->base + kept);
    if (kept < armed) {
        if (arena_pages_revoke(arena, kept, armed) != 0) {
            shortfall_note(SHORTFALL_LEFT_OPEN);
        }
        atomic_store_explicit(&arena->armed_bytes, kept,
                              memory_order_release);
    }
    arena->placed_end = has_room_from(state, arena, behind) ? behind
                                                            : mark->placed_end;
}
