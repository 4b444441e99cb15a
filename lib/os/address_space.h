/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this is still the address space in which Moat started.
 *
 * fork() and clone() without CLONE_VM make a new one, which has the memory but
 * not what the kernel keeps per address space (userfaultfd). Handlers of
 * pthread_atfork() miss _Fork() and clone(); a page that the kernel wipes in
 * the child (MADV_WIPEONFORK, 4.14) does not. vfork() shares the address
 * space: another process, the same page.
 *
 * Async-signal-safe.
 */
#ifndef OS_ADDRESS_SPACE_H
#define OS_ADDRESS_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct address_space {
    /* The process that claimed it; 0 in an address space that is new, and below
     * that while it is being claimed: the claiming thread. */
    _Atomic int owner;
};

/* The wiped page; before address_space_start() one that never is. */
extern struct address_space *address_space;

/* Make the page. Returns 0, or why new address spaces go unnoticed. */
int address_space_start(void);

static inline bool address_space_is_new(void)
{
    return atomic_load_explicit(&address_space->owner, memory_order_acquire)
           <= 0;
}

/*
 * Begin with what a new address space needs. Returns true to one of those that
 * ask, who ends with address_space_claim(); to all others false, when that has
 * been done. In a signal handler that interrupts the one, false at once.
 */
bool address_space_begin_claim(void);

/* From here on the address space is known. */
void address_space_claim(void);

/* Whether another process borrows it: a child of vfork(). Never before
 * address_space_start(). */
bool address_space_is_borrowed(void);

#endif
