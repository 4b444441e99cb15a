/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of all that Moat remembers. A debugger that looks at a process or
 * at its core file starts here; MAGIC and VERSION tell it what it sees.
 */
#ifndef RECORD_STATE_H
#define RECORD_STATE_H

#include "record/actor.h"
#include "record/arena_record.h"
#include "record/refusal.h"
#include "record/region.h"
#include "record/site.h"

#include <stdint.h>

/* Changes with any change of a struct that is reached from here. */
enum { STATE_VERSION = 7 };

struct moat_state {
    char magic[8];
    uint32_t version;
    uint32_t page_bytes;
    uint64_t secret;
    struct region region;
    struct arena_table arenas;
    struct site_table sites;
    struct actor_table actors;
    struct refusals refusals;
    /* What chance decides by in this process; 0: it decides nothing. */
    uint64_t seed;
};

extern struct moat_state moat_state;

/* The arena, in whatever state, that has ADDRESS, any; NULL: none has.
 * Async-signal-safe. */
static inline struct moat_arena *state_arena_at(const struct moat_state *state,
                                                uintptr_t address)
{
    return region_contains(&state->region, address)
               ? arena_record_at(&state->arenas,
                                 region_owner(&state->region, address))
               : NULL;
}

/*
 * Make the state of this process, at most REGION_BYTES of address space.
 *
 * Returns 0, or the errno value for which there will be no arenas.
 */
int state_create(struct moat_state *state, size_t region_bytes);

#endif
