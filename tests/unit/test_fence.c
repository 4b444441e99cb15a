/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/fence: the fenced layout as arithmetic. */
#include "alloc/fence.h"

#include "tests/support/unit.h"

#include <stdint.h>

enum { PAGE = 4096 };

static struct fence_place place(size_t bytes, size_t alignment,
                                enum fence_placement placement)
{
    struct fence_place place;
    ck_assert(fence_place(bytes, alignment, placement, PAGE, &place));
    return place;
}

START_TEST(a_block_that_fills_its_alignment_ends_at_the_guard)
{
    struct fence_place block = place(32, 16, FENCE_AFTER);
    ck_assert_uint_eq(block.data_bytes, PAGE);
    ck_assert_uint_eq(block.start, PAGE - 32);
    ck_assert_uint_eq(block.tail_bytes, 0);
    ck_assert_uint_eq(block.front_bytes, FENCE_CANARY);
}
END_TEST

START_TEST(what_alignment_leaves_over_is_slack)
{
    struct fence_place block = place(20, 16, FENCE_AFTER);
    ck_assert_uint_eq(block.start, PAGE - 32);
    ck_assert_uint_eq(block.tail_bytes, 12);
    block = place(20, 1, FENCE_AFTER);
    ck_assert_uint_eq(block.start, PAGE - 20);
    ck_assert_uint_eq(block.tail_bytes, 0);
}
END_TEST

START_TEST(canaries_stay_on_the_pages_of_the_block)
{
    struct fence_place block = place(PAGE - 16, 16, FENCE_AFTER);
    ck_assert_uint_eq(block.start, 16);
    ck_assert_uint_eq(block.front_bytes, 16);
    block = place(PAGE, 16, FENCE_AFTER);
    ck_assert_uint_eq(block.data_bytes, PAGE);
    ck_assert_uint_eq(block.front_bytes, 0);
    ck_assert_uint_eq(block.tail_bytes, 0);
    block = place(PAGE - 10, 16, FENCE_BEFORE);
    ck_assert_uint_eq(block.tail_bytes, 10);
}
END_TEST

START_TEST(placed_before_a_block_starts_at_the_guard)
{
    struct fence_place block = place(20, 16, FENCE_BEFORE);
    ck_assert_uint_eq(block.start, 0);
    ck_assert_uint_eq(block.front_bytes, 0);
    ck_assert_uint_eq(block.tail_bytes, FENCE_CANARY);
}
END_TEST

START_TEST(a_block_of_no_bytes_has_no_page)
{
    for (enum fence_placement placement = FENCE_AFTER;
         placement <= FENCE_BEFORE; placement++) {
        struct fence_place block = place(0, 16, placement);
        ck_assert_uint_eq(block.data_bytes, 0);
        ck_assert_uint_eq(block.start, 0);
        ck_assert_uint_eq(block.front_bytes, 0);
        ck_assert_uint_eq(block.tail_bytes, 0);
    }
}
END_TEST

START_TEST(every_size_and_alignment_fits_its_pages)
{
    for (size_t bytes = 0; bytes < 3 * PAGE; bytes += bytes < 600 ? 1 : 37) {
        for (size_t alignment = 1; alignment <= PAGE; alignment *= 2) {
            struct fence_place block = place(bytes, alignment, FENCE_AFTER);
            ck_assert_uint_eq(block.start % alignment, 0);
            ck_assert_uint_eq(block.start + bytes + block.tail_bytes,
                              block.data_bytes);
            ck_assert_uint_lt(block.tail_bytes, alignment);
            ck_assert_uint_le(block.front_bytes, block.start);
            ck_assert_uint_lt(block.data_bytes, bytes + PAGE);
        }
    }
}
END_TEST

START_TEST(sizes_near_the_largest_are_refused)
{
    struct fence_place block;
    ck_assert(!fence_place(SIZE_MAX, 16, FENCE_AFTER, PAGE, &block));
}
END_TEST

START_TEST(natural_alignment_leaves_no_slack)
{
    ck_assert_uint_eq(fence_natural_alignment(0, PAGE), 1);
    ck_assert_uint_eq(fence_natural_alignment(1, PAGE), 1);
    ck_assert_uint_eq(fence_natural_alignment(12, PAGE), 4);
    ck_assert_uint_eq(fence_natural_alignment(1 << 20, PAGE), PAGE);
    for (size_t bytes = 1; bytes < 300; bytes++) {
        size_t alignment = fence_natural_alignment(bytes, PAGE);
        ck_assert_uint_eq(place(bytes, alignment, FENCE_AFTER).tail_bytes, 0);
    }
}
END_TEST

START_TEST(alternating_starts_after)
{
    ck_assert_int_eq(fence_turn(FENCE_ALTERNATE, 0), FENCE_AFTER);
    ck_assert_int_eq(fence_turn(FENCE_ALTERNATE, 1), FENCE_BEFORE);
    ck_assert_int_eq(fence_turn(FENCE_BEFORE, 0), FENCE_BEFORE);
    ck_assert_int_eq(fence_turn(FENCE_AFTER, 1), FENCE_AFTER);
}
END_TEST

START_TEST(the_reach_holds_a_block_in_each_unit)
{
    size_t reach;
    ck_assert(fence_reach(4096, PAGE, &reach));
    ck_assert_uint_ge(reach, 4096 / 16 * 2 * PAGE);
    ck_assert(!fence_reach(SIZE_MAX / 2, PAGE, &reach));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_block_that_fills_its_alignment_ends_at_the_guard);
    tcase_add_test(tests, what_alignment_leaves_over_is_slack);
    tcase_add_test(tests, canaries_stay_on_the_pages_of_the_block);
    tcase_add_test(tests, placed_before_a_block_starts_at_the_guard);
    tcase_add_test(tests, a_block_of_no_bytes_has_no_page);
    tcase_add_test(tests, every_size_and_alignment_fits_its_pages);
    tcase_add_test(tests, sizes_near_the_largest_are_refused);
    tcase_add_test(tests, natural_alignment_leaves_no_slack);
    tcase_add_test(tests, alternating_starts_after);
    tcase_add_test(tests, the_reach_holds_a_block_in_each_unit);
}

int main(void)
{
    return unit_run("alloc/fence", add);
}
