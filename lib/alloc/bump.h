/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plain bump allocator does. An arena's capacity is counted by these
 * rules in every layout, so that the same calls fill it in all of them.
 *
 * Pure.
 */
#ifndef ALLOC_BUMP_H
#define ALLOC_BUMP_H

#include "base/size.h"

#include <stdbool.h>
#include <stddef.h>

/* What sizes are rounded to: the alignment of max_align_t. */
enum { BUMP_UNIT = 16 };

/*
 * Place BYTES at ALIGNMENT, a power of two of at least BUMP_UNIT, at or behind
 * CURSOR: store where in *OFFSET, and the next cursor. Returns false when that
 * exceeds CAPACITY.
 */
static inline bool bump_place(size_t capacity, size_t cursor, size_t alignment,
                              size_t bytes, size_t *offset, size_t *next)
{
    size_t rounded;
    *offset = size_round_up(cursor, alignment);
    return size_round_up_checked(bytes == 0 ? 1 : bytes, BUMP_UNIT, &rounded)
           && size_add(*offset, rounded, next) && *next <= capacity;
}

#endif
