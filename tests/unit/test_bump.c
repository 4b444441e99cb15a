/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/bump.h: how a plain bump allocator counts. */
#include "alloc/bump.h"

#include "tests/support/unit.h"

#include <stdint.h>

static size_t offset;
static size_t next;

START_TEST(sizes_are_rounded_to_units_and_nothing_takes_one)
{
    static const struct {
        size_t bytes;
        size_t taken;
    } sizes[] = { { 0, 16 }, { 1, 16 }, { 16, 16 }, { 17, 32 }, { 100, 112 } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert(bump_place(4096, 32, 16, sizes[i].bytes, &offset, &next));
        ck_assert_uint_eq(offset, 32);
        ck_assert_uint_eq(next, 32 + sizes[i].taken);
    }
}
END_TEST

START_TEST(alignment_moves_the_block_and_counts)
{
    ck_assert(bump_place(4096, 16, 256, 10, &offset, &next));
    ck_assert_uint_eq(offset, 256);
    ck_assert_uint_eq(next, 272);
    ck_assert(bump_place(4096, 256, 256, 10, &offset, &next));
    ck_assert_uint_eq(offset, 256);
}
END_TEST

START_TEST(the_last_unit_can_be_had_and_no_more)
{
    ck_assert(bump_place(64, 48, 16, 16, &offset, &next));
    ck_assert_uint_eq(next, 64);
    ck_assert(!bump_place(64, 48, 16, 17, &offset, &next));
    ck_assert(!bump_place(64, 64, 16, 0, &offset, &next));
    /* The alignment leads behind the capacity. */
    ck_assert(!bump_place(64, 16, 128, 1, &offset, &next));
}
END_TEST

START_TEST(sizes_that_wrap_are_refused)
{
    ck_assert(!bump_place(SIZE_MAX - 15, 16, 16, SIZE_MAX, &offset, &next));
    ck_assert(
        !bump_place(SIZE_MAX - 15, 16, 16, SIZE_MAX - 15, &offset, &next));
    ck_assert(
        bump_place(SIZE_MAX - 15, 16, 16, SIZE_MAX - 31, &offset, &next));
    ck_assert_uint_eq(next, SIZE_MAX - 15);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, sizes_are_rounded_to_units_and_nothing_takes_one);
    tcase_add_test(tests, alignment_moves_the_block_and_counts);
    tcase_add_test(tests, the_last_unit_can_be_had_and_no_more);
    tcase_add_test(tests, sizes_that_wrap_are_refused);
}

int main(void)
{
    return unit_run("alloc/bump", add);
}
