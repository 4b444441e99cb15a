/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holes: inaccessible pages between two blocks of an arena, where rewinding
 * has taken blocks back and newer ones came behind.
 *
 *   | block |canary| stamped |   hole   |canary| block |       (packed)
 *           ^ tail_bytes     ^ page     ^ page
 *   | block | guard |        hole       |    block | guard |   (fenced)
 *
 * Pure, and async-signal-safe.
 */
#ifndef RECORD_HOLE_H
#define RECORD_HOLE_H

#include "base/size.h"
#include "record/arena_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the pages of the blocks before index NEXT end: what is accessible
 * (packed), or the guard page behind it (fenced). */
static inline uintptr_t hole_first(const struct moat_arena *arena, size_t next,
                                   size_t page_bytes)
{
    if (next == 0) {
        return arena->base;
    }
    const struct block_record *block = &arena->blocks[next - 1];
    uintptr_t end = block->start + block->bytes;
    return arena->layout == ARENA_PACKED
               ? size_round_up(end + block->tail_bytes, page_bytes)
               : size_round_up(end, page_bytes) + page_bytes;
}

/*
 * The hole in front of block index NEXT, in *START and *END. Returns whether
 * there is one. An arena that was never rewound has none.
 */
static inline bool hole_before(const struct moat_arena *arena, size_t next,
                               size_t page_bytes, uintptr_t *start,
                               uintptr_t *end)
{
    uintptr_t block = arena->blocks[next].start;
    if (arena->rewinds == 0 || block <= arena->base) {
        return false;
    }
    *start = hole_first(arena, next, page_bytes);
    /* A packed block has a canary in front, on the same page. */
    *end = size_round_down(arena->layout == ARENA_PACKED ? block - 1 : block,
                           page_bytes);
    return *start < *end;
}

#endif
