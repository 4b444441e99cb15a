/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports and refusals whatever the surroundings are: hooks, options that are
 * nonsense, standard error closed, little address space. The program
 * surroundings plays them, on every way of revoking.
 */
#include "tests/support/ending.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct ending ending;

static void play_with(const char *name, const char *options)
{
    char *const arguments[]
        = { ending_program("surroundings"), (char *)name, NULL };
    ending = ending_of(arguments, options);
}

static void play(const char *name, int backend, const char *more)
{
    char options[256];
    snprintf(options, sizeof options, "%s:%s", ending_backends[backend], more);
    play_with(name, options);
}

static void expect(int exit_status, int signal_number, int reports,
                   const char *kind)
{
    ck_assert_msg(ending.exit_status == exit_status
                      && ending.signal == signal_number
                      && ending.reports == reports,
                  "exit status %d, signal %d, %d reports:\n%s",
                  ending.exit_status, ending.signal, ending.reports,
                  ending.text);
    ck_assert_str_eq(ending.kind, kind);
}

static int count(const char *words)
{
    int found = 0;
    for (const char *at = ending.text; (at = strstr(at, words)) != NULL;
         at += strlen(words)) {
        found++;
    }
    return found;
}

START_TEST(a_fault_that_is_not_moats_is_told_and_ends_by_the_signal)
{
    play("wild_read", _i, "");
    expect(-1, SIGSEGV, 1, "segv");
    ck_assert_str_eq(ending.relation, "READ at *, which no arena holds");
    play("wild_write", _i, "");
    expect(-1, SIGSEGV, 1, "segv");
    ck_assert_str_eq(ending.relation, "WRITE at *, which no arena holds");
    ck_assert_str_eq(ending.seen, "access");
}
END_TEST

START_TEST(good_work_is_left_alone)
{
    play("good_work", _i, "");
    expect(0, 0, 0, "");
    ck_assert_str_eq(ending.text, "");
    play("good_work", _i, "placement=alternate:alignment=natural");
    expect(0, 0, 0, "");
    ck_assert_str_eq(ending.text, "");
}
END_TEST

START_TEST(a_hook_is_called_once_and_can_suppress_the_report)
{
    play("fault_with_a_hook_that_suppresses", _i, "");
    expect(99, 0, 0, "");
    ck_assert_str_eq(ending.text, "heard\n");
    play("double_free_with_a_hook_that_suppresses", _i, "");
    expect(99, 0, 0, "");
    ck_assert_str_eq(ending.text, "heard\n");
}
END_TEST

START_TEST(a_hook_is_called_before_the_report)
{
    play("fault_with_a_hook_that_listens", _i, "");
    expect(99, 0, 1, "heap-buffer-overflow");
    ck_assert_ptr_eq(strstr(ending.text, "heard\n"), ending.text);
    ck_assert_int_eq(count("heard\n"), 1);
}
END_TEST

START_TEST(after_a_fault_nothing_goes_on)
{
    play("one_fault", _i, "halt_on_error=0");
    expect(99, 0, 1, "heap-buffer-overflow");
}
END_TEST

START_TEST(errors_at_once_are_reported_whole)
{
    for (int i = 0; i < 10; i++) {
        play("errors_at_once", _i, "");
        ck_assert_int_eq(ending.exit_status, 99);
        ck_assert_int_ge(ending.reports, 1);
        ck_assert_int_eq(count("SUMMARY: moat: double-free"), ending.reports);
        play("errors_at_once", _i, "halt_on_error=0");
        expect(0, 0, 4, "double-free");
        ck_assert_int_eq(count("SUMMARY: moat: double-free"), 4);
    }
}
END_TEST

