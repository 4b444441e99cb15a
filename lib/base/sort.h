/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting in place: no memory, no recursion, as many steps for any order. What
 * qsort() does not promise.
 */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stdbool.h>
#include <stddef.h>

/* Of a record, at most. */
enum { SORT_RECORD_BYTES = 128 };

/* Whether A comes behind B. */
typedef bool (*sort_comes_behind)(const void *a, const void *b);

/* Order COUNT RECORDS of BYTES each, so that none comes behind the next. */
void sort_records(void *records, size_t count, size_t bytes,
                  sort_comes_behind comes_behind);

#endif
