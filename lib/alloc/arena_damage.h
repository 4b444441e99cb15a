/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damage: which canary bytes of an arena were written over, and by whom.
 *
 * Canaries come in gaps. In a packed arena, gap N is all canary between block
 * index N - 1 and block index N; gap 0 lies in front of the first block, the
 * last gap behind the last block. In the other layouts each block has two gaps
 * of its own: 2 N in front of block index N, and 2 N + 1 behind it.
 *
 * Where a packed arena was rewound, a gap may have a hole; see record/hole.h.
 * In front of it lies what is left of blocks that were taken back.
 *
 * A freed block that could not be made inaccessible is canary as well, and is
 * looked at together with the gap before it.
 */
#ifndef ALLOC_ARENA_DAMAGE_H
#define ALLOC_ARENA_DAMAGE_H

#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>

/* How many gaps ARENA has. */
size_t arena_damage_gaps(const struct moat_arena *arena);

/* The first gap behind the first BLOCKS of ARENA. */
size_t arena_damage_first_gap(const struct moat_arena *arena, size_t blocks);

/* Describe the first damage in GAP and the freed block behind it. Returns
 * whether there is any. */
bool arena_damage_at(struct moat_state *state, const struct moat_arena *arena,
                     size_t gap, enum moat_seen seen,
                     struct moat_finding *finding);

/* Whether FINDING is of damage that starts right behind a block: it may go on
 * from what reached that block. */
bool arena_damage_goes_on(const struct moat_finding *finding);

/*
 * Describe the damage on either side of block INDEX, seen at free; what is
 * described is stamped anew.
 */
bool arena_damage_around(struct moat_state *state,
                         const struct moat_arena *arena, size_t index,
                         struct moat_finding *finding);

/* Stamp anew the bytes that FINDING names as damage. */
void arena_damage_repair(const struct moat_state *state,
                         const struct moat_finding *finding);

#endif
