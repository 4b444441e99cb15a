/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diagnose/report: who may report, whom is told, and how the process ends. A
 * child does each deed; the report is in a file.
 */
#include "diagnose/report.h"

#include "tests/support/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[] = "/tmp/moat-report-XXXXXX";
static char contents[64 * 1024];
static size_t contents_bytes;
static struct report_settings settings;
static struct moat_finding finding;

static void set_up(void)
{
    strcpy(strrchr(path, '-') + 1, "XXXXXX");
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    settings = (struct report_settings){ .exit_status = 42,
                                         .has_halt = true,
                                         .log_path = path };
    memset(&finding, 0, sizeof finding);
    finding.kind = MOAT_KIND_BAD_FREE;
    finding.pid = 4242;
}

static void tear_down(void)
{
    unlink(path);
}

/* The wait status of a child that does DEED with the settings. */
static int ending_of(void (*deed)(void))
{
    pid_t child = fork();
    if (child == 0) {
        report_start(&settings);
        deed();
        _exit(0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    int descriptor = open(path, O_RDONLY);
    ssize_t count = read(descriptor, contents, sizeof contents - 1);
    ck_assert_int_ge(count, 0);
    contents[count] = '\0';
    contents_bytes = (size_t)count;
    close(descriptor);
    return status;
}

static unsigned reports(void)
{
    unsigned count = 0;
    for (const char *at = contents; (at = strstr(at, "==ERROR: ")) != NULL;
         at++) {
        count++;
    }
    return count;
}

static void report(void)
{
    report_claim();
    report_write(&finding);
    report_release();
}

START_TEST(a_report_is_written_and_the_process_goes_on)
{
    ck_assert_int_eq(ending_of(report), 0);
    ck_assert_ptr_eq(strstr(contents, "==4242==ERROR: moat: bad-free"),
                     contents);
    ck_assert_uint_eq(reports(), 1);
    ck_assert_ptr_nonnull(strstr(contents, "\nSUMMARY: moat: bad-free "));
}
END_TEST

START_TEST(a_colourful_report_is_asked_for)
{
    settings.is_colorful = true;
    ck_assert_int_eq(ending_of(report), 0);
    ck_assert_int_eq(contents[0], '\033');
}
END_TEST

static void report_and_end(void)
{
    report_claim();
    report_write(&finding);
    report_end_process();
}

START_TEST(the_process_ends_with_the_status_asked_for)
{
    int status = ending_of(report_and_end);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
    ck_assert_uint_eq(reports(), 1);
}
END_TEST

START_TEST(the_process_ends_by_a_signal_if_asked_for)
{
    settings.has_abort = true;
    int status = ending_of(report_and_end);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}
END_TEST

START_TEST(what_is_asked_for_is_answered)
{
    report_start(&settings);
    ck_assert(report_must_halt());
    ck_assert(!report_must_abort());
    settings.has_halt = false;
    settings.has_abort = true;
    report_start(&settings);
    ck_assert(!report_must_halt());
    ck_assert(report_must_abort());
}
END_TEST

static void claim_twice(void)
{
    report_claim();
    report_claim();
}

START_TEST(a_fault_while_reporting_is_one_line_and_the_end)
{
    int status = ending_of(claim_twice);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
    ck_assert_str_eq(contents, "moat: a fault while reporting; giving up\n");
    ck_assert_uint_eq(contents_bytes, strlen(contents));
}
END_TEST

static void claim_again(void)
{
    report_claim();
    report_release();
    report_claim();
}

START_TEST(what_was_released_can_be_claimed)
{
    ck_assert_int_eq(ending_of(claim_again), 0);
    ck_assert_str_eq(contents, "");
}
END_TEST

static int told;
static bool wants_report;

static bool hear(const struct moat_finding *heard, void *context)
{
    told += heard == &finding && context == &told;
    return wants_report;
}

static void report_to_hook(void)
{
    report_set_hook(hear, &told);
    report();
    _exit(told);
}

START_TEST(a_hook_hears_of_it_first_and_may_keep_the_report_back)
{
    wants_report = _i == 1;
    int status = ending_of(report_to_hook);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
    ck_assert_uint_eq(reports(), _i == 1);
}
END_TEST

START_TEST(setting_a_hook_tells_the_one_before)
{
    ck_assert(report_set_hook(hear, NULL) == NULL);
    ck_assert(report_set_hook(NULL, NULL) == hear);
    ck_assert(report_set_hook(hear, NULL) == NULL);
}
END_TEST

static void report_without_hook(void)
{
    report_set_hook(hear, &told);
    report_set_hook(NULL, NULL);
    report();
    _exit(told);
}

START_TEST(a_hook_that_was_taken_back_hears_nothing)
{
    ck_assert_int_eq(ending_of(report_without_hook), 0);
    ck_assert_uint_eq(reports(), 1);
}
END_TEST

enum { THREADS = 4, ROUNDS = 50 };

static void *report_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        report();
    }
    return NULL;
}

