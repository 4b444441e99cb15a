/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root; see state.h. */
#include "record/state.h"

#include "os/pages.h"
#include "os/process.h"

#include <string.h>

struct moat_state moat_state;

int state_create(struct moat_state *state, size_t region_bytes)
{
    state->version = STATE_VERSION;
    state->page_bytes = (uint32_t)pages_size();
    state->secret = process_secret();
    int error = region_reserve(&state->region, region_bytes);
    if (error == 0) {
        error = arena_table_create(&state->arenas);
    }
    if (error == 0) {
        error = site_table_create(&state->sites);
    }
    if (error == 0) {
        error = actor_table_create(&state->actors);
    }
    if (error == 0) {
        error = refusals_create(&state->refusals);
    }
    if (error != 0) {
        state->region.bytes = 0;
    }
    /* Last, and so only when the rest is there. */
    memcpy(state->magic, "MOATROOT", sizeof state->magic);
    return error;
}
