/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorting; see sort.h. */
#include "base/sort.h"

#include <string.h>

struct heap {
    char *records;
    size_t bytes;
    sort_comes_behind comes_behind;
};

static char *record_at(const struct heap *heap, size_t place)
{
    return heap->records + place * heap->bytes;
}

static void exchange(const struct heap *heap, size_t a, size_t b)
{
    char kept[SORT_RECORD_BYTES];
    memcpy(kept, record_at(heap, a), heap->bytes);
    memcpy(record_at(heap, a), record_at(heap, b), heap->bytes);
    memcpy(record_at(heap, b), kept, heap->bytes);
}

/* Let the record at PLACE sink: none of COUNT comes behind its parent. */
static void sink(const struct heap *heap, size_t place, size_t count)
{
    for (;;) {
        size_t last = place;
        for (size_t child = 2 * place + 1; child <= 2 * place + 2; child++) {
            if (child < count
                && heap->comes_behind(record_at(heap, child),
                                      record_at(heap, last))) {
                last = child;
            }
        }
        if (last == place) {
            return;
        }
        exchange(heap, place, last);
        place = last;
    }
}

void sort_records(void *records, size_t count, size_t bytes,
                  sort_comes_behind comes_behind)
{
    struct heap heap = { .records = records,
                         .bytes = bytes,
                         .comes_behind = comes_behind };
    for (size_t place = count / 2; place > 0; place--) {
        sink(&heap, place - 1, count);
    }
    for (size_t left = count; left > 1; left--) {
        exchange(&heap, 0, left - 1);
        sink(&heap, 0, left - 1);
    }
}
