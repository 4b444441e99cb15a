/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resetting an arena: all its blocks end, and it goes on empty.
 */
#ifndef ALLOC_ARENA_RESET_H
#define ALLOC_ARENA_RESET_H

#include "record/state.h"

/*
 * Empty ARENA, a living one: no sweep, no report. What it held becomes
 * inaccessible, and is remembered as what a destroyed arena held; ARENA goes
 * on at other addresses.
 *
 * One that the program has placed stays where it is, and so does one for
 * which there is no other place. What it held is then remembered only until
 * other blocks come there.
 */
void arena_reset(struct moat_state *state, struct moat_arena *arena,
                 site_id site);

#endif
