/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resizing a block of an arena, which always moves it: its old address is
 * freed, so that a stale pointer to it is found.
 */
#ifndef ALLOC_ARENA_REALLOC_H
#define ALLOC_ARENA_REALLOC_H

#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Move BLOCK to one of BYTES: *MOVED, or NULL with *ERROR set and BLOCK
 * untouched. ARENA may be NULL: the program named none that lives.
 *
 * Returns whether something is wrong, as arena_free() does: what is no live
 * block of ARENA (*MOVED is NULL then, *ERROR is EINVAL), or damage around
 * BLOCK, which is moved all the same.
 */
bool arena_reallocate(struct moat_arena *arena, uintptr_t block, size_t bytes,
                      site_id site, void **moved, int *error,
                      struct moat_finding *finding);

#endif
