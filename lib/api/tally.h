/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This process's part of the tally of a `moat run`. errno is left as it was.
 */
#ifndef API_TALLY_H
#define API_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/* Join the tally that the environment names, if there is one. */
void tally_start(void);

/* The count of reports to add to; NULL: there is no tally. */
_Atomic uint64_t *tally_reports(void);

/* The seed of all processes that share the tally: SEED if this is the first
 * one that has one, or if there is no tally. */
uint64_t tally_share_seed(uint64_t seed);

/*
 * Add what was done since the last time; when the process ends, or may end.
 * Thread-safe; async-signal-safe.
 */
void tally_add(void);

/* In the child of a fork: what its parent did is not its own. */
void tally_after_fork_in_child(void);

/* This process's program has a malloc() of its own. */
void tally_note_own_malloc(void);

/* BY more programs that run without Moat, or -1 if one could not be run.
 * Async-signal-safe. */
void tally_set_aside(int by);

#endif
