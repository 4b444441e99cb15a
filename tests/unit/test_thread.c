/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/thread: where a stack ends, and another one for that moment. */
#include "os/thread.h"

#include "os/pages.h"
#include "tests/support/probe.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

/* Asked in the thread, looked at when it has ended: check cannot report from
 * other threads. */
struct answers {
    int error;
    int error_again;
    bool knows_nothing_before;
    uintptr_t here;
    struct thread_stack bounds;
    stack_t alternate;
    stack_t alternate_again;
    bool is_usable;
    bool is_guarded;
};

static void *prepare(void *result)
{
    struct answers *answers = result;
    answers->knows_nothing_before = thread_stack_in_signal().high == 0;
    answers->here = (uintptr_t)__builtin_frame_address(0);
    answers->error = thread_prepare();
    sigaltstack(NULL, &answers->alternate);
    answers->error_again = thread_prepare();
    sigaltstack(NULL, &answers->alternate_again);
    answers->bounds = thread_stack_in_signal();
    uintptr_t low = (uintptr_t)answers->alternate.ss_sp;
    answers->is_usable
        = probe_is_writable(low)
          && probe_is_writable(low + answers->alternate.ss_size - 1);
    answers->is_guarded = !probe_is_readable(low - 1);
    return NULL;
}

static struct answers ask_a_thread(void *(*function)(void *))
{
    struct answers answers = { .error = -1 };
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, function, &answers), 0);
    pthread_join(thread, NULL);
    return answers;
}

START_TEST(a_prepared_thread_knows_the_bounds_of_its_stack)
{
    struct answers answers = ask_a_thread(prepare);
    ck_assert_int_eq(answers.error, 0);
    ck_assert(answers.knows_nothing_before);
    ck_assert_uint_lt(answers.bounds.low, answers.here);
    ck_assert_uint_gt(answers.bounds.high, answers.here);
}
END_TEST

START_TEST(the_main_thread_knows_the_bounds_of_its_stack)
{
    ck_assert_int_eq(thread_prepare(), 0);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    ck_assert_uint_lt(thread_stack_in_signal().low, here);
    ck_assert_uint_gt(thread_stack_in_signal().high, here);
}
END_TEST

START_TEST(a_prepared_thread_has_an_alternate_stack_with_a_guard)
{
    struct answers answers = ask_a_thread(prepare);
    ck_assert_int_eq(answers.alternate.ss_flags & SS_DISABLE, 0);
    ck_assert_uint_ge(answers.alternate.ss_size, 65536);
    ck_assert(answers.is_usable);
    ck_assert(answers.is_guarded);
}
END_TEST

START_TEST(preparing_again_changes_nothing)
{
    struct answers answers = ask_a_thread(prepare);
    ck_assert_int_eq(answers.error_again, 0);
    ck_assert_ptr_eq(answers.alternate_again.ss_sp, answers.alternate.ss_sp);
}
END_TEST

static char own_stack[65536];

static void *prepare_with_own_stack(void *result)
{
    stack_t stack = { .ss_sp = own_stack, .ss_size = sizeof own_stack };
    sigaltstack(&stack, NULL);
    return prepare(result);
}

START_TEST(a_thread_with_an_alternate_stack_keeps_it)
{
    struct answers answers = ask_a_thread(prepare_with_own_stack);
    ck_assert_int_eq(answers.error, 0);
    ck_assert_ptr_eq(answers.alternate.ss_sp, own_stack);
}
END_TEST

START_TEST(ten_thousand_prepared_threads_leave_nothing_behind)
{
    size_t before = 0;
    struct rlimit limit = { .rlim_cur = (rlim_t)1 << 46,
                            .rlim_max = (rlim_t)1 << 46 };
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_eq(ask_a_thread(prepare).error, 0);
        if (i == 100) {
            before = pages_address_space_left();
        }
    }
    ck_assert_uint_eq(pages_address_space_left(), before);
}
END_TEST

START_TEST(without_memory_a_thread_stays_as_it_was)
{
    struct rlimit limit;
    stack_t stack;
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    rlim_t most = limit.rlim_max;
    limit.rlim_cur = 4096;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    errno = EDOM;
    ck_assert_int_eq(thread_prepare(), ENOMEM);
    ck_assert_int_eq(errno, EDOM);
    limit.rlim_cur = most;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_int_eq(sigaltstack(NULL, &stack), 0);
    ck_assert_int_ne(stack.ss_flags & SS_DISABLE, 0);
    ck_assert_int_eq(thread_prepare(), 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_prepared_thread_knows_the_bounds_of_its_stack);
    tcase_add_test(tests, the_main_thread_knows_the_bounds_of_its_stack);
    tcase_add_test(tests,
                   a_prepared_thread_has_an_alternate_stack_with_a_guard);
    tcase_add_test(tests, preparing_again_changes_nothing);
    tcase_add_test(tests, a_thread_with_an_alternate_stack_keeps_it);
    tcase_add_test(tests, ten_thousand_prepared_threads_leave_nothing_behind);
    tcase_add_test(tests, without_memory_a_thread_stays_as_it_was);
}

int main(void)
{
    return unit_run("os/thread", add);
}
