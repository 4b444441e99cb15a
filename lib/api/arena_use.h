/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call on an arena, from where it comes in to where it goes: one at a time,
 * and in an arena that is not shared a second one is reported.
 */
#ifndef API_ARENA_USE_H
#define API_ARENA_USE_H

#include "alloc/arena_user.h"

#include <moat/finding.h>

enum arena_use {
    /* ARENA is no living arena, or no longer: the call must not go on. */
    ARENA_USE_NONE = 0,
    ARENA_USE_OUTER,
    /* The thread is in a call on it already, as the visitor of a walk is; or
     * a reader came to another one. */
    ARENA_USE_INNER
};

/* A call at SITE, with the return address CALLER, that does ACCESS;
 * MOAT_ACCESS_READ changes nothing. ARENA may be any pointer. */
enum arena_use arena_use_begin(struct moat_arena *arena,
                               enum moat_access access, site_id site,
                               const void *caller);

void arena_use_end(struct moat_arena *arena, enum arena_use use);

/* The end of the arena itself, and of its use: as arena_end(). */
void arena_use_end_for_good(struct moat_arena *arena, site_id site);

/* A fault that was expected has ended whatever calls the thread was in. */
void arena_use_abandon(void);

#endif
