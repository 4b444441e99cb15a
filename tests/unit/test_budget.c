/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/budget: how much may be fenced, on machines of the test's choice. */
#include "alloc/budget.h"

#include "tests/support/other_root.h"
#include "tests/support/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define MIB ((size_t)1 << 20)

START_TEST(the_limit_is_exact)
{
    budget_start(1000);
    ck_assert(budget_take(600));
    ck_assert(!budget_take(401));
    ck_assert(budget_take(400));
    ck_assert(!budget_take(1));
    ck_assert(budget_take(0));
    ck_assert_uint_eq(budget_taken(), 1000);
    budget_give_back(1);
    ck_assert(!budget_take(2));
    ck_assert(budget_take(1));
    budget_give_back(1000);
    ck_assert_uint_eq(budget_taken(), 0);
    ck_assert(!budget_take(1001));
    ck_assert(budget_take(1000));
}
END_TEST

START_TEST(large_blocks_are_counted_apart)
{
    budget_start(MIB);
    ck_assert(budget_take(BUDGET_LARGE - 1));
    ck_assert_uint_eq(budget_taken_by_large(), 0);
    ck_assert(budget_take(BUDGET_LARGE));
    ck_assert(!budget_take(MIB));
    ck_assert_uint_eq(budget_taken_by_large(), BUDGET_LARGE);
    budget_force(MIB);
    ck_assert_uint_eq(budget_taken_by_large(), BUDGET_LARGE + MIB);
    budget_give_back(BUDGET_LARGE - 1);
    budget_give_back(BUDGET_LARGE);
    budget_give_back(MIB);
    ck_assert_uint_eq(budget_taken_by_large(), 0);
}
END_TEST

START_TEST(a_sum_that_does_not_fit_is_refused)
{
    budget_start(SIZE_MAX);
    ck_assert(budget_take(4096));
    ck_assert(!budget_take(SIZE_MAX - 4095));
    ck_assert(!budget_take(SIZE_MAX));
    ck_assert_uint_eq(budget_taken(), 4096);
    ck_assert(budget_take(SIZE_MAX - 4096));
}
END_TEST

START_TEST(what_is_forced_counts_like_all_else)
{
    budget_start(1000);
    ck_assert(budget_take(900));
    budget_force(200);
    ck_assert_uint_eq(budget_taken(), 1100);
    ck_assert(!budget_take(1));
    budget_give_back(200);
    ck_assert(budget_take(100));
    ck_assert(!budget_take(1));
}
END_TEST

START_TEST(the_peak_is_the_most_there_ever_was)
{
    budget_start(1000);
    ck_assert_uint_eq(budget_peak(), 0);
    budget_take(700);
    budget_give_back(300);
    budget_take(200);
    ck_assert_uint_eq(budget_peak(), 700);
    ck_assert(!budget_take(500));
    ck_assert_uint_eq(budget_peak(), 700);
    budget_take(200);
    ck_assert_uint_eq(budget_peak(), 800);
    budget_force(500);
    ck_assert_uint_eq(budget_peak(), 1300);
    budget_give_back(1300);
    ck_assert_uint_eq(budget_peak(), 1300);
}
END_TEST

static void put(const char *path, const char *contents)
{
    ck_assert_int_eq(other_root_write(path, contents), 0);
}

START_TEST(without_a_limit_half_of_what_is_available_is_given)
{
    ck_assert_ptr_nonnull(other_root_make());
    budget_start(0);
    ck_assert(budget_take(64 * MIB));
    /* It is looked up now, when a program gets large, and once. */
    put("/proc/meminfo", "MemAvailable: 1048576 kB\n");
    ck_assert(budget_take(448 * MIB));
    put("/proc/meminfo", "MemAvailable: 9999999 kB\n");
    ck_assert(!budget_take(1));
    budget_give_back(1);
    ck_assert(budget_take(1));
    ck_assert_uint_eq(budget_taken(), 512 * MIB);
}
END_TEST

START_TEST(a_small_machine_gives_64_mib_all_the_same)
{
    ck_assert_ptr_nonnull(other_root_make());
    put("/proc/meminfo", "MemAvailable: 1024 kB\n");
    budget_start(0);
    ck_assert(budget_take(64 * MIB));
    ck_assert(!budget_take(1));
    budget_give_back(64 * MIB);
    ck_assert(budget_take(64 * MIB));
}
END_TEST

START_TEST(where_nothing_is_known_nothing_is_refused)
{
    ck_assert_ptr_nonnull(other_root_make());
    budget_start(0);
    ck_assert(budget_take((size_t)1 << 50));
}
END_TEST

/* For blocks that no canaries alone will do for. */
START_TEST(blocks_leave_some_mappings_to_larger_ones)
{
    static const char *const limits[] = { "65530", "10000", "1000", "100" };
    size_t taken = 0;
    size_t kept = 0;
    ck_assert_ptr_nonnull(other_root_make());
    put("/proc/sys/vm/max_map_count", limits[_i]);
    budget_start(1);
    while (budget_take_mappings(false)) {
        taken++;
    }
    ck_assert(!budget_take_mappings(false));
    while (budget_take_mappings(true)) {
        kept++;
    }
    ck_assert_uint_ge(kept, taken / 20);
    ck_assert_uint_le(kept, taken / 7 + 1);
    budget_give_mappings_back();
    ck_assert(!budget_take_mappings(false));
    ck_assert(budget_take_mappings(true));
}
END_TEST

