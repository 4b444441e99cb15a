/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/packed: the packed layout as arithmetic. */
#include "alloc/packed.h"

#include "tests/support/unit.h"

#include <stdint.h>

enum { PAGE = 4096 };

static struct packed_fill empty(size_t capacity)
{
    return (struct packed_fill){ .capacity = capacity, .page_bytes = PAGE };
}

/* Place a block and go on behind it. */
static struct packed_place place(struct packed_fill *fill, size_t alignment,
                                 size_t bytes)
{
    struct packed_place place;
    ck_assert(packed_place(fill, alignment, bytes, &place));
    fill->cursor = place.next_cursor;
    fill->packed_end = place.canary_end;
    return place;
}

START_TEST(the_example_of_the_header_is_true)
{
    struct packed_fill fill = empty(128);
    struct packed_place block = place(&fill, 16, 32);
    ck_assert_uint_eq(block.start, 0);
    ck_assert_uint_eq(block.canary_end, 48);
    block = place(&fill, 16, 20);
    ck_assert_uint_eq(block.arena_offset, 32);
    ck_assert_uint_eq(block.start, 64);
    ck_assert_uint_eq(block.canary_end, 112);
    block = place(&fill, 16, 64);
    ck_assert_uint_eq(block.arena_offset, 64);
    ck_assert_uint_eq(block.start, PAGE - 64);
    ck_assert_uint_eq(block.canary_end, PAGE);
}
END_TEST

START_TEST(capacity_is_counted_as_a_bump_allocator_does)
{
    struct packed_fill fill = empty(64);
    struct packed_place block;
    place(&fill, 16, 1);
    place(&fill, 16, 33);
    ck_assert_uint_eq(fill.cursor, 64);
    ck_assert(!packed_place(&fill, 16, 1, &block));
    ck_assert(!packed_place(&fill, 16, 0, &block));
}
END_TEST

START_TEST(a_block_of_no_bytes_takes_a_unit)
{
    struct packed_fill fill = empty(64);
    struct packed_place first = place(&fill, 16, 0);
    struct packed_place second = place(&fill, 16, 0);
    ck_assert_uint_eq(second.arena_offset, 16);
    ck_assert_uint_ne(first.start, second.start);
}
END_TEST

START_TEST(sizes_near_the_largest_are_refused)
{
    struct packed_fill fill = empty(SIZE_MAX - 15);
    struct packed_place block;
    fill.cursor = 64;
    ck_assert(!packed_place(&fill, 16, SIZE_MAX, &block));
    ck_assert(!packed_place(&fill, 16, SIZE_MAX - 64, &block));
}
END_TEST

START_TEST(the_last_block_goes_behind_pages_that_are_armed)
{
    struct packed_fill fill = empty(64);
    fill.armed = 3 * PAGE;
    struct packed_place block = place(&fill, 16, 64);
    ck_assert_uint_eq(block.canary_end, 3 * PAGE);
    ck_assert_uint_eq(block.start, 3 * PAGE - 64);
}
END_TEST

/* A sequence that is the same in every run. */
static size_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*seed >> 33);
}

START_TEST(any_mix_of_sizes_and_alignments_stays_apart_and_in_reach)
{
    uint64_t seed = (uint64_t)_i + 1;
    struct packed_fill fill = empty(((size_t)_i % 7 + 1) * 10000 / 16 * 16);
    size_t reach;
    ck_assert(packed_reach(fill.capacity, PAGE, &reach));
    for (;;) {
        size_t alignment = (size_t)16 << next_random(&seed) % 9;
        size_t bytes = next_random(&seed) % (_i % 2 == 0 ? 40 : 2000);
        size_t end = fill.packed_end;
        struct packed_place block;
        if (!packed_place(&fill, alignment, bytes, &block)) {
            break;
        }
        ck_assert_uint_eq(block.start % alignment, 0);
        ck_assert_uint_eq(block.arena_offset % alignment, 0);
        ck_assert_uint_ge(block.start, end == 0 ? 0 : end + PACKED_CANARY);
        ck_assert_uint_le(block.start + bytes, block.canary_end);
        ck_assert(block.next_cursor == fill.capacity
                  || block.start + bytes + PACKED_CANARY <= block.canary_end);
        ck_assert_uint_le(block.canary_end, reach);
        fill.cursor = block.next_cursor;
        fill.packed_end = block.canary_end;
    }
}
END_TEST

/* Each alignment as often as it can be: the most that alignment can cost. */
START_TEST(the_worst_mix_of_alignments_stays_in_reach)
{
    struct packed_fill fill = empty((size_t)1 << 20);
    size_t reach;
    ck_assert(packed_reach(fill.capacity, PAGE, &reach));
    for (bool is_full = false; !is_full;) {
        for (size_t alignment = _i == 0 ? 4096 : 16;
             alignment >= 16 && alignment <= 4096 && !is_full;
             alignment = _i == 0 ? alignment / 2 : alignment * 2) {
            struct packed_place block;
            is_full = !packed_place(&fill, alignment, 1, &block);
            if (!is_full) {
                ck_assert_uint_le(block.canary_end, reach);
                fill.cursor = block.next_cursor;
                fill.packed_end = block.canary_end;
            }
        }
    }
}
END_TEST

/* Filled and grown by one block again and again: at the guard while there is
 * room for that, and never out of reach. */
START_TEST(what_may_grow_ends_at_the_guard_while_there_is_room)
{
    enum { MOST = 16000, ROOM = 4 };
    struct packed_fill fill = empty(16);
    size_t reach;
    ck_assert(packed_reach(MOST, PAGE, &reach));
    fill.reach = reach + ROOM * PAGE;
    size_t flush = 0;
    for (; fill.capacity <= MOST; fill.capacity += 16) {
        fill.growth = MOST - fill.capacity;
        struct packed_place block = place(&fill, 16, 16);
        bool is_flush = block.start + 16 == block.canary_end;
        ck_assert(!is_flush || block.canary_end % PAGE == 0);
        ck_assert(fill.capacity > ROOM * 16 || is_flush);
        ck_assert_uint_le(block.canary_end, fill.reach);
        flush += is_flush;
    }
    ck_assert_uint_ge(flush, ROOM + 1);
    ck_assert_uint_lt(flush, MOST / 16);
}
END_TEST

START_TEST(a_reach_that_does_not_fit_is_refused)
{
    size_t reach;
    ck_assert(!packed_reach(SIZE_MAX / 2, PAGE, &reach));
    ck_assert(packed_reach((size_t)1 << 40, PAGE, &reach));
    ck_assert_uint_ge(reach, (size_t)4 << 40);
    ck_assert(packed_reach((size_t)1 << 30, PAGE, &reach));
    ck_assert_uint_ge(reach, (size_t)8 << 30);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_example_of_the_header_is_true);
    tcase_add_test(tests, capacity_is_counted_as_a_bump_allocator_does);
    tcase_add_test(tests, a_block_of_no_bytes_takes_a_unit);
    tcase_add_test(tests, sizes_near_the_largest_are_refused);
    tcase_add_test(tests, the_last_block_goes_behind_pages_that_are_armed);
    tcase_add_loop_test(
        tests, any_mix_of_sizes_and_alignments_stays_apart_and_in_reach, 0,
        200);
    tcase_add_loop_test(tests, the_worst_mix_of_alignments_stays_in_reach, 0,
                        2);
    tcase_add_test(tests,
                   what_may_grow_ends_at_the_guard_while_there_is_room);
    tcase_add_test(tests, a_reach_that_does_not_fit_is_refused);
}

int main(void)
{
    return unit_run("alloc/packed", add);
}
