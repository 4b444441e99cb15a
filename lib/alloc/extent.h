/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extents: which addresses of the region an arena gets, and for how long a
 * destroyed arena keeps them.
 *
 * A new extent is a power of two of granules. It comes from the frontier,
 * which only moves up; a destroyed arena keeps its addresses and its record.
 * Only when more than a bounded number of arenas are destroyed, or the
 * frontier has reached the end of the region, is the oldest of them forgotten
 * and its extent used again.
 *
 * Thread-safe, but only one thread at a time may use one arena.
 */
#ifndef ALLOC_EXTENT_H
#define ALLOC_EXTENT_H

#include "record/state.h"

#include <stddef.h>
#include <stdint.h>

/* Use STATE, and remember at most QUARANTINE destroyed arenas. */
void extent_start(struct moat_state *state, size_t quarantine);

/*
 * Take a record and BYTES of address space with it: whole pages, both guard
 * pages included. Its members extent_start, extent_bytes and prepared_bytes
 * are set, and its state is ARENA_UNUSED.
 *
 * RECORD_BYTES of room for block records are accessible; SIZE_MAX: as many as
 * there can be. Returns 0 or ENOMEM.
 */
int extent_take(size_t bytes, size_t record_bytes, struct moat_arena **arena);

/*
 * The same for the addresses from START, a page boundary. Destroyed arenas
 * there are forgotten.
 *
 * Returns 0; EINVAL when the range is not inside the region; EEXIST when a
 * living arena holds some of it, *ARENA being that one; ENOMEM.
 */
int extent_take_at(uintptr_t start, size_t bytes, struct moat_arena **arena);

/* Make ARENA a living one. All its members must be set. */
void extent_publish(struct moat_arena *arena);

/*
 * Make ARENA a destroyed one. Its pages are inaccessible already. Returns
 * false, and does nothing, when another thread did it before.
 */
bool extent_retire(struct moat_arena *arena);

/*
 * Empty ARENA, a living one: no block, all counts zero. Its pages are as
 * before, and so is armed_bytes; stale_blocks is the number of its records.
 */
void extent_empty(struct moat_arena *arena);

/* Leave ARENA, a living one, the first COUNT of its blocks. Its pages and
 * counts are as before; stale_blocks is the number of its records. */
void extent_shorten(struct moat_arena *arena, size_t count);

/*
 * Empty ARENA and give it the extent of FORMER, a record that was just taken,
 * of the same size and not placed. FORMER becomes what ARENA was, ARENA_RESET,
 * with its extent and pages. Those are then to be made inaccessible, and FORMER
 * to be put in quarantine.
 */
void extent_exchange(struct moat_arena *arena, struct moat_arena *former);

/* Put an arena at the end of the list of destroyed ones, to be used again
 * after all others. */
void extent_quarantine(struct moat_arena *arena);

/*
 * Call VISIT for each living arena, in the order of their records. None is
 * created or destroyed meanwhile, so VISIT must not do that either.
 */
void extent_each_living(void (*visit)(struct moat_arena *arena, void *context),
                        void *context);

/* Around fork(): no other thread may be in here meanwhile. */
void extent_before_fork(void);
void extent_after_fork_in_parent(void);
void extent_after_fork_in_child(void);

#endif
