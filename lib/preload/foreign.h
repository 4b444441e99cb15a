/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of libc's own malloc(): from a library that was bound to it past Moat,
 * or from who looked it up there. They are no error of the program's, and are
 * given back to where they came from.
 *
 * Thread-safe; errno is left as it was.
 */
#ifndef PRELOAD_FOREIGN_H
#define PRELOAD_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether BLOCK, any pointer, seems to be one of libc's: in its heap, or with a
 * head as its heads are. */
bool foreign_is_block(const void *block);

/* Free BLOCK, any pointer, if it is one: then true, and it is counted as passed
 * through. */
bool foreign_free(void *block);

/* How many bytes a block that is one has at least. */
size_t foreign_bytes(void *block);

#endif