static void report_from_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, report_often, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

START_TEST(threads_report_one_after_another)
{
    char line[] = "SUMMARY: moat: bad-free (unknown)\n";
    ck_assert_int_eq(ending_of(report_from_threads), 0);
    ck_assert_uint_eq(reports(), THREADS * ROUNDS);
    /* Every report is the same, and none is inside another. */
    size_t bytes = (size_t)(strstr(contents, line) - contents) + strlen(line);
    ck_assert_uint_eq(strlen(contents), bytes * THREADS * ROUNDS);
    for (size_t i = 1; i < THREADS * ROUNDS; i++) {
        ck_assert_mem_eq(contents, contents + i * bytes, bytes);
    }
}
END_TEST

static atomic_bool is_waiting;

static void *claim_late(void *unused)
{
    (void)unused;
    is_waiting = true;
    report_claim();
    _exit(7);
}

static void end_while_another_waits(void)
{
    pthread_t thread;
    report_claim();
    pthread_create(&thread, NULL, claim_late, NULL);
    while (!is_waiting) {
        sched_yield();
    }
    report_write(&finding);
    report_end_process();
}

START_TEST(a_thread_that_comes_second_waits_for_the_end)
{
    int status = ending_of(end_while_another_waits);
    ck_assert_int_eq(WEXITSTATUS(status), 42);
    ck_assert_uint_eq(reports(), 1);
}
END_TEST

/* The owner is a thread that is not there in the child. */
static void *claim_and_keep(void *unused)
{
    (void)unused;
    report_claim();
    is_waiting = true;
    pause();
    return NULL;
}

static void report_in_a_forked_child(void)
{
    pthread_t thread;
    int status = -1;
    pthread_create(&thread, NULL, claim_and_keep, NULL);
    while (!is_waiting) {
        sched_yield();
    }
    pid_t child = fork();
    if (child == 0) {
        report_after_fork_in_child();
        report();
        _exit(0);
    }
    waitpid(child, &status, 0);
    _exit(status == 0 ? 0 : 1);
}

START_TEST(in_a_forked_child_nobody_else_is_reporting)
{
    ck_assert_int_eq(ending_of(report_in_a_forked_child), 0);
    ck_assert_uint_eq(reports(), 1);
}
END_TEST

/* All that a finding can hold, as long as it can be. */
START_TEST(the_longest_report_is_whole)
{
    memset(finding.arena.name, 'n', sizeof finding.arena.name - 1);
    memset(finding.requested.name, 'n', sizeof finding.requested.name - 1);
    finding.has_address = true;
    finding.address = (const void *)UINTPTR_MAX;
    finding.arena.base = finding.address;
    finding.arena.is_destroyed = true;
    finding.block.number = (unsigned long)-1;
    finding.block.is_freed = true;
    finding.requested.is_known = true;
    finding.requested.is_arena = true;
    finding.damage_ranges = MOAT_DAMAGE_MAX;
    finding.has_more_damage = true;
    for (unsigned i = 0; i < MOAT_DAMAGE_MAX; i++) {
        finding.damage[i] = (struct moat_damage){
            .start = finding.address, .bytes = SIZE_MAX,
            .distance = SIZE_MAX, .found_bytes = sizeof finding.damage[i].found
        };
    }
    struct moat_stack stack = { .frames = 1,
                                .frame = { (const void *)&report } };
    finding.stacks.fault = stack;
    finding.stacks.alloc = stack;
    finding.stacks.free = stack;
    finding.stacks.create = stack;
    finding.stacks.destroy = stack;
    ck_assert_int_eq(ending_of(report), 0);
    ck_assert_ptr_nonnull(strstr(contents, "\nSUMMARY: moat: bad-free "));
    ck_assert_int_eq(contents[strlen(contents) - 1], '\n');
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_report_is_written_and_the_process_goes_on);
    tcase_add_test(tests, a_colourful_report_is_asked_for);
    tcase_add_test(tests, the_process_ends_with_the_status_asked_for);
    tcase_add_test(tests, the_process_ends_by_a_signal_if_asked_for);
    tcase_add_test(tests, what_is_asked_for_is_answered);
    tcase_add_test(tests, a_fault_while_reporting_is_one_line_and_the_end);
    tcase_add_test(tests, what_was_released_can_be_claimed);
    tcase_add_loop_test(
        tests, a_hook_hears_of_it_first_and_may_keep_the_report_back, 0, 2);
    tcase_add_test(tests, setting_a_hook_tells_the_one_before);
    tcase_add_test(tests, a_hook_that_was_taken_back_hears_nothing);
    tcase_add_test(tests, threads_report_one_after_another);
    tcase_add_test(tests, a_thread_that_comes_second_waits_for_the_end);
    tcase_add_test(tests, in_a_forked_child_nobody_else_is_reporting);
    tcase_add_test(tests, the_longest_report_is_whole);
}

int main(void)
{
    return unit_run("diagnose/report", add);
}
