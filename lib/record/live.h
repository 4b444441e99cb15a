/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All live blocks, of arenas and of the heap: one after the other, and the one
 * at an address. Reads records only; async-signal-safe.
 */
#ifndef RECORD_LIVE_H
#define RECORD_LIVE_H

#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The live block that ADDRESS, any, lies in or right behind, where no other
 * block can be; NULL: none. */
struct block_record *live_at(const struct moat_state *state,
                             uintptr_t address);

/* A walk over all live blocks; start with zeroes. */
struct live_walk {
    /* Where the next one is looked for. */
    uint32_t arena;
    size_t index;
    /* The block that was found. */
    struct moat_arena *owner;
    struct block_record *block;
};

/* The next live block, in WALK; false: there are no more. */
bool live_next(const struct moat_state *state, struct live_walk *walk);

/* The number by which WALK's block is known to the program. */
size_t live_number(const struct live_walk *walk);

#endif
