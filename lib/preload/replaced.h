/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the program brings its own malloc(): the loader finds one that is
 * linked into the program before it finds this library's, for all libraries.
 * Then its blocks are not fenced, and what is to be given to its free() must
 * come from there.
 */
#ifndef PRELOAD_REPLACED_H
#define PRELOAD_REPLACED_H

#include <stddef.h>

/* The program's; NULL: it has none. */
extern void *(*replaced_malloc)(size_t bytes);

#endif
