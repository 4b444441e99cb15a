/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live blocks; see live.h. */
#include "record/live.h"

/* How many block records of ARENA, any, there are to look at. */
static size_t count_of(const struct moat_arena *arena)
{
    return arena_state_of(arena) == ARENA_LIVE && arena->has_blocks
               ? atomic_load_explicit(&arena->block_count,
                                      memory_order_acquire)
               : 0;
}

static bool is_live(const struct block_record *block)
{
    return atomic_load_explicit(&block->state, memory_order_acquire)
           == BLOCK_LIVE;
}

struct block_record *live_at(const struct moat_state *state,
                             uintptr_t address)
{
    struct moat_arena *arena = state_arena_at(state, address);
    size_t count = arena == NULL ? 0 : count_of(arena);
    size_t index = 0;
    if (count == 0 || address < arena->base) {
        return NULL;
    }
    if (arena->layout == ARENA_SLOTS) {
        index = (address - arena->base) / arena->slot_bytes;
    } else if (!block_find(arena->blocks, count, address, &index)) {
        return NULL;
    }
    struct block_record *block = &arena->blocks[index];
    return index < count && is_live(block) && address >= block->start
                   && address - block->start <= block->bytes
               ? block
               : NULL;
}

bool live_next(const struct moat_state *state, struct live_walk *walk)
{
    size_t used = atomic_load_explicit(&state->arenas.used,
                                       memory_order_acquire);
    for (; walk->arena < used; walk->arena++, walk->index = 0) {
        struct moat_arena *arena
            = arena_record_at(&state->arenas, walk->arena);
        size_t count = arena == NULL ? 0 : count_of(arena);
        while (walk->index < count) {
            struct block_record *block = &arena->blocks[walk->index++];
            if (is_live(block)) {
                walk->owner = arena;
                walk->block = block;
                return true;
            }
        }
    }
    return false;
}

size_t live_number(const struct live_walk *walk)
{
    return walk->owner->is_heap
               ? walk->block->arena_offset
               : (size_t)(walk->block - walk->owner->blocks) + 1;
}
