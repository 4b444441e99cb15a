/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks with canaries and no guard page: what a block gets when there is no
 * mapping left for a page of its own, and a small one when there is no memory.
 * Writes out of bounds are found when the block is freed or at exit, writes
 * after free at exit; reads are not.
 *
 * Slots of 64 bytes to 1 MiB in windows of their own, without guards; freed
 * ones are stamped and wait, first in, first out, as many as the quarantine
 * has and no more of a size than 8 MiB of them.
 *
 * Thread-safe.
 */
#ifndef ALLOC_CANARY_SLOTS_H
#define ALLOC_CANARY_SLOTS_H

#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The slots of small blocks, and the largest there are. */
#define CANARY_SLOTS_SMALL ((size_t)8 << 10)
#define CANARY_SLOTS_MOST ((size_t)1 << 20)

void canary_slots_start(struct moat_state *state, size_t quarantine);

/*
 * A block in a slot of at most MOST bytes, whose record lacks nothing but its
 * number, sites and actors. Returns NULL when it is too large for that, or
 * when there are no addresses or no memory. The caller makes it BLOCK_LIVE.
 */
struct block_record *canary_slots_allocate(size_t bytes, size_t alignment,
                                           size_t most);

/* BLOCK of WINDOW is freed: stamp it and let it wait. */
void canary_slots_free(struct moat_arena *window, struct block_record *block);

/* Around fork(): no other thread may be in here meanwhile. */
void canary_slots_before_fork(void);
void canary_slots_after_fork_in_parent(void);
void canary_slots_after_fork_in_child(void);

#endif