START_TEST(a_child_logs_under_its_own_number)
{
    char folder[] = "/tmp/moat-surroundings-XXXXXX";
    char option[128];
    char log[128];
    char start[64];
    char text[4096] = "";
    int child = 0;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(option, sizeof option, "log_path=%s/log.%%p", folder);
    play("fault_in_a_child", _i, option);
    expect(99, 0, 0, "");
    ck_assert_int_eq(sscanf(ending.text, "%d", &child), 1);
    ck_assert_int_ne(child, ending.pid);
    snprintf(log, sizeof log, "%s/log.%d", folder, child);
    int descriptor = open(log, O_RDONLY);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_gt(read(descriptor, text, sizeof text - 1), 0);
    close(descriptor);
    snprintf(start, sizeof start, "==%d==ERROR: moat: heap-buffer-overflow",
             child);
    ck_assert_ptr_eq(strstr(text, start), text);
    unlink(log);
    /* Nothing else was written there. */
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* As the manual says: without a stack to report on, the kernel ends it. */
START_TEST(an_unprepared_thread_whose_stack_ends_dies_by_the_signal)
{
    play("recursion_in_an_unprepared_thread", _i, "");
    expect(-1, SIGSEGV, 0, "");
}
END_TEST

START_TEST(a_child_of_a_prepared_thread_reports_the_end_of_its_stack)
{
    play("recursion_in_the_child_of_a_thread", _i, "");
    expect(99, 0, 1, "stack-overflow");
    ck_assert_int_ne(ending.reporter, ending.pid);
}
END_TEST

START_TEST(without_standard_error_a_fault_ends_it_all_the_same)
{
    play("fault_without_standard_error", _i, "");
    expect(99, 0, 0, "");
    ck_assert_str_eq(ending.text, "");
}
END_TEST

START_TEST(a_file_that_was_opened_without_standard_error_gets_no_report)
{
    play("fault_with_data_for_standard_error", _i, "");
    ck_assert_int_eq(ending.exit_status, 99);
}
END_TEST

static const char *const little[]
    = { "with_200_megabytes", "with_64_megabytes", "with_20_megabytes" };

START_TEST(with_little_address_space_it_works_or_says_that_it_does_not)
{
    play(little[_i % 3], _i / 3, "");
    if (ending.exit_status == 99) {
        expect(99, 0, 1, "heap-buffer-overflow");
        return;
    }
    expect(42, 0, 0, "");
    ck_assert_ptr_nonnull(strstr(ending.text, "; arenas will be refused\n"));
}
END_TEST

START_TEST(without_a_region_every_call_is_refused_and_faults_are_reported)
{
    play("without_a_region", _i, "");
    expect(99, 0, 1, "null-dereference");
    ck_assert_ptr_nonnull(strstr(ending.text, "; arenas will be refused\n"));
}
END_TEST

/* What is said of each; the program runs on with the defaults. */
static const struct {
    const char *options;
    const char *said;
} nonsense[] = {
    { "exitcode=0", "exitcode cannot be '0'; it accepts 1..255\n" },
    { "exitcode=256", "exitcode cannot be '256'; it accepts 1..255\n" },
    { "exitcode=-1", "exitcode cannot be '-1'; it accepts 1..255\n" },
    { "exitcode=+7", "exitcode cannot be '+7'; it accepts 1..255\n" },
    { "exitcode=7 ", "exitcode cannot be '7 '; it accepts 1..255\n" },
    { "exitcode=0x7", "exitcode cannot be '0x7'; it accepts 1..255\n" },
    { "exitcode=18446744073709551623",
      "exitcode cannot be '18446744073709551623'; it accepts 1..255\n" },
    { "exitcode=", "exitcode cannot be ''; it accepts 1..255\n" },
    { "exitcode", "exitcode cannot be ''; it accepts 1..255\n" },
    { "halt_on_error=2", "halt_on_error cannot be '2'; it accepts 0|1\n" },
    { "halt_on_error=", "halt_on_error cannot be ''; it accepts 0|1\n" },
    { "abort_on_error=on", "abort_on_error cannot be 'on'; it accepts 0|1\n" },
    { "allow_user_segv_handler=maybe",
      "allow_user_segv_handler cannot be 'maybe'; it accepts 0|1\n" },
    { "help=help", "help cannot be 'help'; it accepts 0|1\n" },
    { "backend=magic", "backend cannot be 'magic'; it accepts auto|" },
    { "backend=guar", "backend cannot be 'guar'; it accepts auto|" },
    { "color=blue",
      "color cannot be 'blue'; it accepts auto|always|never\n" },
    { "placement=middle",
      "placement cannot be 'middle'; it accepts after|before|alternate\n" },
    { "alignment=3", "alignment cannot be '3'; it accepts abi|natural|1|" },
    { "quarantine=many", "quarantine cannot be 'many'; it accepts 0.." },
    { "verbosity=2", "verbosity cannot be '2'; it accepts 0..1\n" },
    { "log_path=", "log_path cannot be ''; it accepts PATH\n" },
    { "Exitcode=7", "unknown option 'Exitcode'; there are " },
    { "=7", "unknown option ''; there are " },
    { "exit\033[31m=7", "unknown option 'exit" },
};

enum { NONSENSE = sizeof nonsense / sizeof nonsense[0] };

START_TEST(nonsense_in_moat_options_is_told_with_what_is_accepted)
{
    play_with("one_fault", nonsense[_i].options);
    expect(99, 0, 1, "heap-buffer-overflow");
    ck_assert_msg(strstr(ending.text, nonsense[_i].said) != NULL,
                  "no \"%s\" in:\n%s", nonsense[_i].said, ending.text);
    ck_assert_int_eq(count("moat: MOAT_OPTIONS: using the defaults for "
                           "these\n"), 1);
    ck_assert_ptr_null(strchr(ending.text, '\033'));
}
END_TEST

START_TEST(empty_entries_in_moat_options_are_nothing)
{
    static const char *const empty[] = { "", ":", ":::", "exitcode=99:" };
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        play_with("good_work", empty[i]);
        expect(0, 0, 0, "");
        ck_assert_str_eq(ending.text, "");
    }
}
END_TEST

