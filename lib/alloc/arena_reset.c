/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resetting; see arena_reset.h. */
#include "alloc/arena_reset.h"

#include "alloc/arena_annotate.h"
#include "alloc/arena_mark.h"
#include "alloc/arena_pages.h"
#include "alloc/extent.h"

static void reset_in_place(struct moat_arena *arena)
{
    size_t armed = arena->armed_bytes;
    extent_empty(arena);
    if (armed > arena->reset_bytes) {
        arena->reset_bytes = armed;
    }
    if (arena_pages_close(arena) == 0) {
        arena_pages_take_way(arena, arena->way);
    }
    atomic_store_explicit(&arena->armed_bytes, 0, memory_order_release);
}

void arena_reset(struct moat_state *state, struct moat_arena *arena,
                 site_id site)
{
    if (arena->block_count == 0) {
        return;
    }
    arena->reset_site = site;
    arena->reset_actor = actor_self(&state->actors);
    arena->resets++;
    arena->era = arena_mark_new_era();
    arena_annotate_emptied(arena);
    struct moat_arena *former = NULL;
    if (arena->is_placed
        || extent_take(arena->extent_bytes, SIZE_MAX, &former) != 0) {
        reset_in_place(arena);
        return;
    }
    arena_pages_take_way(former, arena->way);
    extent_exchange(arena, former);
    arena_pages_close(former);
    extent_quarantine(former);
}
