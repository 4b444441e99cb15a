/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of live blocks that the program itself has altered: protected, locked,
 * dropped, given advice on, or mapped anew, by the calls that are for pages.
 * What was done is noted as traits of the block (enum block_trait), and undone
 * when the block is freed.
 *
 * Ranges are whole pages of the region. Thread-safe and async-signal-safe, as
 * the calls are that lead here: a program may protect pages in its handler.
 */
#ifndef ALLOC_ALTERED_H
#define ALLOC_ALTERED_H

#include "record/state.h"

#include <stdbool.h>
#include <stdint.h>

void altered_start(struct moat_state *state);

/* Note TRAITS for each live block of the heap with bytes on the pages. */
void altered_note(uintptr_t start, uintptr_t end, unsigned traits);

struct altered_pages {
    uintptr_t start;
    uintptr_t end;
};

/*
 * The next *PAGES from *AT to END that are the program's: of live blocks, or an
 * arena's accessible ones; *AT is then where to go on. Of blocks that share
 * pages, IS_WHOLE leaves these out; there may then be none in *PAGES. Returns
 * false when there are no more.
 */
bool altered_next(uintptr_t *at, uintptr_t end, bool is_whole,
                  struct altered_pages *pages);

/* Whether live blocks of the heap have all of these pages to themselves. */
bool altered_is_owned(uintptr_t start, uintptr_t end);

/*
 * The program has dropped these pages: a system call that is to write to them
 * finds zeroes there, and the canaries among what was dropped are stamped
 * again, or noted to be gone.
 */
void altered_refill(uintptr_t start, uintptr_t end);

/* Make the canaries of a live BLOCK readable and writable, if they are not.
 * Returns false when they cannot be looked at. */
bool altered_open(const struct block_record *block);

/*
 * Undo what was done to the pages of BLOCK. Returns false when that cannot be
 * undone and they must be mapped anew.
 */
bool altered_undo(const struct block_record *block);

#endif
