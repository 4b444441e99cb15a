/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Books: memory for what Moat remembers for as long as the process lives.
 *
 * It comes from one mapping, because each mapping costs every exec its making
 * and its end.
 */
#ifndef OS_BOOKS_H
#define OS_BOOKS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Store in *START where BYTES of zeroed memory start, at a page. They are
 * taken from the kernel page by page when first touched, and never given back.
 *
 * Returns 0 or a positive errno value; errno is left as it was. For one thread
 * at a time, as Moat is started by.
 */
int books_take(size_t bytes, uintptr_t *start);

#endif
