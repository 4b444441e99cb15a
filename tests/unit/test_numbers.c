/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/numbers: who is stopped at, and who is refused. */
#include "alloc/numbers.h"

#include "tests/support/unit.h"

#include <pthread.h>
#include <stdatomic.h>

static struct numbers_request stopped;
static struct numbers_request refused;
static _Atomic int stops;
static _Atomic int refusals;

static void note_stop(const struct numbers_request *request)
{
    stopped = *request;
    stops++;
}

static void note_refusal(const struct numbers_request *request)
{
    refused = *request;
    refusals++;
}

static void start(size_t stop_at, size_t fail_at, size_t fail_rate,
                  uint64_t seed)
{
    struct numbers_settings settings = { .stop_at = stop_at,
                                         .fail_at = fail_at,
                                         .fail_rate = fail_rate,
                                         .seed = seed,
                                         .stop = note_stop,
                                         .refuse = note_refusal };
    numbers_start(&settings);
}

START_TEST(numbers_count_from_one)
{
    numbers_start(NULL);
    for (size_t i = 1; i <= 1000; i++) {
        size_t number;
        ck_assert(numbers_take(1, 0, &number));
        ck_assert_uint_eq(number, i);
    }
    ck_assert_uint_eq(numbers_counts().taken, 1000);
    ck_assert_uint_eq(numbers_counts().refused, 0);
}
END_TEST

START_TEST(the_one_to_stop_at_is_told_and_made)
{
    start(3, 0, 0, 0);
    for (size_t i = 1; i <= 5; i++) {
        size_t number;
        ck_assert(numbers_take(10 * i, (site_id)i, &number));
        ck_assert_int_eq(stops, i >= 3 ? 1 : 0);
    }
    ck_assert_uint_eq(stopped.number, 3);
    ck_assert_uint_eq(stopped.bytes, 30);
    ck_assert_uint_eq(stopped.site, 3);
    ck_assert_int_eq(refusals, 0);
}
END_TEST

START_TEST(the_one_that_fails_has_its_number)
{
    start(4, 4, 0, 0);
    for (size_t i = 1; i <= 6; i++) {
        size_t number;
        ck_assert(numbers_take(10 * i, 7, &number) == (i != 4));
        ck_assert_uint_eq(number, i);
    }
    ck_assert_uint_eq(refused.number, 4);
    ck_assert_uint_eq(refused.bytes, 40);
    ck_assert_int_eq(refusals, 1);
    ck_assert_int_eq(stops, 1);
    ck_assert_uint_eq(numbers_counts().taken, 6);
    ck_assert_uint_eq(numbers_counts().on_purpose, 1);
}
END_TEST

static size_t unlucky_of(uint64_t seed, size_t rate)
{
    size_t unlucky = 0;
    for (size_t number = 1; number <= 100000; number++) {
        unlucky += numbers_is_unlucky(seed, number, rate);
    }
    return unlucky;
}

static const size_t rates[] = { 2, 3, 10, 100 };

/* 100000 draws, of which the standard deviation is below 160: 1000 is more than
 * six of these away. */
START_TEST(chance_refuses_one_in_so_many)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        size_t expected = 100000 / rates[_i];
        size_t unlucky = unlucky_of(seed, rates[_i]);
        ck_assert_uint_gt(unlucky + 1000, expected);
        ck_assert_uint_lt(unlucky, expected + 1000);
    }
}
END_TEST

START_TEST(a_rate_of_one_refuses_all_and_none_nothing)
{
    ck_assert_uint_eq(unlucky_of(5, 1), 100000);
    ck_assert_uint_eq(unlucky_of(5, 0), 0);
}
END_TEST

START_TEST(a_seed_says_which_and_another_one_others)
{
    size_t differing = 0;
    size_t all = 0;
    start(0, 0, 10, 77);
    for (size_t i = 1; i <= 10000; i++) {
        size_t number;
        bool is_refused = !numbers_take(1, 0, &number);
        ck_assert(is_refused == numbers_is_unlucky(77, i, 10));
        all += is_refused;
        differing += is_refused != numbers_is_unlucky(78, i, 10);
    }
    ck_assert_uint_gt(differing, 1000);
    /* Each one is counted, and none is worth a word. */
    ck_assert_uint_eq(numbers_counts().on_purpose, all);
    ck_assert_int_eq(refusals, 0);
}
END_TEST

enum { THREADS = 4, TAKEN = 50000 };

static void *take(void *sum)
{
    for (int i = 0; i < TAKEN; i++) {
        size_t number;
        numbers_take(1, 0, &number);
        *(size_t *)sum += number;
    }
    return NULL;
}

START_TEST(threads_share_the_numbers_and_one_meets_the_special_one)
{
    pthread_t threads[THREADS];
    size_t sums[THREADS] = { 0 };
    size_t sum = 0;
    start(1234, 4321, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take, &sums[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += sums[i];
    }
    size_t all = (size_t)THREADS * TAKEN;
    ck_assert_uint_eq(sum, all * (all + 1) / 2);
    ck_assert_int_eq(stops, 1);
    ck_assert_int_eq(refusals, 1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, numbers_count_from_one);
    tcase_add_test(tests, the_one_to_stop_at_is_told_and_made);
    tcase_add_test(tests, the_one_that_fails_has_its_number);
    tcase_add_loop_test(tests, chance_refuses_one_in_so_many, 0, 4);
    tcase_add_test(tests, a_rate_of_one_refuses_all_and_none_nothing);
    tcase_add_test(tests, a_seed_says_which_and_another_one_others);
    tcase_add_test(tests,
                   threads_share_the_numbers_and_one_meets_the_special_one);
}

int main(void)
{
    return unit_run("alloc/numbers", add);
}
