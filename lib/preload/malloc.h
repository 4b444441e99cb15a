/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * free() for the other files of this library: they cannot call it by its name,
 * for which the linker puts what the layers get.
 */
#ifndef PRELOAD_MALLOC_H
#define PRELOAD_MALLOC_H

#include <moat/finding.h>

void malloc_release(void *block, enum moat_family family, const void *caller);

#endif
