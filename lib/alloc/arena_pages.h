/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of an arena: preparing, arming and revoking them by the arena's
 * way, and by a weaker one where that is refused.
 *
 * Results are 0 or a positive errno value.
 */
#ifndef ALLOC_ARENA_PAGES_H
#define ALLOC_ARENA_PAGES_H

#include "record/arena_record.h"

#include <stddef.h>

/* Have ARENA go by WAY. What another has prepared starts from scratch. */
void arena_pages_take_way(struct moat_arena *arena,
                          const struct revoke_way *way);

/*
 * Make the pages of the first END bytes ready to be armed. arena_pages_arm()
 * does this itself; where threads share an arena, it must be done before, by
 * one at a time.
 */
void arena_pages_prepare(struct moat_arena *arena, size_t end);

/* Make the pages from START to END accessible, offsets from the base. */
int arena_pages_arm(struct moat_arena *arena, size_t start, size_t end);

/* Make them inaccessible and drop their memory. */
int arena_pages_revoke(struct moat_arena *arena, size_t start, size_t end);

/*
 * The same for all that are accessible, at the end of ARENA; whether its
 * extent can be used again is noted.
 */
int arena_pages_close(struct moat_arena *arena);

#endif
