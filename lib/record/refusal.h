/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refusals: the allocations that came to nothing last, so that a report on a
 * use of NULL can say where it may have come from.
 */
#ifndef RECORD_REFUSAL_H
#define RECORD_REFUSAL_H

#include "record/actor.h"
#include "record/arena_record.h"
#include "record/site.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct refusal {
    /* That the block would have had. */
    size_t number;
    size_t bytes;
    /* Of the arena that was asked; "": the heap. A copy: it may be destroyed
     * when the report comes. */
    char arena[ARENA_NAME_BYTES];
    site_id site;
    actor_id actor;
};

/* More than there are threads that are in the middle of noting one. */
enum { REFUSALS_KEPT = 64 };

/* All zero: there were none, and none are kept. */
struct refusals {
    /* REFUSALS_KEPT of them, in memory that most programs never touch. */
    struct refusal *kept;
    /* How many places were taken, and the last that is written, plus 1. */
    _Atomic size_t started;
    _Atomic size_t last;
};

/* Make room to keep them. Returns 0 or a positive errno value. */
int refusals_create(struct refusals *refusals);

/* Thread-safe; async-signal-safe. */
void refusal_note(struct refusals *refusals, const struct refusal *refusal);

/* The last one in *REFUSAL; false: there was none. Takes no lock: what 64
 * threads wrote meanwhile may be mixed. */
bool refusal_last(const struct refusals *refusals, struct refusal *refusal);

#endif
