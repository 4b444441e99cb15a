/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of each slot of a window: its block record and its link in the
 * queue. Room for all is reserved, and made accessible in steps, as slots are
 * first used: a program that locks its memory (mlockall) gets every accessible
 * page of it, used or not.
 *
 * For one thread at a time. Results are 0 or a positive errno value.
 */
#ifndef ALLOC_SLOT_BOOKS_H
#define ALLOC_SLOT_BOOKS_H

#include "record/arena_record.h"

#include <stddef.h>
#include <stdint.h>

struct slot_books {
    /* Links for slots from 1 to CAPACITY. */
    uint32_t *next;
    size_t capacity;
    /* How many slots have accessible books. */
    size_t usable;
};

/* Reserve links for CAPACITY slots. */
int slot_books_reserve(struct slot_books *books, size_t capacity);

/* From here on for slots of another window. */
void slot_books_restart(struct slot_books *books);

/* Make the books of the first COUNT slots of WINDOW accessible. */
int slot_books_extend(struct slot_books *books,
                      const struct moat_arena *window, size_t count);

#endif
