/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which mappings are Moat's own. What they hold is not the program's: a search
 * for pointers leaves them out.
 *
 * There are some dozens of them, and as many as the program has snapshots. What
 * does not fit into the list counts as the program's, so that at worst a leak
 * is hidden. Thread-safe, async-signal-safe.
 */
#ifndef OS_OWN_MEMORY_H
#define OS_OWN_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OWN_MEMORY_MOST = 240 };

void own_memory_note(uintptr_t start, size_t bytes);

/* START is that of a mapping, noted or not. */
void own_memory_forget(uintptr_t start);

/* The mapping at PLACE, below OWN_MEMORY_MOST; false: there is none. */
bool own_memory_at(size_t place, uintptr_t *start, uintptr_t *end);

#endif
