/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arenas: allocating, freeing, sweeping, in the packed and the fenced layout.
 *
 * ARENA is always a living arena, which the caller has made sure of. Errors
 * of the program are returned as findings; results are 0 or a positive errno
 * value. errno may change.
 */
#ifndef ALLOC_ARENA_H
#define ALLOC_ARENA_H

#include "alloc/fence.h"
#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct revoke_way;

/*
 * What arena_allocate() takes for an alignment: ARENA_ALIGNMENT_DEFAULT means
 * 16 in the packed layout, and as set in the fenced one, where
 * ARENA_ALIGNMENT_NATURAL is the largest power of two that divides the size.
 */
enum { ARENA_ALIGNMENT_DEFAULT = 0, ARENA_ALIGNMENT_NATURAL = 0 };

struct arena_settings {
    const struct revoke_way *way;
    /* For packed arenas and large blocks; NULL: as revoke_sparse() says. */
    const struct revoke_way *sparse_way;
    /* How many destroyed arenas are remembered. */
    size_t quarantine;
    /* In the fenced layout. */
    enum fence_placement placement;
    size_t alignment;
};

/* Use STATE, as SETTINGS say. Once. */
void arena_start(struct moat_state *state,
                 const struct arena_settings *settings);

/* The way of packed arenas and large blocks; tried when it is first asked for.
 */
const struct revoke_way *arena_sparse_way(void);

struct arena_request {
    const char *name;
    /* Above 0. */
    size_t capacity;
    /* What arena_grow() can make of it; not above CAPACITY: no more. */
    size_t max_capacity;
    /* 0: anywhere. */
    uintptr_t at;
    enum arena_layout layout;
    /* See struct moat_arena. */
    bool is_heap;
    bool is_shared;
    /* NULL: as arena_start() was told for the layout. */
    const struct revoke_way *way;
    site_id site;
};

/*
 * Returns 0, EINVAL, ENOMEM, or EEXIST with a finding about the arena that is
 * in the way.
 */
int arena_create(const struct arena_request *request,
                 struct moat_arena **arena, struct moat_finding *finding);

/*
 * Let ARENA have CAPACITY: addresses that it holds already. Returns 0; EINVAL
 * when that is less than now; ENOMEM when it is beyond max_capacity.
 */
int arena_grow(struct moat_arena *arena, size_t capacity);

/*
 * ALIGNMENT is a power of two of at most 4096; in the packed layout less than
 * 16 is taken as 16. Returns NULL with *ERROR set, or the block.
 */
void *arena_allocate(struct moat_arena *arena, size_t alignment, size_t bytes,
                     site_id site, int *error);

/* The same with the side of a fenced block chosen: not FENCE_ALTERNATE. */
void *arena_allocate_on(struct moat_arena *arena, enum fence_placement side,
                        size_t alignment, size_t bytes, site_id site,
                        int *error);

/*
 * Make the pages of a fenced block inaccessible. The record comes first: an
 * access that races with this finds the block freed. Where nothing can be
 * revoked, which is said once, the block is stamped, so that at least writes
 * to it are found.
 */
void arena_revoke_block(struct moat_arena *arena, struct block_record *record);

/*
 * Free BLOCK. Returns whether something is wrong, with *FINDING saying what;
 * when it is damage (MOAT_SEEN_AT_FREE with damage_ranges above 0), the block
 * is freed all the same.
 *
 * ARENA may be NULL here: the program named none that lives.
 */
bool arena_free(struct moat_arena *arena, uintptr_t block, site_id site,
                struct moat_finding *finding);

/*
 * What is wrong with freeing BLOCK, which is no live block of ARENA; with ARENA
 * NULL, which is no live block outside of arenas.
 */
void arena_describe_bad_free(const struct moat_arena *arena, uintptr_t block,
                             struct moat_finding *finding);

/* A sweep over the canaries of an arena; start with zeroes. */
struct arena_sweep {
    /* The next gap to look at; see arena_damage.h. */
    size_t gap;
    bool has_pending;
    /* The block that the damage found last reached, and where that may have
     * come from; 0: none. */
    unsigned long reached;
    unsigned long reached_from;
};

/* A sweep over what lies behind the first BLOCKS of ARENA. */
struct arena_sweep arena_sweep_behind(const struct moat_arena *arena,
                                      size_t blocks);

/*
 * Find the next damage in ARENA, seen at SEEN. *FINDING must be the one of the
 * call before: what it named is stamped anew first, so that the evidence is
 * still there while it is being reported.
 *
 * Returns false, with *SWEEP started over, when there is no more.
 */
bool arena_next_damage(struct moat_arena *arena, struct arena_sweep *sweep,
                       enum moat_seen seen, struct moat_finding *finding);

/*
 * End ARENA, and the call that is in it: no sweep, no report. Returns 0;
 * EALREADY when another thread did it before; or why its pages could not be
 * made inaccessible. The arena is ended then, but its memory stays.
 */
int arena_end(struct moat_arena *arena, site_id site);

#endif
