/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * userfaultfd: ranges in which a page that is not there faults instead of
 * being filled. With UFFD_FEATURE_SIGBUS (4.14) the fault is a SIGBUS with the
 * exact address; UFFD_USER_MODE_ONLY (5.11) needs no privilege. A missing page
 * is the guard, so arming is putting one there and revoking is dropping it.
 *
 * What the kernel keeps belongs to a file descriptor and to one address space.
 * So each call first looks whether the address space is new (a child of
 * fork()), and each call that fails whether the descriptor is lost (closed by
 * the program); then all ranges are registered anew, or, where that is
 * refused, another way stands in: see userfault_stand_in.h.
 *
 * Results are 0 or a positive errno value; errno is left as it was. Addresses
 * and sizes are whole pages of ranges that were registered. Thread-safe, and
 * async-signal-safe but for userfault_start().
 */
#ifndef OS_USERFAULT_H
#define OS_USERFAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open the descriptor, once. Returns why the kernel or the container does not
 * have it. */
int userfault_start(void);

/* Whether the kernel can move pages (6.8); after userfault_start(). */
bool userfault_can_move(void);

/* Try whether a missing page is out of reach; after userfault_start(). */
int userfault_try(void);

/* From reserved (PROT_NONE) to readable and writable, each page missing. */
int userfault_register(uintptr_t start, size_t bytes);

/* The range is about to be mapped anew. Results other than 0 mean it must not
 * be. */
int userfault_forget(uintptr_t start, size_t bytes);

/* Put pages of zeroes where none are. */
int userfault_fill(uintptr_t start, size_t bytes);

/* Drop the pages. */
int userfault_drop(uintptr_t start, size_t bytes);

/*
 * Move the pages of FROM, with what is in them, to TO, where none are. When it
 * fails, TO has none, and FROM may have lost some. EBUSY: a page is shared
 * with another process.
 */
int userfault_move(uintptr_t from, uintptr_t to, size_t bytes);

/*
 * Put a page of zeroes where an armed one is missing: the program has dropped
 * it, with madvise(). EEXIST: it is there. Takes no lock.
 */
int userfault_mend(uintptr_t page);

/* The same for each page of a range; those that are there stay. */
int userfault_refill(uintptr_t start, size_t bytes);

/* In the child of a fork: do now what the next call would do. */
int userfault_adopt(void);

/*
 * The calls are about to be taken away, by a filter that may end the process
 * for them: a stand-in takes over now.
 */
void userfault_give_up(void);

/* What became of the descriptor; for stats. */
struct userfault_counts {
    /* The program closed it, or put another file there. */
    unsigned lost;
    /* Ranges were registered again in a new address space. */
    unsigned adopted;
    /* They could not be, and another way stands in. */
    unsigned replaced;
};

struct userfault_counts userfault_counts(void);

/*
 * At the end: whether the descriptor is still there. A loss that no call has
 * met counts, and is made good, now. Not for use in a signal handler.
 */
void userfault_look(void);

/* The number of the descriptor; -1: there is none. */
int userfault_descriptor(void);

/* Let the descriptor have another number. */
void userfault_renumber(void);

#endif
