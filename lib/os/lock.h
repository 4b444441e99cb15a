/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mutual exclusion lock on a futex, which works before the C library is
 * ready and can be reset in the child of a fork. Not recursive. Not for use
 * in a signal handler.
 */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0: free; 1: held; 2: held and somebody waits. Zero-initialized is free. */
struct lock {
    _Atomic uint32_t state;
};

static inline void lock_wait(struct lock *lock)
{
    syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

/*
 * Ulrich Drepper, "Futexes Are Tricky", mutex 2: the uncontended way is one
 * compare-and-swap. errno may change.
 */
static inline void lock_take(struct lock *lock)
{
    uint32_t expected = 0;
    if (atomic_compare_exchange_strong(&lock->state, &expected, 1)) {
        return;
    }
    if (expected != 2) {
        expected = atomic_exchange(&lock->state, 2);
    }
    while (expected != 0) {
        lock_wait(lock);
        expected = atomic_exchange(&lock->state, 2);
    }
}

static inline void lock_release(struct lock *lock)
{
    if (atomic_exchange(&lock->state, 0) == 2) {
        syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

/* In the child of a fork, where no other thread is left. */
static inline void lock_reset_after_fork(struct lock *lock)
{
    atomic_store(&lock->state, 0);
}

#endif
