/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of the leaks that a search has found: lines of text for an
 * arena, reports for the heap.
 */
#ifndef API_LEAKS_H
#define API_LEAKS_H

#include "diagnose/leak_roots.h"

#include <moat/arena.h>

#include <stddef.h>
#include <stdio.h>

/* moat_arena_leaks(), called from RETURN_ADDRESS and seen from CALLER. */
size_t leaks_write(const struct moat_arena *arena, FILE *out,
                   const struct leak_caller *caller,
                   const void *return_address);

/* Report the leaks of the heap, as the process exits: once for each place of
 * allocation. Returns how many reports that were. */
size_t leaks_report(const struct leak_caller *caller);

#endif
