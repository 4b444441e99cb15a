/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diagnose/leak_gaps: what is left between the gaps. */
#include "diagnose/leak_gaps.h"

#include "tests/support/unit.h"

#include <string.h>

enum { MOST = 8, RANGE = 40 };

static struct leak_gap storage[MOST];
static struct leak_gaps gaps;

static void set_up(void)
{
    gaps = (struct leak_gaps){ .gaps = storage, .capacity = MOST };
}

/* What is left of the addresses from FROM to END: '.' left, '#' left out. */
static const char *left_of(uintptr_t from, uintptr_t end)
{
    static char picture[RANGE + 1];
    uintptr_t at = from;
    uintptr_t start;
    uintptr_t stop;
    memset(picture, '#', RANGE);
    while (leak_gaps_next(&gaps, &at, end, &start, &stop)) {
        ck_assert_uint_lt(start, stop);
        ck_assert_uint_ge(start, from);
        ck_assert_uint_le(stop, end);
        memset(picture + start, '.', stop - start);
    }
    picture[end] = '\0';
    return picture + from;
}

START_TEST(without_gaps_all_is_left)
{
    leak_gaps_sort(&gaps);
    ck_assert_str_eq(left_of(0, 5), ".....");
    ck_assert_str_eq(left_of(5, 5), "");
}
END_TEST

START_TEST(gaps_in_any_order_are_left_out)
{
    leak_gaps_add(&gaps, 20, 25);
    leak_gaps_add(&gaps, 2, 4);
    leak_gaps_add(&gaps, 10, 11);
    leak_gaps_sort(&gaps);
    ck_assert_str_eq(left_of(0, 30), "..##......#.........#####.....");
    ck_assert_str_eq(left_of(3, 10), "#......");
    ck_assert_str_eq(left_of(2, 4), "##");
    ck_assert_str_eq(left_of(4, 10), "......");
    ck_assert_str_eq(left_of(22, 24), "##");
    ck_assert_str_eq(left_of(25, 26), ".");
}
END_TEST

START_TEST(gaps_may_touch_overlap_and_contain_each_other)
{
    leak_gaps_add(&gaps, 5, 15);
    leak_gaps_add(&gaps, 6, 8);
    leak_gaps_add(&gaps, 14, 17);
    leak_gaps_add(&gaps, 17, 18);
    leak_gaps_add(&gaps, 5, 6);
    leak_gaps_sort(&gaps);
    ck_assert_uint_eq(gaps.count, 1);
    ck_assert_str_eq(left_of(0, 20), ".....#############..");
}
END_TEST

START_TEST(empty_gaps_and_those_without_room_change_nothing)
{
    leak_gaps_add(&gaps, 3, 3);
    leak_gaps_add(&gaps, 4, 3);
    ck_assert_uint_eq(gaps.count, 0);
    for (uintptr_t i = 0; i <= MOST; i++) {
        leak_gaps_add(&gaps, 2 * i, 2 * i + 1);
    }
    ck_assert_uint_eq(gaps.count, MOST);
    leak_gaps_sort(&gaps);
    ck_assert_str_eq(left_of(10, 20), "#.#.#.....");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, without_gaps_all_is_left);
    tcase_add_test(tests, gaps_in_any_order_are_left_out);
    tcase_add_test(tests, gaps_may_touch_overlap_and_contain_each_other);
    tcase_add_test(tests, empty_gaps_and_those_without_room_change_nothing);
}

int main(void)
{
    return unit_run("diagnose/leak_gaps", add);
}
