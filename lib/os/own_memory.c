/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moat's own mappings; see own_memory.h. */
#include "os/own_memory.h"

#include <stdatomic.h>

struct own_range {
    _Atomic uintptr_t start;
    /* While it is not written yet the range is empty. */
    _Atomic uintptr_t end;
};

/* What each start notes lies among what each start touches; common symbols
 * come last in memory. */
enum { FEW = 8 };
static struct own_range few[FEW];
__attribute__((common)) struct own_range
    own_memory_many[OWN_MEMORY_MOST - FEW];

static struct own_range *range_at(size_t place)
{
    return place < FEW ? &few[place] : &own_memory_many[place - FEW];
}

void own_memory_note(uintptr_t start, size_t bytes)
{
    for (size_t i = 0; i < OWN_MEMORY_MOST; i++) {
        struct own_range *range = range_at(i);
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&range->start, &none, start)) {
            atomic_store(&range->end, start + bytes);
            return;
        }
    }
}

void own_memory_forget(uintptr_t start)
{
    for (size_t i = 0; i < OWN_MEMORY_MOST; i++) {
        struct own_range *range = range_at(i);
        if (atomic_load_explicit(&range->start, memory_order_relaxed)
            == start) {
            atomic_store(&range->end, 0);
            atomic_store(&range->start, 0);
            return;
        }
    }
}

bool own_memory_at(size_t place, uintptr_t *start, uintptr_t *end)
{
    *start = atomic_load(&range_at(place)->start);
    *end = atomic_load(&range_at(place)->end);
    return *start < *end;
}
