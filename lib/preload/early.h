/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks for whoever allocates before Moat has started: the loader, and what
 * the start itself calls in libc. They come from a small array, are not
 * guarded, and are never given back.
 *
 * Thread-safe, async-signal-safe.
 */
#ifndef PRELOAD_EARLY_H
#define PRELOAD_EARLY_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed memory; NULL, and errno is ENOMEM, when the array is used up.
 * ALIGNMENT is a power of two. */
void *early_allocate(size_t bytes, size_t alignment);

bool early_is_block(const void *block);

/* How large BLOCK, one of these, was asked to be. */
size_t early_bytes(const void *block);

#endif
