/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory there is for this process. Thread-safe. */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stddef.h>

/*
 * Bytes that can be had without swapping: the smaller of what the machine has
 * left (MemAvailable) and what the limits of the process's control groups
 * leave (version 2 and 1). SIZE_MAX when neither can be read.
 */
size_t memory_available(void);

/* How many mappings a process may have (vm.max_map_count). */
size_t memory_mappings_limit(void);

#endif
