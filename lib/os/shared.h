/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A piece of memory that several processes have, by way of a file. */
#ifndef OS_SHARED_H
#define OS_SHARED_H

#include <stddef.h>

/*
 * Map the first BYTES of the file PATH, shared, and store where in *MAPPED.
 * Returns 0 or a positive errno value: ENODATA, it is shorter than that. errno
 * is left as it was.
 */
int shared_map(const char *path, size_t bytes, void **mapped);

#endif
