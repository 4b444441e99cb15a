/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left out; see leak_gaps.h. */
#include "diagnose/leak_gaps.h"

#include "base/sort.h"

void leak_gaps_add(struct leak_gaps *gaps, uintptr_t start, uintptr_t end)
{
    if (start < end && gaps->count < gaps->capacity) {
        gaps->gaps[gaps->count++] = (struct leak_gap){ start, end };
    }
}

static bool comes_behind(const void *a, const void *b)
{
    return ((const struct leak_gap *)a)->start
           > ((const struct leak_gap *)b)->start;
}

void leak_gaps_sort(struct leak_gaps *gaps)
{
    sort_records(gaps->gaps, gaps->count, sizeof *gaps->gaps, comes_behind);
    /* Those that overlap become one, so that their ends are in order too. */
    size_t kept = 0;
    for (size_t i = 0; i < gaps->count; i++) {
        struct leak_gap gap = gaps->gaps[i];
        if (kept > 0 && gap.start <= gaps->gaps[kept - 1].end) {
            if (gap.end > gaps->gaps[kept - 1].end) {
                gaps->gaps[kept - 1].end = gap.end;
            }
        } else {
            gaps->gaps[kept++] = gap;
        }
    }
    gaps->count = kept;
}

/* The first gap that ends behind AT. */
static size_t first_behind(const struct leak_gaps *gaps, uintptr_t at)
{
    size_t low = 0;
    size_t high = gaps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gaps->gaps[middle].end <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool leak_gaps_next(const struct leak_gaps *gaps, uintptr_t *at,
                    uintptr_t end, uintptr_t *start, uintptr_t *stop)
{
    size_t next = first_behind(gaps, *at);
    if (next < gaps->count && gaps->gaps[next].start <= *at) {
        *at = gaps->gaps[next].end;
        next++;
    }
    if (*at >= end) {
        return false;
    }
    *start = *at;
    *stop = next < gaps->count && gaps->gaps[next].start < end
                ? gaps->gaps[next].start
                : end;
    *at = *stop;
    return true;
}
