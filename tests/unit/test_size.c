/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/size.h: arithmetic that cannot wrap. */
#include "base/size.h"

#include "tests/support/unit.h"

START_TEST(a_sum_that_does_not_fit_is_refused)
{
    size_t sum;
    ck_assert(size_add(SIZE_MAX - 1, 1, &sum));
    ck_assert_uint_eq(sum, SIZE_MAX);
    ck_assert(!size_add(SIZE_MAX, 1, &sum));
}
END_TEST

START_TEST(a_product_that_does_not_fit_is_refused)
{
    size_t product;
    ck_assert(size_multiply(SIZE_MAX, 1, &product));
    ck_assert_uint_eq(product, SIZE_MAX);
    ck_assert(!size_multiply(SIZE_MAX / 2 + 1, 2, &product));
    ck_assert(size_multiply(0, SIZE_MAX, &product));
    ck_assert_uint_eq(product, 0);
}
END_TEST

START_TEST(rounding_keeps_multiples_and_moves_the_rest)
{
    ck_assert_uint_eq(size_round_up(0, 16), 0);
    ck_assert_uint_eq(size_round_up(1, 16), 16);
    ck_assert_uint_eq(size_round_up(16, 16), 16);
    ck_assert_uint_eq(size_round_up(17, 16), 32);
    ck_assert_uint_eq(size_round_down(31, 16), 16);
    ck_assert_uint_eq(size_round_down(32, 16), 32);
}
END_TEST

START_TEST(rounding_up_beyond_the_largest_size_is_refused)
{
    size_t rounded;
    ck_assert(size_round_up_checked(SIZE_MAX - 15, 16, &rounded));
    ck_assert_uint_eq(rounded, SIZE_MAX - 15);
    ck_assert(!size_round_up_checked(SIZE_MAX - 14, 16, &rounded));
}
END_TEST

START_TEST(powers_of_two_are_told_from_other_numbers)
{
    ck_assert(!size_is_power_of_two(0));
    ck_assert(size_is_power_of_two(1));
    ck_assert(size_is_power_of_two((size_t)1 << 63));
    ck_assert(!size_is_power_of_two(48));
    ck_assert_uint_eq(size_power_of_two_above(1), 1);
    ck_assert_uint_eq(size_power_of_two_above(3), 4);
    ck_assert_uint_eq(size_power_of_two_above(4), 4);
    ck_assert_uint_eq(size_power_of_two_above(((size_t)1 << 40) + 1),
                      (size_t)1 << 41);
    ck_assert_uint_eq(size_exponent((size_t)1 << 40), 40);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_sum_that_does_not_fit_is_refused);
    tcase_add_test(tests, a_product_that_does_not_fit_is_refused);
    tcase_add_test(tests, rounding_keeps_multiples_and_moves_the_rest);
    tcase_add_test(tests, rounding_up_beyond_the_largest_size_is_refused);
    tcase_add_test(tests, powers_of_two_are_told_from_other_numbers);
}

int main(void)
{
    return unit_run("base/size", add);
}
