/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranges of addresses that a search for pointers leaves out: Moat's own memory,
 * and what lies unused below stack pointers. Pure.
 */
#ifndef DIAGNOSE_LEAK_GAPS_H
#define DIAGNOSE_LEAK_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leak_gap {
    uintptr_t start;
    uintptr_t end;
};

struct leak_gaps {
    struct leak_gap *gaps;
    size_t capacity;
    size_t count;
};

/* Add the range from START to END, which may be empty. What finds no room is
 * not left out. */
void leak_gaps_add(struct leak_gaps *gaps, uintptr_t start, uintptr_t end);

/* To be called after the last leak_gaps_add(). */
void leak_gaps_sort(struct leak_gaps *gaps);

/*
 * The next range from *AT to END that is in no gap: *START and *STOP; *AT is
 * behind it then. Returns false when there is none.
 */
bool leak_gaps_next(const struct leak_gaps *gaps, uintptr_t *at,
                    uintptr_t end, uintptr_t *start, uintptr_t *stop);

#endif
