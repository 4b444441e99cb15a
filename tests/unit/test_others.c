/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/tasks and os/others: which threads there are, and stopping them. */
#include "os/others.h"

#include "os/process.h"
#include "os/tasks.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { THREADS = 5 };

static _Atomic bool is_over;
static _Atomic int begun;
static _Atomic unsigned long steps[THREADS];
static _Atomic int strangers;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    strangers += !others_meet(info, context);
}

static void set_up(void)
{
    struct sigaction action = { .sa_sigaction = on_signal,
                                .sa_flags = SA_SIGINFO | SA_NODEFER };
    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    is_over = false;
    begun = 0;
    strangers = 0;
}

static void *step(void *place)
{
    begun++;
    while (!is_over) {
        (*(_Atomic unsigned long *)place)++;
    }
    return NULL;
}

static void *step_deaf(void *place)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return step(place);
}

static pthread_t threads[THREADS];

static void start_threads(void *(*function)(void *))
{
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, function, (void *)&steps[i]), 0);
    }
    while (begun < THREADS) {
        sched_yield();
    }
}

static void end_threads(void)
{
    is_over = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static size_t count_stopped(void)
{
    size_t stopped = 0;
    for (size_t i = 0; i < others_count(); i++) {
        stopped += others_at(i) != NULL;
    }
    return stopped;
}

static unsigned long all_steps(void)
{
    unsigned long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        sum += steps[i];
    }
    return sum;
}

static bool note_task(int task, void *seen)
{
    *(int *)seen = *(int *)seen != 0 ? -1 : task;
    return true;
}

START_TEST(the_only_thread_is_listed)
{
    int seen = 0;
    errno = EDOM;
    ck_assert_int_eq(tasks_each(note_task, &seen), 0);
    ck_assert_int_eq(seen, process_thread_id());
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(a_status_tells_what_is_blocked)
{
    struct task_status status;
    sigset_t set;
    ck_assert(tasks_status(process_thread_id(), &status));
    ck_assert(!status.has_ended);
    ck_assert(!status.is_out_of_reach);
    ck_assert_uint_eq(status.blocked & (1u << (SIGUSR1 - 1)), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    ck_assert(tasks_status(process_thread_id(), &status));
    ck_assert_uint_ne(status.blocked & (1u << (SIGUSR1 - 1)), 0);
    ck_assert(!tasks_status(1 << 30, &status));
}
END_TEST

START_TEST(stopped_threads_do_nothing_and_then_go_on)
{
    size_t left_out = 99;
    start_threads(step);
    for (int round = 0; round < 100; round++) {
        ck_assert_int_eq(others_stop(true, &left_out), 0);
        unsigned long before = all_steps();
        size_t stopped = count_stopped();
        sched_yield();
        unsigned long after = all_steps();
        others_go_on();
        ck_assert_uint_eq(stopped, THREADS);
        ck_assert_uint_eq(left_out, 0);
        ck_assert_uint_eq(before, after);
    }
    unsigned long stood = all_steps();
    while (all_steps() == stood) {
        sched_yield();
    }
    end_threads();
    ck_assert_int_eq(strangers, 0);
}
END_TEST

static int first_other;

static bool find_other(int task, void *self)
{
    if (task != *(int *)self) {
        first_other = task;
    }
    return true;
}

/* A handler of the program's would go on, with who knows what. */
START_TEST(no_signal_comes_to_a_stopped_thread)
{
    size_t left_out;
    struct task_status status = { .blocked = 0 };
    int self = process_thread_id();
    start_threads(step);
    ck_assert_int_eq(others_stop(true, &left_out), 0);
    tasks_each(find_other, &self);
    bool is_there = tasks_status(first_other, &status);
    others_go_on();
    end_threads();
    ck_assert(is_there);
    /* But for SIGKILL and SIGSTOP, which cannot be. */
    ck_assert_uint_eq(~status.blocked, (uint64_t)1 << (SIGKILL - 1)
                                           | (uint64_t)1 << (SIGSTOP - 1));
}
END_TEST

/* As it is where a signal was sent again, and its value was lost. */
START_TEST(a_second_signal_does_not_outlive_the_stop)
{
    size_t left_out;
    union sigval value = { .sival_int = 7 };
    struct rlimit none = { 0, 0 };
    start_threads(step);
    setrlimit(RLIMIT_SIGPENDING, &none);
    ck_assert_int_eq(others_stop(true, &left_out), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_sigqueue(threads[i], SIGSEGV, value);
    }
    others_go_on();
    end_threads();
    ck_assert_uint_eq(left_out, 0);
    ck_assert_int_eq(strangers, 0);
}
END_TEST

START_TEST(threads_that_cannot_hear_are_left_out)
{
    size_t left_out = 0;
    start_threads(step_deaf);
    ck_assert_int_eq(others_stop(true, &left_out), 0);
    size_t stopped = count_stopped();
    others_go_on();
    ck_assert_uint_eq(stopped, 0);
    ck_assert_uint_eq(left_out, THREADS);
    end_threads();
}
END_TEST

START_TEST(without_a_handler_none_is_asked)
{
    size_t left_out = 0;
    start_threads(step);
    signal(SIGSEGV, SIG_DFL);
    ck_assert_int_eq(others_stop(false, &left_out), 0);
    ck_assert_uint_eq(count_stopped(), 0);
    others_go_on();
    ck_assert_uint_eq(left_out, THREADS);
    end_threads();
}
END_TEST

START_TEST(a_signal_of_another_one_is_not_ours)
{
    size_t left_out;
    union sigval value = { .sival_int = 7 };
    raise(SIGSEGV);
    ck_assert_int_eq(strangers, 1);
    ck_assert_int_eq(pthread_sigqueue(pthread_self(), SIGSEGV, value), 0);
    ck_assert_int_eq(strangers, 2);
    ck_assert_int_eq(others_stop(true, &left_out), 0);
    ck_assert_uint_eq(count_stopped(), 0);
    others_go_on();
    ck_assert_int_eq(strangers, 2);
}
END_TEST

START_TEST(the_mask_is_as_it_was)
{
    size_t left_out;
    sigset_t before;
    sigset_t after;
    sigprocmask(SIG_BLOCK, NULL, &before);
    ck_assert_int_eq(others_stop(true, &left_out), 0);
    others_go_on();
    sigprocmask(SIG_BLOCK, NULL, &after);
    ck_assert_mem_eq(&before, &after, 8);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, the_only_thread_is_listed);
    tcase_add_test(tests, a_status_tells_what_is_blocked);
    tcase_add_test(tests, stopped_threads_do_nothing_and_then_go_on);
    tcase_add_test(tests, no_signal_comes_to_a_stopped_thread);
    tcase_add_test(tests, a_second_signal_does_not_outlive_the_stop);
    tcase_add_test(tests, threads_that_cannot_hear_are_left_out);
    tcase_add_test(tests, without_a_handler_none_is_asked);
    tcase_add_test(tests, a_signal_of_another_one_is_not_ours);
    tcase_add_test(tests, the_mask_is_as_it_was);
}

int main(void)
{
    return unit_run("os/others", add);
}
