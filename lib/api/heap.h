/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heap as the functions named malloc, realloc and free need it: fenced
 * blocks of no arena, placed and aligned as the options say, and what is wrong
 * is reported.
 *
 * Thread-safe; not for use in a signal handler. errno is left as it was, but
 * for ENOMEM where NULL is returned. CALLER is the return address of the
 * public function, for the site.
 */
#ifndef API_HEAP_H
#define API_HEAP_H

#include "alloc/fence.h"

#include <stdbool.h>
#include <stddef.h>

/* ALIGNMENT is ARENA_ALIGNMENT_NATURAL or a power of two. */
void heap_start(enum fence_placement placement, size_t alignment);

/*
 * Allocate BYTES, 0 too, at ALIGNMENT, a power of two or 0: as heap_start()
 * says. Memory that need not be zero holds anything.
 */
void *heap_allocate(size_t bytes, size_t alignment, bool is_zeroed,
                    const void *caller);

/*
 * Move BLOCK to a block of BYTES, always to another address; NULL for BLOCK is
 * heap_allocate(). When NULL is returned BLOCK is as it was.
 */
void *heap_reallocate(void *block, size_t bytes, const void *caller);

/* NULL is not for this. */
void heap_free(void *block, const void *caller);

#endif
