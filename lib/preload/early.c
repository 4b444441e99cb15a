/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Early blocks; see early.h. */
#include "preload/early.h"

#include "base/size.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>

/* Debian's programs use some hundred bytes of it. */
enum { ROOM = 128 * 1024, HEADER = 16 };

static struct {
    _Alignas(16) unsigned char bytes[ROOM];
    _Atomic size_t used;
} early;

void *early_allocate(size_t bytes, size_t alignment)
{
    size_t needed;
    size_t padding = alignment > HEADER ? alignment : 0;
    if (size_add(bytes, 2 * HEADER + padding, &needed) && needed <= ROOM) {
        needed = size_round_up(needed, HEADER);
        size_t at = atomic_fetch_add(&early.used, needed);
        if (at <= ROOM - needed) {
            uintptr_t first = (uintptr_t)&early.bytes[at] + HEADER;
            uintptr_t start = alignment > HEADER
                                  ? size_round_up(first, alignment)
                                  : first;
            ((size_t *)start)[-1] = bytes;
            return (void *)start;
        }
        atomic_fetch_sub(&early.used, needed);
    }
    errno = ENOMEM;
    return NULL;
}

bool early_is_block(const void *block)
{
    uintptr_t address = (uintptr_t)block;
    return address >= (uintptr_t)early.bytes
           && address < (uintptr_t)early.bytes + ROOM;
}

size_t early_bytes(const void *block)
{
    return ((const size_t *)block)[-1];
}
