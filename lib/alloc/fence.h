/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fenced layout as arithmetic: a block on pages of its own, pushed against
 * a guard page. A slot is the data pages and the one guard page behind them,
 * which is also the guard in front of the next slot.
 *
 * Placement "after", the default: the block ends at the guard page, as exactly
 * as its alignment allows; the bytes left over are slack.
 *
 *   | guard |     |canary| block  |slack| guard |
 *                 ^ up to 64 bytes      ^ end of the data pages
 *
 * Placement "before": the block starts right behind a guard page, and what
 * follows it on its last page, up to 64 bytes, is canary.
 *
 *   | guard | block  |canary|           | guard |
 *
 * Pure functions.
 */
#ifndef ALLOC_FENCE_H
#define ALLOC_FENCE_H

#include "base/size.h"

#include <stdbool.h>
#include <stddef.h>

enum fence_placement {
    FENCE_AFTER,
    FENCE_BEFORE,
    /* After and before by turns: half the blocks for either kind of error. */
    FENCE_ALTERNATE
};

enum { FENCE_CANARY = 64 };

struct fence_place {
    /* What is accessible: 0 for a block of no bytes. */
    size_t data_bytes;
    /* Of the block, from the first data page. */
    size_t start;
    /* Canary bytes right in front of the block and right behind it. */
    size_t front_bytes;
    size_t tail_bytes;
};

/*
 * Place a block of BYTES at ALIGNMENT, a power of two of at most PAGE_BYTES.
 * PLACEMENT is not FENCE_ALTERNATE. Returns false when BYTES are too many for
 * a whole number of pages.
 */
static inline bool fence_place(size_t bytes, size_t alignment,
                               enum fence_placement placement,
                               size_t page_bytes, struct fence_place *place)
{
    size_t data_bytes;
    if (!size_round_up_checked(bytes, page_bytes, &data_bytes)) {
        return false;
    }
    *place = (struct fence_place){ .data_bytes = data_bytes };
    if (placement == FENCE_AFTER) {
        place->start = size_round_down(data_bytes - bytes, alignment);
        place->tail_bytes = data_bytes - place->start - bytes;
        place->front_bytes
            = place->start < FENCE_CANARY ? place->start : FENCE_CANARY;
    } else {
        size_t rest = data_bytes - bytes;
        place->tail_bytes = rest < FENCE_CANARY ? rest : FENCE_CANARY;
    }
    return true;
}

/* What PLACEMENT means for block INDEX. */
static inline enum fence_placement fence_turn(enum fence_placement placement,
                                              size_t index)
{
    if (placement != FENCE_ALTERNATE) {
        return placement;
    }
    return index % 2 == 0 ? FENCE_AFTER : FENCE_BEFORE;
}

/* The largest power of two of at most LIMIT that divides BYTES: with it, a
 * block ends exactly at its guard page. 1 for BYTES 0. */
size_t fence_natural_alignment(size_t bytes, size_t limit);

/*
 * Store in *REACH how far the slots of CAPACITY can come at most: each of its
 * units of 16 bytes may be a block, with a data page and a guard page.
 * Returns whether it fits.
 */
bool fence_reach(size_t capacity, size_t page_bytes, size_t *reach);

#endif
