/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of address ranges that do not touch: what goes in beside another
 * range makes that one longer. Of fixed room. Pure functions.
 */
#ifndef OS_RANGE_LIST_H
#define OS_RANGE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From START up to END. */
struct range {
    uintptr_t start;
    uintptr_t end;
};

struct range_list {
    struct range *ranges;
    size_t capacity;
    size_t count;
    /* Where something was added last: most often what grows next. */
    size_t last;
};

/* Add a range, of which parts may be in the list. Returns false: no room. */
bool range_list_add(struct range_list *list, uintptr_t start, uintptr_t end);

/*
 * Take out all that lies in the range. Returns false, with nothing taken out,
 * when what is left would not fit.
 */
bool range_list_cut(struct range_list *list, uintptr_t start, uintptr_t end);

#endif
