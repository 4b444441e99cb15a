/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The live blocks of the heap that have bytes on given pages, in the order of
 * addresses. Reads records only; async-signal-safe.
 */
#ifndef RECORD_HEAP_WALK_H
#define RECORD_HEAP_WALK_H

#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A walk over the pages from AT to END, which are made with these two. */
struct heap_walk {
    uintptr_t at;
    uintptr_t end;
};

/* One block, and whose it is. */
struct heap_step {
    struct moat_arena *owner;
    struct block_record *block;
    /* The pages that it touches, cut to those of the walk. */
    uintptr_t start;
    uintptr_t end;
};

/* The next block; false: there are no more. */
bool heap_walk_next(const struct moat_state *state, struct heap_walk *walk,
                    struct heap_step *step);

/* Whether ADDRESS is on a page of a live block whose pages the program has
 * altered. */
bool heap_walk_is_altered(const struct moat_state *state, uintptr_t address);

#endif
