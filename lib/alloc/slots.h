/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heap: fenced blocks that belong to no arena.
 *
 * Up to 32 pages a block gets a slot of a class (slot_class.h, slot_cache.h),
 * and a larger one an extent of its own (large.h). When there is no memory left
 * for a page for each, small blocks get canaries only, and when there are no
 * mappings, blocks up to 1 MiB (canary_slots.h); which is counted and said
 * (shortfall.h). Each allocation has a number, by which options choose some
 * (numbers.h).
 *
 * Thread-safe; not for use in a signal handler. errno may change.
 */
#ifndef ALLOC_SLOTS_H
#define ALLOC_SLOTS_H

#include "alloc/fence.h"
#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct revoke_way;

struct slots_settings {
    const struct revoke_way *way;
    /* How many freed slots of a class wait at least before one of them is used
     * again. */
    size_t quarantine;
    /* For each thread and class, how many pages may stay accessible after a
     * free() for the next allocation; only where the way can transfer. */
    size_t spare_pages;
    /* Of memory for blocks; 0: half of what is available. */
    size_t max_memory;
    /* Whether growing large blocks may be moved page by page. */
    bool has_transfer;
};

/* Use STATE, as SETTINGS say; after arena_start(). */
void slots_start(struct moat_state *state,
                 const struct slots_settings *settings);

struct slots_request {
    size_t bytes;
    /* A power of two. */
    size_t alignment;
    /* FENCE_AFTER or FENCE_BEFORE. */
    enum fence_placement side;
    /* Whether the memory must be zero. */
    bool is_zeroed;
    /* What fresh memory begins with otherwise; 0: whatever there is. */
    unsigned char fill;
    /* Whether a large block shall have room to grow; see large.h. */
    bool is_growing;
    /* MOAT_FAMILY_UNKNOWN goes with each, here and below. */
    enum moat_family family;
    site_id site;
};

/* Returns the block, or NULL: there is no memory, or it was to be refused. */
void *slots_allocate(const struct slots_request *request);

/* Whether BLOCK, any pointer, is a live block; *BYTES is then its size, as
 * asked for. */
bool slots_find(uintptr_t block, size_t *bytes);

/*
 * Free BLOCK, any pointer, as one of FAMILY. Returns whether something is
 * wrong, with *FINDING saying what; when it is damage (damage_ranges above 0)
 * or a mismatch, the block is freed all the same.
 */
bool slots_free(uintptr_t block, enum moat_family family, site_id site,
                struct moat_finding *finding);

/*
 * Move what is in BLOCK, any pointer, to a new block, and free BLOCK: always
 * to a new one, so that a stale pointer is caught. From 128 KiB on the third
 * and later growths hand pages over; see large.h.
 *
 * *IS_WRONG is what slots_free() would have said of a block of the request's
 * family. Returns the new block; NULL when something is wrong that does not
 * let it be freed, or when it is refused, and BLOCK is as it was then.
 */
void *slots_reallocate(uintptr_t block, const struct slots_request *request,
                       bool *is_wrong, struct moat_finding *finding);

/* What was done so far. */
struct slots_counts {
    /* Blocks with a guard page, and those with canaries only. */
    size_t fenced;
    size_t canaries_only;
    /* Pages of freed blocks that could not be moved to a spare slot. */
    size_t not_moved;
    /* Freed slots that wait. */
    size_t waiting;
    /* Bytes of pages under live blocks, now and at most. */
    size_t memory;
    size_t memory_peak;
};

struct slots_counts slots_counts(void);

/* Of these only the blocks; async-signal-safe. */
void slots_count_blocks(size_t *fenced, size_t *canaries_only);

/* Around fork(): no other thread may be in here meanwhile. */
void slots_before_fork(void);
void slots_after_fork_in_parent(void);
void slots_after_fork_in_child(void);

#endif
