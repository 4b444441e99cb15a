/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The budget: how much memory fenced blocks may take. A small block takes a
 * page, so a program of many of them grows ten times and more; beyond the
 * budget new small blocks are not fenced (see canary_slots.h). And how many
 * mappings.
 *
 * Thread-safe.
 */
#ifndef ALLOC_BUDGET_H
#define ALLOC_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

/* From here on a block is large. */
#define BUDGET_LARGE ((size_t)128 << 10)

/* Allow MOST bytes; 0: half of what os/memory finds, looked up when a program
 * gets large. */
void budget_start(size_t most);

/* Whether BYTES more stay within the budget; counts them if so. */
bool budget_take(size_t bytes);

/* Counts BYTES more, whatever the budget says. */
void budget_force(size_t bytes);

void budget_give_back(size_t bytes);

/*
 * With mprotect() a live block splits a mapping in three, and a large one does
 * by whatever way. Whether one more leaves the program some of the mappings
 * that a process may have (vm.max_map_count); counts it if so.
 *
 * The last of them are for blocks that cannot do without (IS_LAST_RESORT).
 */
bool budget_take_mappings(bool is_last_resort);

void budget_give_mappings_back(void);

/* What is taken now, and the most that ever was. */
size_t budget_taken(void);
size_t budget_peak(void);

/* What is taken by large blocks now. */
size_t budget_taken_by_large(void);

#endif
