/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address spaces; see address_space.h. */
#include "os/address_space.h"

#include "os/pages.h"
#include "os/process.h"

#include <errno.h>
#include <sys/mman.h>

static struct address_space never_wiped = { .owner = 1 };
struct address_space *address_space = &never_wiped;

int address_space_start(void)
{
    if (address_space != &never_wiped) {
        return 0;
    }
    uintptr_t page;
    int saved_errno = errno;
    int error = pages_map(pages_size(), "moat address space", &page);
    if (error == 0
        && madvise((void *)page, pages_size(), MADV_WIPEONFORK) != 0) {
        error = errno;
        pages_unmap(page, pages_size());
    }
    errno = saved_errno;
    if (error == 0) {
        address_space = (struct address_space *)page;
        address_space_claim();
    }
    return error;
}

bool address_space_begin_claim(void)
{
    /* A process made by clone() may have threads before it allocates. */
    int self = process_thread_id();
    int owner = 0;
    if (atomic_compare_exchange_strong(&address_space->owner, &owner, -self)) {
        return true;
    }
    while (owner <= 0 && owner != -self) {
        process_yield();
        owner = atomic_load_explicit(&address_space->owner,
                                     memory_order_acquire);
    }
    return false;
}

void address_space_claim(void)
{
    atomic_store_explicit(&address_space->owner, process_id(),
                          memory_order_release);
}

bool address_space_is_borrowed(void)
{
    return address_space != &never_wiped && !address_space_is_new()
           && atomic_load_explicit(&address_space->owner,
                                   memory_order_relaxed)
                  != process_id();
}
