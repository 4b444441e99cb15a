/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filling a finding from the records. Both sides need it: the allocator for
 * the errors it finds itself, the diagnosis for faults.
 *
 * Pure but for reading the records: no locks, async-signal-safe, and safe
 * while another thread changes them (the answer may then be a moment old).
 */
#ifndef RECORD_DESCRIBE_H
#define RECORD_DESCRIBE_H

#include "record/state.h"

#include <moat/finding.h>

/* Start *FINDING: KIND, ACCESS and SEEN at ADDRESS, the rest zero. */
void describe_start(struct moat_finding *finding, enum moat_kind kind,
                    enum moat_access access, enum moat_seen seen,
                    uintptr_t address);

/* Who the calling thread and process are, and by what chance decides. */
void describe_self(struct moat_state *state, struct moat_finding *finding);

/* The thread ACTOR, which is in a call at SITE on the same arena. */
void describe_other(const struct moat_state *state, actor_id actor,
                    site_id site, struct moat_finding *finding);

/* The allocation that was refused last, if there was one. */
void describe_refusal(const struct moat_state *state,
                      struct moat_finding *finding);

/*
 * The arena, and the distance from it to the finding's address. Nothing for
 * one that holds blocks of no arena.
 */
void describe_arena(const struct moat_state *state,
                    const struct moat_arena *arena,
                    struct moat_finding *finding);

/* Block INDEX of ARENA, its arena, and the distance from the block. */
void describe_block(const struct moat_state *state,
                    const struct moat_arena *arena, size_t index,
                    struct moat_finding *finding);

/*
 * The block of ARENA that is nearest to the finding's address; just the arena
 * when it has none. Returns whether there is a block.
 */
bool describe_nearest(const struct moat_state *state,
                      const struct moat_arena *arena,
                      struct moat_finding *finding);

/*
 * What ARENA, a living one that was reset where it is or rewound, held before
 * at the finding's address: the block, if that is still known, and who reset
 * it.
 */
void describe_before_reset(const struct moat_state *state,
                           const struct moat_arena *arena,
                           struct moat_finding *finding);

/* The same when such a block is known there. Returns whether it is. */
bool describe_taken_back(const struct moat_state *state,
                         const struct moat_arena *arena,
                         struct moat_finding *finding);

/*
 * For a living ARENA that was reset where it is, or rewound, after
 * describe_nearest(): when the finding's address, where there was a fault, is
 * what it held before, describe that instead. Returns whether it is.
 */
bool describe_stale(const struct moat_state *state,
                    const struct moat_arena *arena,
                    struct moat_finding *finding);

/* A block of the heap with NUMBER, whose record was COPY, at the finding's
 * address; the record itself may be another one's by now. */
void describe_copy(const struct moat_state *state,
                   const struct block_record *copy, size_t number,
                   struct moat_finding *finding);

/* The frames of SITE, as return addresses. */
void describe_site(const struct moat_state *state, site_id site,
                   struct moat_stack *stack);

/*
 * Where ADDRESS lies, seen from BYTES at START; the distance in *BYTES_AWAY.
 */
enum moat_where describe_where(uintptr_t address, uintptr_t start, size_t bytes,
                               size_t *bytes_away);

#endif
