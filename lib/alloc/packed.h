/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packed layout as arithmetic: blocks side by side, canaries between.
 *
 * Offsets count from the arena's base, the page boundary behind its front
 * guard page. Here with 32, 20 and 64 bytes in an arena of capacity 128:
 *
 *   0        32     48     64        84   96   112 ...    4032      4096
 *   | #1     |canary|canary| #2      |slack|canary|canary | #3      | guard
 *   packed_end 0           48 (+16)                112              4096
 *
 * Behind each block: its slack up to a multiple of 16, then 16 bytes; in front
 * of each but the first: 16 bytes and what its alignment needs. All that is
 * canary, one gap between two blocks.
 *
 * So it is again when the capacity has grown and is filled once more, unless
 * the rest of a page each time would use up the room for what is to come.
 *
 * The first block needs nothing in front, because the guard page is there.
 * The block that fills the capacity goes to the end of the last page, where
 * the rear guard page is; the gap in front of it takes up the rest.
 *
 * Pure functions.
 */
#ifndef ALLOC_PACKED_H
#define ALLOC_PACKED_H

#include "alloc/bump.h"

#include <stdbool.h>
#include <stddef.h>

/* On either side of the line between two blocks. */
enum { PACKED_CANARY = 16 };

/* How full an arena is. */
struct packed_fill {
    size_t capacity;
    /* As a plain bump allocator counts. */
    size_t cursor;
    /* Where the last block's canary ends; 0: no block yet. */
    size_t packed_end;
    /* Accessible bytes. */
    size_t armed;
    size_t page_bytes;
    /* By how much the capacity may grow yet, and how far from the base blocks
     * may come then; 0: not at all. */
    size_t growth;
    size_t reach;
};

struct packed_place {
    /* As a plain bump allocator counts: the block, and the next cursor. */
    size_t arena_offset;
    size_t next_cursor;
    /* From the base: the block, and the end of the canary behind it. */
    size_t start;
    size_t canary_end;
};

/*
 * Place a block of BYTES at ALIGNMENT, a power of two from 16 to 4096. Returns
 * false when it does not fit into the capacity.
 */
bool packed_place(const struct packed_fill *fill, size_t alignment,
                  size_t bytes, struct packed_place *place);

/*
 * Store in *REACH how far from the base blocks and canaries of CAPACITY can
 * come at most, in whole pages. Returns whether it fits.
 */
bool packed_reach(size_t capacity, size_t page_bytes, size_t *reach);

#endif
