/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resizing; see arena_realloc.h. */
#include "alloc/arena_realloc.h"

#include "alloc/arena.h"

#include <errno.h>
#include <string.h>

bool arena_reallocate(struct moat_arena *arena, uintptr_t block, size_t bytes,
                      site_id site, void **moved, int *error,
                      struct moat_finding *finding)
{
    size_t index;
    *moved = NULL;
    *error = EINVAL;
    if (arena == NULL
        || !block_find(arena->blocks, arena->block_count, block, &index)
        || arena->blocks[index].start != block
        || arena->blocks[index].state != BLOCK_LIVE) {
        arena_describe_bad_free(arena, block, finding);
        return true;
    }
    size_t old_bytes = arena->blocks[index].bytes;
    *moved
        = arena_allocate(arena, ARENA_ALIGNMENT_DEFAULT, bytes, site, error);
    if (*moved == NULL) {
        return false;
    }
    memcpy(*moved, (const void *)block, old_bytes < bytes ? old_bytes : bytes);
    return arena_free(arena, block, site, finding);
}
