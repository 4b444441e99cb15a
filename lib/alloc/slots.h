/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots: fenced blocks that belong to no arena.
 *
 * Up to 32 pages, blocks come from classes: a window of the region in which all
 * slots have the same number of data pages. A slot that is freed becomes
 * inaccessible and waits in the quarantine of its class, first in, first out;
 * it costs addresses and a record, but no memory. A larger block has an extent
 * of its own (see extent.h).
 *
 *   | guard | data pages | guard | data pages | guard | ...
 *           ^ slot 0             ^ slot 1
 *
 * Thread-safe. Results are 0 or a positive errno value; errno may change.
 */
#ifndef ALLOC_SLOTS_H
#define ALLOC_SLOTS_H

#include "alloc/fence.h"
#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Use STATE, after arena_start(), and let at least QUARANTINE freed slots of a
 * class wait before the first of them is used again.
 */
void slots_start(struct moat_state *state, size_t quarantine);

/*
 * Allocate BYTES at ALIGNMENT, a power of two of at most a page, with SIDE at a
 * guard page: FENCE_AFTER or FENCE_BEFORE.
 *
 * Returns NULL with *ERROR set to ENOMEM, or the block.
 */
void *slots_allocate(size_t bytes, size_t alignment, enum fence_placement side,
                     site_id site, int *error);

/*
 * Free BLOCK, any pointer. Returns whether something is wrong, with *FINDING
 * saying what; when it is damage (damage_ranges above 0), the block is freed
 * all the same.
 */
bool slots_free(uintptr_t block, site_id site, struct moat_finding *finding);

/* Around fork(): no other thread may be in here meanwhile. */
void slots_before_fork(void);
void slots_after_fork_in_parent(void);
void slots_after_fork_in_child(void);

#endif
