/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fenced layout; see fence.h. */
#include "alloc/fence.h"

#include "alloc/bump.h"
#include "base/size.h"

size_t fence_natural_alignment(size_t bytes, size_t limit)
{
    if (bytes == 0) {
        return 1;
    }
    size_t alignment = bytes & -bytes;
    return alignment < limit ? alignment : limit;
}

bool fence_reach(size_t capacity, size_t page_bytes, size_t *reach)
{
    size_t blocks = capacity / BUMP_UNIT;
    size_t slots;
    size_t bytes;
    return size_multiply(blocks, 2 * page_bytes, &slots)
           && size_add(slots, capacity, &bytes)
           && size_round_up_checked(bytes, page_bytes, reach);
}
