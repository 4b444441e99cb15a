/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * os/pages, os/maps, os/lock, os/thread, os/process, os/context: what the
 * kernel is asked for.
 */
#include "os/context.h"
#include "os/lock.h"
#include "os/maps.h"
#include "os/pages.h"
#include "os/process.h"
#include "os/thread.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

START_TEST(mapped_pages_are_zero_and_reserved_ones_are_out_of_reach)
{
    uintptr_t mapped;
    uintptr_t reserved;
    char byte = 1;
    ck_assert_int_eq(pages_map(pages_size(), "test", &mapped), 0);
    ck_assert(pages_peek(mapped, 1, &byte));
    ck_assert_int_eq(byte, 0);
    ck_assert_int_eq(pages_reserve(pages_size(), &reserved), 0);
    ck_assert(!pages_peek(reserved, 1, &byte));
    ck_assert_int_eq(pages_allow(reserved, pages_size()), 0);
    ck_assert(pages_peek(reserved, 1, &byte));
    ck_assert_int_eq(pages_deny(reserved, pages_size()), 0);
    ck_assert(!pages_peek(reserved, 1, &byte));
    pages_unmap(mapped, pages_size());
    ck_assert(!pages_peek(mapped, 1, &byte));
}
END_TEST

START_TEST(dropped_pages_read_as_zero)
{
    uintptr_t page;
    ck_assert_int_eq(pages_map(pages_size(), "test", &page), 0);
    *(char *)page = 'x';
    ck_assert_int_eq(pages_drop(page, pages_size()), 0);
    ck_assert_int_eq(*(char *)page, 0);
}
END_TEST

START_TEST(errors_are_returned_and_errno_is_left_alone)
{
    uintptr_t start;
    errno = EDOM;
    ck_assert_int_eq(pages_reserve((size_t)1 << 62, &start), ENOMEM);
    ck_assert_int_eq(pages_allow(16, pages_size()), EINVAL);
    ck_assert_int_eq(pages_drop(16, pages_size()), EINVAL);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(the_limit_on_address_space_is_seen)
{
    ck_assert_uint_eq(pages_address_space_left(), SIZE_MAX);
    struct rlimit limit = { .rlim_cur = (rlim_t)1 << 50,
                            .rlim_max = (rlim_t)1 << 50 };
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    size_t left = pages_address_space_left();
    ck_assert_uint_lt(left, (size_t)1 << 50);
    ck_assert_uint_gt(left, 0);
}
END_TEST

START_TEST(an_address_of_the_program_is_found_in_its_file)
{
    struct maps_module module;
    char self[256] = "";
    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    uintptr_t here = (uintptr_t)(void *)&unit_run;
    ck_assert(maps_find(here, &module));
    ck_assert_str_eq(module.path, self);
    ck_assert_uint_gt(module.offset, 0);
    ck_assert_uint_le(module.offset, here);
}
END_TEST

START_TEST(memory_that_is_no_file_has_no_module)
{
    struct maps_module module;
    int local = 0;
    ck_assert(!maps_find((uintptr_t)&local, &module));
    ck_assert(!maps_find(16, &module));
    ck_assert(!maps_find(UINTPTR_MAX, &module));
}
END_TEST

enum { ROUNDS = 20000, THREADS = 4 };
static struct lock lock;
static long counter;

static void *count_up(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        lock_take(&lock);
        counter++;
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

static void *prepare(void *result)
{
    int here;
    stack_t stack;
    bool *is_right = result;
    *is_right = thread_prepare() == 0 && thread_prepare() == 0
                && sigaltstack(NULL, &stack) == 0
                && (stack.ss_flags & SS_DISABLE) == 0
                && stack.ss_size >= 65536
                && thread_stack_in_signal().low < (uintptr_t)&here
                && thread_stack_in_signal().high > (uintptr_t)&here
                && !thread_is_main();
    return NULL;
}

START_TEST(a_prepared_thread_knows_its_stack_and_has_another)
{
    bool is_right = false;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, prepare, &is_right), 0);
    pthread_join(thread, NULL);
    ck_assert(is_right);
    ck_assert(thread_is_main());
}
END_TEST

static char own_stack[65536];

static void *prepare_with_own_stack(void *result)
{
    stack_t stack = { .ss_sp = own_stack, .ss_size = sizeof own_stack };
    stack_t after;
    bool *is_kept = result;
    sigaltstack(&stack, NULL);
    *is_kept = thread_prepare() == 0 && sigaltstack(NULL, &after) == 0
               && after.ss_sp == own_stack;
    return NULL;
}

START_TEST(a_thread_with_an_alternate_stack_keeps_it)
{
    bool is_kept = false;
    pthread_t thread;
    ck_assert_int_eq(
        pthread_create(&thread, NULL, prepare_with_own_stack, &is_kept), 0);
    pthread_join(thread, NULL);
    ck_assert(is_kept);
}
END_TEST

START_TEST(ten_thousand_prepared_threads_leave_nothing_behind)
{
    bool is_right = false;
    size_t before = 0;
    struct rlimit limit = { .rlim_cur = (rlim_t)1 << 46,
                            .rlim_max = (rlim_t)1 << 46 };
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (int i = 0; i < 10000; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, prepare, &is_right), 0);
        pthread_join(thread, NULL);
        ck_assert(is_right);
        if (i == 100) {
            before = pages_address_space_left();
        }
    }
    ck_assert_uint_eq(pages_address_space_left(), before);
}
END_TEST

static uintptr_t stack_seen;

static void note_stack(void *argument)
{
    int here;
    stack_seen = (uintptr_t)&here;
    *(int *)argument += 1;
}

START_TEST(a_function_runs_on_another_stack_and_comes_back)
{
    uintptr_t stack;
    int calls = 0;
    ck_assert_int_eq(pages_map(pages_size() * 4, "test", &stack), 0);
    context_call_on_stack(note_stack, &calls, stack + pages_size() * 4);
    ck_assert_int_eq(calls, 1);
    ck_assert_uint_ge(stack_seen, stack);
    ck_assert_uint_lt(stack_seen, stack + pages_size() * 4);
}
END_TEST

START_TEST(secrets_differ)
{
    ck_assert_uint_ne(process_secret(), process_secret());
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests,
                   mapped_pages_are_zero_and_reserved_ones_are_out_of_reach);
    tcase_add_test(tests, dropped_pages_read_as_zero);
    tcase_add_test(tests, errors_are_returned_and_errno_is_left_alone);
    tcase_add_test(tests, the_limit_on_address_space_is_seen);
    tcase_add_test(tests, an_address_of_the_program_is_found_in_its_file);
    tcase_add_test(tests, memory_that_is_no_file_has_no_module);
    tcase_add_test(tests, a_lock_lets_one_thread_in_at_a_time);
    tcase_add_test(tests, a_lock_that_was_reset_is_free);
    tcase_add_test(tests, a_prepared_thread_knows_its_stack_and_has_another);
    tcase_add_test(tests, a_thread_with_an_alternate_stack_keeps_it);
    tcase_add_test(tests, ten_thousand_prepared_threads_leave_nothing_behind);
    tcase_add_test(tests, a_function_runs_on_another_stack_and_comes_back);
    tcase_add_test(tests, secrets_differ);
}

int main(void)
{
    return unit_run("os", add);
}
