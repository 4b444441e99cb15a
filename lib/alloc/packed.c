/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packed layout; see packed.h. */
#include "alloc/packed.h"

#include "base/size.h"

/* Whether blocks up to CANARY_END leave room for what may come yet. */
static bool has_room_behind(const struct packed_fill *fill, size_t canary_end)
{
    size_t rest;
    return fill->growth == 0
           || (packed_reach(fill->growth, fill->page_bytes, &rest)
               && rest <= fill->reach && canary_end <= fill->reach - rest);
}

bool packed_place(const struct packed_fill *fill, size_t alignment,
                  size_t bytes, struct packed_place *place)
{
    size_t arena_offset;
    size_t next_cursor;
    if (!bump_place(fill->capacity, fill->cursor, alignment, bytes,
                    &arena_offset, &next_cursor)) {
        return false;
    }
    size_t rounded = next_cursor - arena_offset;
    size_t front = fill->packed_end == 0 ? 0 : fill->packed_end + PACKED_CANARY;
    size_t start = size_round_up(front, alignment);
    size_t canary_end = start + rounded + PACKED_CANARY;
    if (next_cursor == fill->capacity) {
        size_t page_end = size_round_up(start + rounded, fill->page_bytes);
        page_end = page_end > fill->armed ? page_end : fill->armed;
        if (has_room_behind(fill, page_end)) {
            canary_end = page_end;
            start = size_round_down(canary_end - rounded, alignment);
        }
    }
    *place = (struct packed_place){
        .arena_offset = arena_offset,
        .next_cursor = next_cursor,
        .start = start,
        .canary_end = canary_end,
    };
    return true;
}

bool packed_reach(size_t capacity, size_t page_bytes, size_t *reach)
{
    /*
     * The worst case: blocks of 16 bytes take 48, that is 3 times the
     * capacity. Alignment adds at most A - 16 for a block aligned to A. Of
     * blocks aligned to A or more there are at most capacity / A, so those
     * aligned to exactly 4096 add one capacity and those to each of the seven
     * powers below at most half of one: 8 times altogether.
     *
     * Arenas above a gigabyte, of which the region holds few, get 4 times,
     * which is enough unless nearly all blocks are tiny or over-aligned.
     */
    size_t factor = capacity <= (size_t)1 << 30 ? 8 : 4;
    size_t bytes;
    return size_multiply(capacity, factor, &bytes)
           && size_add(bytes, page_bytes, &bytes)
           && size_round_up_checked(bytes, page_bytes, reach);
}
