/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fenced layout; see fence.h. */
#include "alloc/fence.h"

#include "alloc/bump.h"
#include "base/size.h"

bool fence_place(size_t bytes, size_t alignment,
                 enum fence_placement placement, size_t page_bytes,
                 struct fence_place *place)
{
    size_t data_bytes;
    if (!size_round_up_checked(bytes, page_bytes, &data_bytes)) {
        return false;
    }
    *place = (struct fence_place){ .data_bytes = data_bytes };
    if (placement == FENCE_AFTER) {
        place->start = size_round_down(data_bytes - bytes, alignment);
        place->tail_bytes = data_bytes - place->start - bytes;
        place->front_bytes
            = place->start < FENCE_CANARY ? place->start : FENCE_CANARY;
    } else {
        size_t rest = data_bytes - bytes;
        place->tail_bytes = rest < FENCE_CANARY ? rest : FENCE_CANARY;
    }
    return true;
}

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
