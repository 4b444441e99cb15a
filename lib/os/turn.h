/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking turns at revoking.
 *
 * Whoever revokes pages interrupts each other processor that runs a thread of
 * the process, to empty its translation buffers; a processor on which none of
 * them runs is left alone. So two threads that revoke at once slow each other
 * down far more than by half, and it is faster when one of them sleeps for a
 * while instead: the measurements are in bench/README.md.
 *
 * This is a hint and no lock: a thread waits for its turn no longer than some
 * milliseconds, whatever has become of the one that has it, and nothing may
 * depend on being alone. Thread-safe, async-signal-safe; errno is left as it
 * was.
 */
#ifndef OS_TURN_H
#define OS_TURN_H

#include <stdatomic.h>
#include <stdbool.h>

/* Of the process; for turn.c and the functions below. */
struct turn {
    _Atomic bool is_taken;
    _Atomic bool is_asked_for;
    /* How many have ended; written by who has the turn. */
    _Atomic unsigned ended;
};

extern struct turn turn __attribute__((visibility("hidden")));

/* Whether the turn was free, and is the caller's now. */
static inline bool turn_try(void)
{
    bool taken = false;
    return atomic_compare_exchange_strong_explicit(
        &turn.is_taken, &taken, true, memory_order_acquire,
        memory_order_relaxed);
}

/* The same, with waiting. */
void turn_wait(void);

/* Wait until no other thread revokes, or long enough. */
static inline void turn_begin(void)
{
    if (atomic_load_explicit(&turn.is_asked_for, memory_order_relaxed)
        || !turn_try()) {
        turn_wait();
    }
}

static inline void turn_end(void)
{
    /* Two that have it at once, which is rare, may count as one. */
    unsigned ended = atomic_load_explicit(&turn.ended, memory_order_relaxed);
    atomic_store_explicit(&turn.ended, ended + 1, memory_order_relaxed);
    atomic_store_explicit(&turn.is_taken, false, memory_order_release);
}

/* In the child of a fork, where no other thread is left. */
void turn_reset_after_fork(void);

#endif