/* Each live block of mprotect() splits a mapping in three. */
START_TEST(blocks_leave_some_mappings_to_the_program)
{
    static const char *const limits[] = { "65530", "10000", "1000", "100" };
    size_t limit = (size_t)atoi(limits[_i]);
    size_t taken = 0;
    ck_assert_ptr_nonnull(other_root_make());
    put("/proc/sys/vm/max_map_count", limits[_i]);
    budget_start(1);
    while (budget_take_mappings(true)) {
        taken++;
        ck_assert_uint_lt(2 * taken, limit);
    }
    ck_assert_uint_gt(limit - 2 * taken, limit / 20);
    ck_assert_uint_gt(2 * taken, limit / 3);
    ck_assert(!budget_take_mappings(true));
    budget_give_mappings_back();
    ck_assert(budget_take_mappings(true));
    ck_assert(!budget_take_mappings(true));
}
END_TEST

enum { ROUNDS = 2000000 };

static pthread_barrier_t all_are_here;
static atomic_bool is_ending;

static void *ask_for_too_much(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_are_here);
    while (!atomic_load(&is_ending)) {
        if (budget_take(SIZE_MAX / 2)) {
            return &is_ending;
        }
    }
    return NULL;
}

START_TEST(a_thread_that_is_refused_takes_nothing_from_another)
{
    pthread_t thread;
    void *was_given;
    size_t refused = 0;
    budget_start(1000);
    ck_assert_int_eq(pthread_barrier_init(&all_are_here, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_for_too_much, NULL), 0);
    pthread_barrier_wait(&all_are_here);
    for (int i = 0; i < ROUNDS; i++) {
        if (budget_take(1000)) {
            budget_give_back(1000);
        } else {
            refused++;
        }
    }
    atomic_store(&is_ending, true);
    pthread_join(thread, &was_given);
    ck_assert_ptr_null(was_given);
    ck_assert_uint_eq(refused, 0);
    ck_assert_uint_eq(budget_taken(), 0);
    ck_assert_uint_eq(budget_peak(), 1000);
}
END_TEST

static void *take_65_mib(void *is_given)
{
    pthread_barrier_wait(&all_are_here);
    *(bool *)is_given = budget_take(65 * MIB);
    return NULL;
}

START_TEST(threads_wait_for_what_is_looked_up)
{
    enum { THREADS = 4 };
    ck_assert_ptr_nonnull(other_root_make());
    put("/proc/meminfo", "MemAvailable: 1048576 kB\n");
    ck_assert_int_eq(pthread_barrier_init(&all_are_here, NULL, THREADS), 0);
    for (int round = 0; round < 500; round++) {
        pthread_t threads[THREADS];
        bool is_given[THREADS];
        budget_start(0);
        for (int i = 0; i < THREADS; i++) {
            ck_assert_int_eq(
                pthread_create(&threads[i], NULL, take_65_mib, &is_given[i]),
                0);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            ck_assert(is_given[i]);
            budget_give_back(65 * MIB);
        }
    }
}
END_TEST

static void *take_one_by_one(void *taken)
{
    pthread_barrier_wait(&all_are_here);
    while (budget_take(1)) {
        ++*(size_t *)taken;
    }
    return NULL;
}

START_TEST(threads_take_the_limit_between_them)
{
    pthread_t threads[2];
    size_t taken[2] = { 0, 0 };
    budget_start(ROUNDS);
    ck_assert_int_eq(pthread_barrier_init(&all_are_here, NULL, 2), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_one_by_one, &taken[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(taken[0] + taken[1], ROUNDS);
    ck_assert_uint_eq(budget_taken(), ROUNDS);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, NULL, other_root_remove);
    tcase_add_test(tests, the_limit_is_exact);
    tcase_add_test(tests, large_blocks_are_counted_apart);
    tcase_add_test(tests, a_sum_that_does_not_fit_is_refused);
    tcase_add_test(tests, what_is_forced_counts_like_all_else);
    tcase_add_test(tests, the_peak_is_the_most_there_ever_was);
    tcase_add_test(tests, without_a_limit_half_of_what_is_available_is_given);
    tcase_add_test(tests, a_small_machine_gives_64_mib_all_the_same);
    tcase_add_test(tests, where_nothing_is_known_nothing_is_refused);
    tcase_add_loop_test(tests, blocks_leave_some_mappings_to_larger_ones, 0, 4);
    tcase_add_loop_test(tests, blocks_leave_some_mappings_to_the_program, 0, 4);
    tcase_add_test(tests, a_thread_that_is_refused_takes_nothing_from_another);
    tcase_add_test(tests, threads_wait_for_what_is_looked_up);
    tcase_add_test(tests, threads_take_the_limit_between_them);
}

int main(void)
{
    return unit_run("alloc/budget", add);
}
