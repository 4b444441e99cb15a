/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copying memory of which nobody knows whether it can be read: the kernel does
 * it, many pieces at a time, and a fault is none.
 *
 * errno is left as it was. Async-signal-safe.
 */
#ifndef OS_PEEK_H
#define OS_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many pieces go into one call. */
enum { PEEK_PIECES = 128 };

struct peek {
    /* Of /proc/self/mem, which sees through protection; -1: there is none. */
    int descriptor;
    bool is_refused;
};

struct peek_piece {
    uintptr_t start;
    size_t bytes;
    void *copy;
};

void peek_open(struct peek *peek);
void peek_close(struct peek *peek);

/*
 * Copy COUNT PIECES, at most PEEK_PIECES. Of what cannot be read, the copy is
 * zeroes.
 */
void peek_copy(struct peek *peek, const struct peek_piece *pieces,
               size_t count);

#endif
