/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/lock.h: one thread at a time. */
#include "os/lock.h"

#include "tests/support/unit.h"

#include <pthread.h>
#include <sched.h>

enum { ROUNDS = 50000, THREADS = 4 };

static struct lock lock;
static long counter;

static void *count_up(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        lock_take(&lock);
        /* Long enough for a second thread in here to be noticed. */
        long before = counter;
        __asm__ volatile("" : : : "memory");
        counter = before + 1;
        lock_release(&lock);
    }
    return NULL;
}

START_TEST(a_lock_lets_one_thread_in_at_a_time)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(counter, (long)THREADS * ROUNDS);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

static void *count_once(void *unused)
{
    (void)unused;
    lock_take(&lock);
    counter++;
    lock_release(&lock);
    return NULL;
}

START_TEST(threads_that_wait_are_woken_one_after_another)
{
    pthread_t threads[THREADS];
    lock_take(&lock);
    ck_assert_uint_eq(lock.state, 1);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_once, NULL),
                         0);
    }
    while (lock.state != 2) {
        sched_yield();
    }
    ck_assert_int_eq(counter, 0);
    lock_release(&lock);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(counter, THREADS);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

START_TEST(a_lock_that_was_reset_is_free)
{
    lock_take(&lock);
    lock_reset_after_fork(&lock);
    lock_take(&lock);
    lock_release(&lock);
    ck_assert_uint_eq(lock.state, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_lock_lets_one_thread_in_at_a_time);
    tcase_add_test(tests, threads_that_wait_are_woken_one_after_another);
    tcase_add_test(tests, a_lock_that_was_reset_is_free);
}

int main(void)
{
    return unit_run("os/lock", add);
}