START_TEST(very_long_moat_options_do_no_harm)
{
    static char options[100000];
    memset(options, 'x', sizeof options - 1);
    play_with("one_fault", options);
    expect(99, 0, 1, "heap-buffer-overflow");
    memcpy(options, "log_path=", 9);
    play_with("one_fault", options);
    expect(99, 0, 1, "heap-buffer-overflow");
    for (size_t i = 0; i < sizeof options - 2; i += 2) {
        memcpy(options + i, "x:", 2);
    }
    memcpy(options + sizeof options - 12, ":exitcode=7", 12);
    play_with("one_fault", options);
    expect(7, 0, 1, "heap-buffer-overflow");
}
END_TEST

START_TEST(no_log_that_cannot_be_written_loses_a_report)
{
    static const char *const logs[][2] = {
        { "log_path=/tmp", "log_path /tmp: EISDIR" },
        { "log_path=/none/%p", "log_path /none/%p: ENOENT" },
        { "log_path=/dev/null/log", "log_path /dev/null/log: ENOTDIR" },
    };
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++) {
        play_with("one_fault", logs[i][0]);
        expect(99, 0, 1, "heap-buffer-overflow");
        ck_assert_int_eq(count("; reports go to standard error\n"), 1);
        ck_assert_msg(strstr(ending.text, logs[i][1]) != NULL,
                      "no \"%s\" in:\n%s", logs[i][1], ending.text);
    }
}
END_TEST

static void add(TCase *tests)
{
    const TTest *const each[] = {
        a_fault_that_is_not_moats_is_told_and_ends_by_the_signal,
        good_work_is_left_alone,
        a_hook_is_called_once_and_can_suppress_the_report,
        a_hook_is_called_before_the_report,
        after_a_fault_nothing_goes_on,
        errors_at_once_are_reported_whole,
        a_child_logs_under_its_own_number,
        an_unprepared_thread_whose_stack_ends_dies_by_the_signal,
        a_child_of_a_prepared_thread_reports_the_end_of_its_stack,
        without_standard_error_a_fault_ends_it_all_the_same,
        a_file_that_was_opened_without_standard_error_gets_no_report,
        without_a_region_every_call_is_refused_and_faults_are_reported,
    };
    int ways = ending_find_backends();
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        tcase_add_loop_test(tests, each[i], 0, ways);
    }
    tcase_add_loop_test(
        tests, with_little_address_space_it_works_or_says_that_it_does_not, 0,
        3 * ways);
    tcase_add_loop_test(tests,
                        nonsense_in_moat_options_is_told_with_what_is_accepted,
                        0, NONSENSE);
    tcase_add_test(tests, empty_entries_in_moat_options_are_nothing);
    tcase_add_test(tests, very_long_moat_options_do_no_harm);
    tcase_add_test(tests, no_log_that_cannot_be_written_loses_a_report);
}

int main(void)
{
    return unit_run("surroundings", add);
}
