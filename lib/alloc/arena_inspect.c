/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting and walking; see arena_inspect.h. */
#include "alloc/arena_inspect.h"

#include "record/arena_record.h"

#include <string.h>

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
    stats->accessible_bytes = arena->armed_bytes;
    stats->refused = arena->refused;
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
