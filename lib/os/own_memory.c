/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moat's own mappings; see own_memory.h. */
#include "os/own_memory.h"

#include <stdatomic.h>

/* A range whose end is not written yet is empty. */
static struct {
    _Atomic uintptr_t start;
    _Atomic uintptr_t end;
} ranges[OWN_MEMORY_MOST];

void own_memory_note(uintptr_t start, size_t bytes)
{
    for (size_t i = 0; i < OWN_MEMORY_MOST; i++) {
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&ranges[i].start, &none, start)) {
            atomic_store(&ranges[i].end, start + bytes);
            return;
        }
    }
}

void own_memory_forget(uintptr_t start)
{
    for (size_t i = 0; i < OWN_MEMORY_MOST; i++) {
        if (atomic_load_explicit(&ranges[i].start, memory_order_relaxed)
            == start) {
            atomic_store(&ranges[i].end, 0);
            atomic_store(&ranges[i].start, 0);
            return;
        }
    }
}

bool own_memory_at(size_t place, uintptr_t *start, uintptr_t *end)
{
    *start = atomic_load(&ranges[place].start);
    *end = atomic_load(&ranges[place].end);
    return *start < *end;
}
