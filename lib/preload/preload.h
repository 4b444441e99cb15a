/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the preload library have in common.
 *
 * Each function here takes the place of libc's for the whole program, the
 * library's own layers excepted: the linker binds their calls to the functions
 * of next.c (--wrap). None of them calls dlsym() while it allocates.
 */
#ifndef PRELOAD_PRELOAD_H
#define PRELOAD_PRELOAD_H

#include <stddef.h>

/* All else in the library is hidden. */
#define PRELOAD_API __attribute__((visibility("default")))

#define CALLER __builtin_return_address(0)

#endif
