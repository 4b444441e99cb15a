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

/* Wait until no other thread revokes, or long enough. */
void turn_begin(void);

void turn_end(void);

/* In the child of a fork, where no other thread is left. */
void turn_reset_after_fork(void);

#endif
