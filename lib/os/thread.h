/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calling thread's stack: where it ends, and an alternate one for the
 * moment when it is used up.
 */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <stdint.h>

struct thread_stack {
    /* The lowest byte and the one behind the highest; 0, 0: not known. */
    uintptr_t low;
    uintptr_t high;
};

/*
 * Remember the bounds of the calling thread's stack and give it an alternate
 * signal stack unless it has one. Taken back when the thread ends.
 *
 * Returns 0, also when called again, or a positive errno value. Not for use in
 * a signal handler.
 */
int thread_prepare(void);

/* The alternate stack of the calling thread; 0, 0: it has none.
 * Async-signal-safe. */
struct thread_stack thread_alternate_stack(void);

/* Where the calling thread has its thread-local storage: at the top of a stack
 * that was made for it. Async-signal-safe. */
uintptr_t thread_storage(void);

/* The bounds that thread_prepare() saw. Async-signal-safe. */
struct thread_stack thread_stack_in_signal(void);

#endif
