/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other threads of the process, stopped for a while, so that what they hold
 * in registers and on their stacks can be looked at.
 *
 * Not by ptrace(), which fails under a debugger or strace and in containers,
 * and needs another process: each thread is sent SIGSEGV, which no program of
 * Moat's blocks, with a value that others_meet() knows. It waits there until
 * others_go_on(). A thread that has the signal blocked, that waits in the
 * kernel for what no signal ends, or that does not come within two seconds, is
 * left out.
 *
 * A stopped thread may hold any lock, of the C library too. Between
 * others_stop() and others_go_on() the caller must do without: no stdio, no
 * malloc(), no lock of Moat's. It cannot be cancelled meanwhile, and all
 * signals but those of faults are blocked for it. One thread at a time may do
 * this. errno is left as it was.
 */
#ifndef OS_OTHERS_H
#define OS_OTHERS_H

#include "os/thread.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

/* A thread that is stopped. */
struct other {
    uintptr_t stack_pointer;
    /* Its registers. */
    const ucontext_t *context;
    /* Its alternate stack; 0, 0: none. */
    struct thread_stack alternate;
    /* 0, 0: not known. */
    struct thread_stack stack;
    /* An address in its thread-local storage. */
    uintptr_t storage;
};

/*
 * Stop all other threads, by SIGSEGV if IS_CAUGHT says that the handler for it
 * calls others_meet(). *LEFT_OUT is how many go on.
 *
 * Returns 0, or why threads cannot be stopped here; nothing is stopped then.
 */
int others_stop(bool is_caught, size_t *left_out);

/* How many were asked, and the one at PLACE; NULL: it was left out. */
size_t others_count(void);
const struct other *others_at(size_t place);

void others_go_on(void);

/*
 * For the handler of SIGSEGV: whether the signal is one of others_stop(). Then
 * it has waited until others_go_on(), and returns with all signals blocked, so
 * that the thread is not stopped again before it has left the handler, which
 * puts its mask back. Async-signal-safe.
 */
bool others_meet(const siginfo_t *info, const ucontext_t *context);

#endif
