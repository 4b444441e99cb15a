/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/process: who the process is, and how it ends. */
#include "os/process.h"

#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child ends that runs BODY: a wait status. */
static int ending_of(void (*body)(void))
{
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(123);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void *thread_id(void *result)
{
    *(int *)result = process_thread_id();
    return NULL;
}

START_TEST(a_process_and_its_threads_have_numbers)
{
    int other = 0;
    pthread_t thread;
    ck_assert_int_eq(process_id(), getpid());
    ck_assert_int_eq(process_thread_id(), process_id());
    ck_assert_int_eq(pthread_create(&thread, NULL, thread_id, &other), 0);
    pthread_join(thread, NULL);
    ck_assert_int_ne(other, 0);
    ck_assert_int_ne(other, process_thread_id());
}
END_TEST

static bool can_read(const char *name)
{
    char byte;
    int descriptor = process_open(name);
    bool is_read = descriptor >= 0 && read(descriptor, &byte, 1) == 1;
    close(descriptor);
    return is_read;
}

static pthread_t main_thread;

static void *read_after_main(void *unused)
{
    pthread_join(main_thread, NULL);
    _exit(can_read("maps") && can_read("statm") ? 0 : 1);
    return unused;
}

static void end_main(void)
{
    pthread_t thread;
    main_thread = pthread_self();
    if (pthread_create(&thread, NULL, read_after_main, NULL) == 0) {
        pthread_exit(NULL);
    }
}

START_TEST(the_files_of_a_process_can_be_read_also_when_main_has_ended)
{
    ck_assert(can_read("maps"));
    ck_assert_int_eq(process_open("no such file"), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(ending_of(end_main), 0);
}
END_TEST

START_TEST(the_name_of_a_thread_fits_and_ends)
{
    char name[16];
    memset(name, 'x', sizeof name);
    ck_assert_int_eq(prctl(PR_SET_NAME, "a name too long for the kernel"), 0);
    process_thread_name(name);
    ck_assert_str_eq(name, "a name too long");
    ck_assert_int_eq(prctl(PR_SET_NAME, "short"), 0);
    process_thread_name(name);
    ck_assert_str_eq(name, "short");
    ck_assert_int_eq(name[15], 0);
}
END_TEST

START_TEST(a_test_has_the_rights_of_its_caller)
{
    ck_assert(!process_is_privileged());
}
END_TEST

START_TEST(secrets_differ)
{
    ck_assert_uint_ne(process_secret(), process_secret());
}
END_TEST

static void write_late(void)
{
    _exit(55);
}

static void exit_with_handler(void)
{
    atexit(write_late);
    process_exit(7);
}

START_TEST(exiting_runs_no_exit_handlers)
{
    int status = ending_of(exit_with_handler);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

static void end_by_a_blocked_signal(void)
{
    sigset_t all;
    sigfillset(&all);
    signal(SIGABRT, SIG_IGN);
    sigprocmask(SIG_SETMASK, &all, NULL);
    process_end_by(SIGABRT);
}

START_TEST(a_signal_ends_it_though_ignored_and_blocked)
{
    int status = ending_of(end_by_a_blocked_signal);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

static void on_signal(int signal)
{
    (void)signal;
    _exit(55);
}

static void set_default_and_raise(void)
{
    signal(SIGTERM, on_signal);
    process_set_default(SIGTERM);
    raise(SIGTERM);
}

START_TEST(a_signal_set_to_its_default_does_that)
{
    int status = ending_of(set_default_and_raise);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGTERM);
}
END_TEST

static void *wait_for_the_end(void *unused)
{
    (void)unused;
    process_wait_for_the_end();
}

static void end_while_a_thread_waits(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_the_end, NULL);
    _exit(9);
}

START_TEST(a_thread_that_waits_does_not_hold_up_the_end)
{
    int status = ending_of(end_while_a_thread_waits);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 9);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    char name[16];
    errno = EDOM;
    process_id();
    process_thread_name(name);
    process_is_privileged();
    process_secret();
    process_set_default(-1);
    process_yield();
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_process_and_its_threads_have_numbers);
    tcase_add_test(
        tests, the_files_of_a_process_can_be_read_also_when_main_has_ended);
    tcase_add_test(tests, the_name_of_a_thread_fits_and_ends);
    tcase_add_test(tests, a_test_has_the_rights_of_its_caller);
    tcase_add_test(tests, secrets_differ);
    tcase_add_test(tests, exiting_runs_no_exit_handlers);
    tcase_add_test(tests, a_signal_ends_it_though_ignored_and_blocked);
    tcase_add_test(tests, a_signal_set_to_its_default_does_that);
    tcase_add_test(tests, a_thread_that_waits_does_not_hold_up_the_end);
    tcase_add_test(tests, errno_is_left_alone);
}

int main(void)
{
    return unit_run("os/process", add);
}
