/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for leaks: live blocks to which no pointer remains. It is
 * conservative: whatever looks like the address of a block, of a byte inside
 * it, or of the one behind its end, refers to it. All other threads are stopped
 * meanwhile (os/others.h).
 *
 *   roots (leak_roots.h) -> blocks they refer to -> blocks those refer to ...
 *
 * What is not reached so is leaked, by itself or with others: because only
 * leaked blocks refer to it, as in a ring. Memory for the search comes from the
 * kernel, and it writes to two bits of each live block's record.
 *
 * Searches come one after the other, and none while a report is written. Not
 * for use in a signal handler. errno is left as it was.
 */
#ifndef DIAGNOSE_LEAK_H
#define DIAGNOSE_LEAK_H

#include "diagnose/leak_roots.h"
#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>

/* A leaked block, as it was then. */
struct leak_block {
    struct block_record record;
    size_t number;
};

struct leak_result {
    size_t leaked_blocks;
    size_t leaked_bytes;
    size_t reachable_blocks;
    size_t reachable_bytes;
    /* Threads that could not be stopped: what only their registers refer to
     * counts as leaked. */
    size_t threads_left_out;
    /* Those that are leaked, in the order of addresses in each arena. */
    struct leak_block *blocks;
    size_t mapped_bytes;
};

/*
 * Search for leaks among the blocks of ARENA, a living one, or with NULL of
 * the heap, seen from CALLER. To be ended by leak_forget().
 *
 * Returns 0; ENOMEM; EPERM after leak_forbid(); or the errno value for which
 * /proc cannot be read. *RESULT is empty then.
 */
int leak_search(const struct moat_state *state, const struct moat_arena *arena,
                const struct leak_caller *caller, struct leak_result *result);

void leak_forget(struct leak_result *result);

/* Order the blocks of RESULT by where they were allocated. */
void leak_sort_by_site(struct leak_result *result);

/* From now on there is no search: the program is about to give up the right to
 * system calls, and might be ended for one. Async-signal-safe. */
void leak_forbid(void);

#endif
