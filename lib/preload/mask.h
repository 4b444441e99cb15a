/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signal masks without SIGSEGV and SIGBUS: a fault while its signal is blocked
 * ends the process, and no handler runs. The program reads back what it has
 * set: what is kept back is known as bits.
 */
#ifndef PRELOAD_MASK_H
#define PRELOAD_MASK_H

#include <signal.h>

/* Take the two signals out of SET; returns which were in it. */
unsigned mask_filter(sigset_t *set);

/* Put them into SET again. */
void mask_restore(sigset_t *set, unsigned bits);

/* What this thread believes to have blocked of the two; for the threads that
 * it starts. */
unsigned mask_kept_back(void);
void mask_inherit(unsigned bits);

/* Unblock them in a thread whose mask was not made here. */
void mask_unblock(void);

/* sigprocmask() as the program has it, for the other files of this library:
 * for its name the linker puts libc's. And the same for the one signal NUMBER.
 */
int mask_change(int how, const sigset_t *wanted, sigset_t *before);
int mask_change_one(int how, int number, sigset_t *before);

#endif
