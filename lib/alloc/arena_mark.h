/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: places in an arena, and taking back all that came behind one.
 *
 * ARENA is always a living arena, which the caller has made sure of; a mark
 * may be anything.
 */
#ifndef ALLOC_ARENA_MARK_H
#define ALLOC_ARENA_MARK_H

#include "record/state.h"

#include <moat/arena.h>

#include <stdbool.h>
#include <stdint.h>

/* A number that no other arena has or had, nor this one before a reset. */
uint64_t arena_mark_new_era(void);

struct moat_mark arena_mark(const struct moat_arena *arena);

/*
 * Whether MARK is one of ARENA, and all that was before it still is: no reset
 * and no rewind took it back. Of rewinds the last few are remembered that
 * matter; a mark that is older than all of these passes.
 */
bool arena_mark_is_good(const struct moat_arena *arena,
                        const struct moat_mark *mark);

/*
 * Take back all blocks behind MARK, a good one: no sweep, no report. Their
 * whole pages become inaccessible; in the packed layout, what shares a page
 * with older blocks is stamped instead. New blocks come behind, as long as the
 * arena has room beyond what its capacity may need; then where the old ones
 * were.
 */
void arena_rewind(struct moat_state *state, struct moat_arena *arena,
                  const struct moat_mark *mark, site_id site);

#endif
