/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals; see refusal.h. */
#include "record/refusal.h"

#include "os/books.h"

int refusals_create(struct refusals *refusals)
{
    uintptr_t kept;
    int error = books_take(REFUSALS_KEPT * sizeof(struct refusal), &kept);
    if (error == 0) {
        refusals->kept = (struct refusal *)kept;
    }
    return error;
}

void refusal_note(struct refusals *refusals, const struct refusal *refusal)
{
    if (refusals->kept == NULL) {
        return;
    }
    size_t place = atomic_fetch_add_explicit(&refusals->started, 1,
                                             memory_order_relaxed);
    refusals->kept[place % REFUSALS_KEPT] = *refusal;
    atomic_store_explicit(&refusals->last, place + 1, memory_order_release);
}

bool refusal_last(const struct refusals *refusals, struct refusal *refusal)
{
    size_t last = atomic_load_explicit(&refusals->last, memory_order_acquire);
    if (last == 0) {
        return false;
    }
    *refusal = refusals->kept[(last - 1) % REFUSALS_KEPT];
    return true;
}
