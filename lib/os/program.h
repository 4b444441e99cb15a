/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs as files: whether one brings along what replaces malloc() and
 * catches SIGSEGV itself, and does not go together with Moat.
 *
 * Async-signal-safe; errno is left as it was.
 */
#ifndef OS_PROGRAM_H
#define OS_PROGRAM_H

#include <stdbool.h>

/* Whether PATH is built with AddressSanitizer, ThreadSanitizer or the like, or
 * is valgrind, or a script that one of these interprets. */
bool program_has_checker(const char *path);

#endif
