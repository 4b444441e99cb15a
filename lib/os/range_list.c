/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Range lists; see range_list.h. */
#include "os/range_list.h"

static void take_out(struct range_list *list, size_t index)
{
    list->ranges[index] = list->ranges[--list->count];
    list->last = 0;
}

/* The range that ends (or starts) at ADDRESS; COUNT: none. */
static size_t ending_at(const struct range_list *list, uintptr_t address)
{
    if (list->last < list->count && list->ranges[list->last].end == address) {
        return list->last;
    }
    size_t index = 0;
    while (index < list->count && list->ranges[index].end != address) {
        index++;
    }
    return index;
}

static size_t starting_at(const struct range_list *list, uintptr_t address)
{
    size_t index = 0;
    while (index < list->count && list->ranges[index].start != address) {
        index++;
    }
    return index;
}

static bool is_within(const struct range *range, uintptr_t start,
                      uintptr_t end)
{
    return range->start <= start && end <= range->end;
}

bool range_list_cut(struct range_list *list, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < list->count; i++) {
        struct range *range = &list->ranges[i];
        if (range->start < start && end < range->end) {
            if (list->count == list->capacity) {
                return false;
            }
            list->ranges[list->count++] = (struct range){ end, range->end };
            range->end = start;
            return true;
        }
    }
    for (size_t i = list->count; i-- > 0;) {
        struct range *range = &list->ranges[i];
        if (range->end <= start || end <= range->start) {
            continue;
        }
        if (range->start < start) {
            range->end = start;
        } else if (end < range->end) {
            range->start = end;
        } else {
            take_out(list, i);
        }
    }
    return true;
}

bool range_list_add(struct range_list *list, uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < list->count; i++) {
        /* Cutting it out first would need room for two. */
        if (is_within(&list->ranges[i], start, end)) {
            return true;
        }
    }
    /* What is within no range splits none: this finds the room it needs. */
    range_list_cut(list, start, end);
    size_t before = ending_at(list, start);
    size_t behind = starting_at(list, end);
    if (before < list->count) {
        list->ranges[before].end = end;
        list->last = before;
        if (behind < list->count) {
            list->ranges[before].end = list->ranges[behind].end;
            take_out(list, behind);
        }
        return true;
    }
    if (behind < list->count) {
        list->ranges[behind].start = start;
        list->last = behind;
        return true;
    }
    if (list->count == list->capacity) {
        return false;
    }
    list->last = list->count;
    list->ranges[list->count++] = (struct range){ start, end };
    return true;
}
