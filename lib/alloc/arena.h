/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arenas in the packed layout: allocating, freeing, sweeping.
 *
 * ARENA is always a living arena, which the caller has made sure of. Errors
 * of the program are returned as findings; results are 0 or a positive errno
 * value. errno may change.
 */
#ifndef ALLOC_ARENA_H
#define ALLOC_ARENA_H

#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct revoke_way;

/* Use STATE and WAY, and remember QUARANTINE destroyed arenas. Once. */
void arena_start(struct moat_state *state, const struct revoke_way *way,
                 size_t quarantine);

struct arena_request {
    const char *name;
    /* Above 0. */
    size_t capacity;
    /* 0: anywhere. */
    uintptr_t at;
    site_id site;
};

/*
 * Returns 0, EINVAL, ENOMEM, or EEXIST with a finding about the arena that is
 * in the way.
 */
int arena_create(const struct arena_request *request,
                 struct moat_arena **arena, struct moat_finding *finding);

/* Returns NULL with *ERROR set, or the block. */
void *arena_allocate(struct moat_arena *arena, size_t alignment, size_t bytes,
                     site_id site, int *error);

/*
 * Free BLOCK. Returns whether something is wrong, with *FINDING saying what;
 * when it is damage (MOAT_SEEN_AT_FREE with damage_ranges above 0), the block
 * is freed all the same.
 *
 * ARENA may be NULL here: the program named none that lives.
 */
bool arena_free(struct moat_arena *arena, uintptr_t block, site_id site,
                struct moat_finding *finding);

/* A sweep over the canaries of an arena; start with zeroes. */
struct arena_sweep {
    /* The next gap to look at; gap N is in front of block index N. */
    size_t gap;
    bool has_pending;
};

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
 * End ARENA: no sweep, no report. Returns 0; EALREADY when another thread did
 * it before; or why its pages could not be made inaccessible. The arena is
 * ended then, but its memory stays.
 */
int arena_end(struct moat_arena *arena, site_id site);

#endif
