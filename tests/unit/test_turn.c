/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/turn: one at a time, as long as nobody keeps the others waiting. */
#include "os/turn.h"

#include "tests/support/child.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A thread that has waited may find the turn free or give up waiting; only
 * that it goes on at all can be relied upon. */
static void *begin_and_end(void *began)
{
    turn_begin();
    atomic_store((_Atomic bool *)began, true);
    turn_end();
    return NULL;
}

START_TEST(a_turn_that_nobody_has_is_given_at_once)
{
    /* Without a sleep, which takes 50 microseconds at least: so many turns
     * would take 5 seconds. */
    enum { TURNS = 100000 };
    int64_t began = now();
    for (int i = 0; i < TURNS; i++) {
        turn_begin();
        turn_end();
    }
    ck_assert_int_lt(now() - began, (int64_t)TURNS * 50000);
}
END_TEST

/* The longest that turns have slept at once, in nanoseconds: they call this. */
static _Atomic long longest_sleep;

int nanosleep(const struct timespec *time, struct timespec *rest)
{
    if (time->tv_nsec > longest_sleep) {
        longest_sleep = time->tv_nsec;
    }
    return (int)syscall(SYS_nanosleep, time, rest);
}

START_TEST(a_thread_sleeps_while_another_has_the_turn)
{
    pthread_t thread;
    _Atomic bool has_begun = false;
    longest_sleep = 0;
    turn_begin();
    int64_t began = now();
    ck_assert_int_eq(pthread_create(&thread, NULL, begin_and_end, &has_begun),
                     0);
    /* Nobody gives it up, or does anything: the thread goes on by itself. */
    pthread_join(thread, NULL);
    ck_assert(has_begun);
    ck_assert_int_ge(now() - began, 50000);
    ck_assert_int_eq(longest_sleep, 50000);
    turn_end();
}
END_TEST

static void spin(int64_t nanoseconds)
{
    for (int64_t began = now(); now() - began < nanoseconds;) {
    }
}

/* How long threads have the turn, and how long they do without. */
static struct {
    int64_t with;
    int64_t without;
    /* 0: until they are told to end. */
    int turns;
    _Atomic bool is_over;
} pace;

static void *keep_pace(void *unused)
{
    for (int i = 0; !pace.is_over && (pace.turns == 0 || i < pace.turns);
         i++) {
        turn_begin();
        spin(pace.with);
        turn_end();
        spin(pace.without);
    }
    return unused;
}

static void keep_pace_in_two(pthread_t threads[2])
{
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_pace, NULL),
                         0);
    }
}

START_TEST(threads_that_meet_by_chance_sleep_shortly)
{
    pthread_t threads[2];
    longest_sleep = 0;
    pace.with = 20000;
    pace.without = 60000;
    pace.turns = 3000;
    keep_pace_in_two(threads);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(longest_sleep, 50000);
}
END_TEST

START_TEST(threads_that_revoke_all_the_time_sleep_long)
{
    pthread_t threads[2];
    longest_sleep = 0;
    pace.with = 3000;
    pace.without = 0;
    pace.turns = 0;
    keep_pace_in_two(threads);
    /* A test that takes too long has failed. */
    while (longest_sleep < 8000000) {
        sched_yield();
    }
    pace.is_over = true;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}
END_TEST

START_TEST(waiting_leaves_errno_alone)
{
    turn_begin();
    errno = EDOM;
    /* By the same thread, which is as good as another one. */
    turn_begin();
    ck_assert_int_eq(errno, EDOM);
    turn_end();
}
END_TEST

static void *begin_and_end_cancelled(void *began)
{
    pthread_cancel(pthread_self());
    return begin_and_end(began);
}

START_TEST(a_thread_that_is_cancelled_waits_all_the_same)
{
    pthread_t thread;
    _Atomic bool has_begun = false;
    turn_begin();
    ck_assert_int_eq(pthread_create(&thread, NULL, begin_and_end_cancelled,
                                    &has_begun),
                     0);
    pthread_join(thread, NULL);
    ck_assert(has_begun);
    turn_end();
}
END_TEST

enum { COUNT = 200000 };

static struct {
    /* How often each thread has gone in and out: odd while it is in. */
    _Atomic long passages[2];
    _Atomic long together;
} work;

static void *take_turns(void *own)
{
    _Atomic long *passages = own;
    const _Atomic long *other
        = &work.passages[passages == &work.passages[0] ? 1 : 0];
    long met = 0;
    for (int i = 0; i < COUNT; i++) {
        turn_begin();
        atomic_fetch_add(passages, 1);
        long passage = atomic_load(other);
        /* Whoever loses the processor in there is met by many, once. */
        if (passage % 2 == 1 && passage != met) {
            met = passage;
            atomic_fetch_add(&work.together, 1);
        }
        atomic_fetch_add(passages, 1);
        turn_end();
    }
    return NULL;
}

START_TEST(threads_are_seldom_at_it_together)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_turns,
                                        (void *)&work.passages[i]),
                         0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    /* Only where one that has the turn does nothing does another go ahead. */
    ck_assert_int_lt(work.together, COUNT / 100);
}
END_TEST

static int take_a_turn_in_a_child(void *unused)
{
    (void)unused;
    turn_reset_after_fork();
    int64_t began = now();
    turn_begin();
    turn_end();
    return now() - began < 20000000 ? 0 : 1;
}

START_TEST(a_child_does_not_wait_for_threads_it_does_not_have)
{
    turn_begin();
    ck_assert_int_eq(
        child_ending(CHILD_FORKED, take_a_turn_in_a_child, NULL), 0);
    turn_end();
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_turn_that_nobody_has_is_given_at_once);
    tcase_add_test(tests, a_thread_sleeps_while_another_has_the_turn);
    tcase_add_test(tests, threads_that_meet_by_chance_sleep_shortly);
    tcase_add_test(tests, threads_that_revoke_all_the_time_sleep_long);
    tcase_add_test(tests, waiting_leaves_errno_alone);
    tcase_add_test(tests, a_thread_that_is_cancelled_waits_all_the_same);
    tcase_add_test(tests, threads_are_seldom_at_it_together);
    tcase_add_test(tests, a_child_does_not_wait_for_threads_it_does_not_have);
}

int main(void)
{
    return unit_run("os/turn", add);
}
