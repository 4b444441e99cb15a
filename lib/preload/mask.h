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

#endif
