/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting and walking; see arena_inspect.h. */
#include "alloc/arena_inspect.h"

#include "alloc/bump.h"
#include "os/pages.h"
#include "record/arena_record.h"
#include "record/hole.h"

#include <string.h>

/* What a block takes of the capacity, as bump_place() counts. */
static size_t rounded_bytes(const struct block_record *block)
{
    return size_round_up(block->bytes == 0 ? 1 : block->bytes, BUMP_UNIT);
}

/* Inaccessible bytes between the first COUNT blocks, where rewinding has taken
 * others back. */
static size_t hole_bytes(const struct moat_arena *arena, size_t count)
{
    size_t bytes = 0;
    for (size_t index = 0; arena->rewinds != 0 && index < count; index++) {
        uintptr_t start;
        uintptr_t end;
        if (hole_before(arena, index, pages_size(), &start, &end)) {
            bytes += end - start;
        }
    }
    return bytes;
}

static size_t accessible_bytes(const struct moat_arena *arena)
{
    size_t count = arena->block_count;
    if (arena->layout == ARENA_PACKED) {
        return arena->armed_bytes - hole_bytes(arena, count);
    }
    size_t bytes = 0;
    for (size_t index = 0; index < count; index++) {
        const struct block_record *block = &arena->blocks[index];
        if (block->state != BLOCK_REVOKED) {
            bytes += size_round_up(block->start + block->bytes, pages_size())
                     - size_round_down(block->start, pages_size());
        }
    }
    return bytes;
}

/* What lies up to the end of the last canary, and is not the capacity's. */
static size_t packed_canaries(const struct moat_arena *arena, size_t count)
{
    if (count == 0) {
        return 0;
    }
    const struct block_record *last = &arena->blocks[count - 1];
    return last->start + last->bytes + last->tail_bytes - arena->base
           - hole_bytes(arena, count) - arena->cursor;
}

static size_t fenced_canaries(const struct moat_arena *arena, size_t count)
{
    size_t bytes = 0;
    for (size_t index = 0; index < count; index++) {
        const struct block_record *block = &arena->blocks[index];
        size_t slack = rounded_bytes(block) - block->bytes;
        if (block->state != BLOCK_REVOKED) {
            bytes += block->front_bytes;
            bytes += block->tail_bytes > slack ? block->tail_bytes - slack : 0;
        }
    }
    return bytes;
}

static size_t canary_bytes(const struct moat_arena *arena)
{
    size_t count = arena->block_count;
    return arena->layout == ARENA_PACKED ? packed_canaries(arena, count)
                                         : fenced_canaries(arena, count);
}

size_t arena_largest_hole(const struct moat_arena *arena)
{
    size_t count = arena->block_count;
    size_t largest = 0;
    /* Where the live block before ends. */
    size_t end = 0;
    for (size_t index = 0; index < count; index++) {
        const struct block_record *block = &arena->blocks[index];
        if (block->state == BLOCK_LIVE) {
            size_t hole = block->arena_offset - end;
            largest = hole > largest ? hole : largest;
            end = block->arena_offset + rounded_bytes(block);
        }
    }
    return arena->cursor - end > largest ? arena->cursor - end : largest;
}

void arena_stats(const struct moat_arena *arena, struct moat_stats *stats)
{
    size_t blocks = arena->block_count;
    memset(stats, 0, sizeof *stats);
    stats->capacity = arena->capacity;
    stats->max_capacity = arena->max_capacity;
    stats->used = arena->cursor;
    stats->live_blocks = arena->live_blocks;
    stats->live_bytes = arena->live_bytes;
    stats->freed_blocks = blocks - arena->live_blocks;
    stats->freed_bytes = arena->freed_bytes;
    stats->slack_bytes = arena->slack_bytes;
    stats->accessible_bytes = accessible_bytes(arena);
    stats->refused = arena->refused;
    stats->canary_bytes = canary_bytes(arena);
    stats->largest_hole = arena_largest_hole(arena);
}

int arena_walk(const struct moat_arena *arena, moat_block_visitor visit,
               void *context)
{
    size_t count = arena->block_count;
    for (size_t index = 0; index < count; index++) {
        const struct block_record *record = &arena->blocks[index];
        struct moat_block block = {
            .number = index + 1,
            .start = (void *)record->start,
            .size = record->bytes,
            .arena_offset = record->arena_offset,
            .is_live = record->state == BLOCK_LIVE,
        };
        int result = visit(&block, context);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}
