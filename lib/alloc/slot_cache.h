/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each thread keeps of slots, so that most allocations take no lock:
 *
 *   ready   taken from the class, revoked, next to be armed
 *   spare   armed already, by the page of a block that was freed; with them an
 *           allocation makes no system call
 *   freed   revoked, on the way to the quarantine of the class
 *
 * The cache of a thread that has ended goes back to the classes and to the
 * next thread. Not for use in a signal handler.
 */
#ifndef ALLOC_SLOT_CACHE_H
#define ALLOC_SLOT_CACHE_H

#include "alloc/slot_class.h"

#include <stdbool.h>
#include <stddef.h>

/* Keep at most SPARE_PAGES armed for each class, and at most FREED slots. */
void slot_cache_start(size_t spare_pages, size_t freed);

/* A slot that is armed (*IS_ARMED) or that is to be; 0: there is none. */
slot_number slot_cache_take(struct slot_class *class, bool wants_armed,
                            struct moat_arena **window, bool *is_armed);

/* A slot that was taken and not armed, back to be taken first. */
void slot_cache_return(struct slot_class *class, struct moat_arena *window,
                       slot_number slot);

/*
 * A slot of WINDOW to which the page of a freed block may go; 0: there is none,
 * or there are spares enough.
 */
slot_number slot_cache_take_for_spare(struct slot_class *class,
                                      const struct moat_arena *window);

/* An armed slot. */
void slot_cache_keep_spare(struct slot_class *class, slot_number slot);

/* A revoked slot, for the quarantine. */
void slot_cache_give(struct slot_class *class, struct moat_arena *window,
                     slot_number slot);

/* All that the calling thread keeps goes to the quarantine. */
void slot_cache_flush(void);

/* In the child of a fork: the caches of threads that it does not have. */
void slot_cache_after_fork_in_child(void);

#endif
