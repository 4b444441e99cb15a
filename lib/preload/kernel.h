/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls as the kernel answers them, without libc between: for functions
 * that may be called before libc's own can be looked up, or within that.
 *
 * What the library's own layers get for mmap() and its kin is here too: these
 * calls of theirs are not the program's.
 */
#ifndef PRELOAD_KERNEL_H
#define PRELOAD_KERNEL_H

/*
 * The answer to call NUMBER, or a negative errno value; errno is left alone.
 * Async-signal-safe.
 */
long kernel_call(long number, long a, long b, long c, long d, long e, long f);

/* The same as libc gives it: -1 and errno for an error. */
long kernel_answer(long answer);

#endif
