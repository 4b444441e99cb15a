/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the preload library asks of the fault path, which belongs to a room
 * that it may not use itself.
 */
#ifndef API_FAULTS_H
#define API_FAULTS_H

#include <signal.h>
#include <stdbool.h>

/*
 * sigaction() for SIGSEGV and SIGBUS: what the program wants done with faults
 * that are none of Moat's. In the child of a vfork() it changes nothing, for
 * the memory is its parent's. Async-signal-safe.
 */
int faults_set_action(int signal, const struct sigaction *wanted,
                      struct sigaction *before);

/* The number of Moat's descriptor; -1: there is none, or it is not this
 * process's. */
int faults_descriptor(void);

static inline bool faults_is_descriptor(int descriptor)
{
    return descriptor >= 0 && descriptor == faults_descriptor();
}

/* The program is about to take system calls away from this thread, or from all
 * that there are. */
void faults_prepare_sandbox(bool is_for_all_threads);

/* The program wants its number: take another one. */
void faults_renumber_descriptor(void);

#endif
