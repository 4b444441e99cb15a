/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenes: several threads, several errors, options, limits; each played by the
 * program scenes, on every way of revoking.
 */
#include "tests/support/ending.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct ending ending;

static void play(const char *scene, int backend, const char *more)
{
    char options[256];
    char *const arguments[]
        = { ending_program("scenes"), (char *)scene, NULL };
    snprintf(options, sizeof options, "%s:%s", ending_backends[backend], more);
    ending = ending_of(arguments, options);
}

static void expect_silence(void)
{
    ck_assert_msg(ending.exit_status == 0 && ending.reports == 0,
                  "exit status %d, signal %d:\n%s", ending.exit_status,
                  ending.signal, ending.text);
}

static void expect_report(const char *kind, int exit_status)
{
    ck_assert_msg(ending.exit_status == exit_status && ending.reports == 1,
                  "exit status %d, signal %d, %d reports:\n%s",
                  ending.exit_status, ending.signal, ending.reports,
                  ending.text);
    ck_assert_str_eq(ending.kind, kind);
    ck_assert_ptr_nonnull(strstr(ending.text, "SUMMARY: moat: "));
}

START_TEST(the_check_at_exit_bears_arenas_that_are_being_destroyed)
{
    for (int i = 0; i < 40; i++) {
        play("exit_in_a_crowd", _i, "");
        expect_silence();
    }
}
END_TEST

START_TEST(the_check_at_exit_bears_blocks_that_are_being_freed)
{
    for (int i = 0; i < 20; i++) {
        play("exit_while_blocks_are_freed", _i, "");
        expect_silence();
    }
}
END_TEST

START_TEST(of_faults_at_once_one_is_reported_whole)
{
    for (int i = 0; i < 40; i++) {
        play("faults_at_once", _i, "");
        expect_report("heap-buffer-overflow", 99);
    }
}
END_TEST

START_TEST(a_child_of_a_busy_process_can_create_arenas)
{
    play("forks_in_a_crowd", _i, "");
    expect_silence();
}
END_TEST

START_TEST(a_child_of_a_process_that_takes_snapshots_can_take_some)
{
    play("forks_while_snapshots_are_taken", _i, "");
    expect_silence();
}
END_TEST

START_TEST(arenas_come_and_go_in_constant_memory)
{
    play("arenas_without_end", _i, "quarantine=1000");
    expect_silence();
}
END_TEST

START_TEST(resets_take_constant_memory)
{
    play("resets_without_end", _i, "quarantine=1000");
    expect_silence();
}
END_TEST

START_TEST(many_living_arenas_take_no_mappings_or_are_refused)
{
    play("many_living_arenas", _i, "");
    expect_silence();
    ck_assert_int_eq(strstr(ending.text, "allocations are refused") != NULL,
                     strstr(ending.text, "refused by the kernel") != NULL);
}
END_TEST

START_TEST(threads_free_the_copies_of_each_other)
{
    play("copies_in_threads", _i, "quarantine=1000");
    expect_silence();
}
END_TEST

START_TEST(a_child_of_a_process_that_copies_can_copy)
{
    play("forks_while_copies_are_made", _i, "");
    expect_silence();
}
END_TEST

START_TEST(copies_come_and_go_in_constant_memory)
{
    play("copies_without_end", _i, "quarantine=1000");
    expect_silence();
}
END_TEST

START_TEST(pages_that_the_program_drops_are_filled_again)
{
    play("pages_are_dropped", _i, "");
    expect_silence();
}
END_TEST

START_TEST(a_child_of_vfork_that_reported_does_not_silence_its_parent)
{
    play("fault_after_a_child_of_vfork", _i, "");
    ck_assert_int_eq(ending.exit_status, 99);
    ck_assert_int_eq(ending.reports, 2);
    ck_assert_int_ne(ending.reporter, ending.pid);
}
END_TEST

START_TEST(a_good_program_is_left_alone)
{
    play("nothing_wrong", _i, "");
    expect_silence();
    ck_assert_str_eq(ending.text, "");
}
END_TEST

START_TEST(without_halting_the_program_goes_on_to_its_own_end)
{
    play("three_errors", _i, "halt_on_error=0");
    ck_assert_int_eq(ending.exit_status, 17);
    ck_assert_int_eq(ending.reports, 3);
    ck_assert_str_eq(ending.kind, "heap-buffer-overflow");
    ck_assert_ptr_nonnull(strstr(ending.text, "moat: double-free"));
    ck_assert_ptr_nonnull(strstr(ending.text, "moat: bad-free"));
}
END_TEST

START_TEST(halting_it_ends_at_the_first)
{
    play("three_errors", _i, "");
    expect_report("heap-buffer-overflow", 99);
}
END_TEST

START_TEST(the_exit_status_can_be_chosen)
{
    play("one_fault", _i, "exitcode=7");
    expect_report("heap-buffer-overflow", 7);
    play("one_double_free", _i, "exitcode=8");
    expect_report("double-free", 8);
}
END_TEST

START_TEST(aborting_ends_by_the_signal)
{
    play("one_fault", _i, "abort_on_error=1");
    ck_assert_int_eq(ending.signal, SIGSEGV);
    ck_assert_int_eq(ending.reports, 1);
    play("one_double_free", _i, "abort_on_error=1");
    ck_assert_int_eq(ending.signal, SIGABRT);
    ck_assert_int_eq(ending.reports, 1);
}
END_TEST

START_TEST(colours_are_used_when_asked_for)
{
    play("one_fault", _i, "color=always");
    ck_assert_ptr_nonnull(strstr(ending.text, "\033[1;31m=="));
    play("one_fault", _i, "");
    ck_assert_ptr_null(strchr(ending.text, '\033'));
}
END_TEST

START_TEST(a_log_gets_the_report_and_standard_error_none)
{
    char folder[] = "/tmp/moat-scenes-XXXXXX";
    char option[128];
    char log[128];
    char text[4096] = "";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(option, sizeof option, "log_path=%s/log.%%p", folder);
    play("one_fault", _i, option);
    ck_assert_int_eq(ending.exit_status, 99);
    ck_assert_str_eq(ending.text, "");
    snprintf(log, sizeof log, "%s/log.%d", folder, ending.pid);
    int descriptor = open(log, O_RDONLY);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_gt(read(descriptor, text, sizeof text - 1), 0);
    close(descriptor);
    ck_assert_ptr_nonnull(strstr(text, "ERROR: moat: heap-buffer-overflow"));
    unlink(log);
    rmdir(folder);
}
END_TEST

START_TEST(a_log_that_cannot_be_made_is_told_and_nothing_is_lost)
{
    play("one_fault", _i, "log_path=/nowhere/at/all");
    expect_report("heap-buffer-overflow", 99);
    ck_assert_ptr_nonnull(
        strstr(ending.text, "moat: warning: MOAT_OPTIONS: log_path "
                            "/nowhere/at/all: ENOENT; reports go to standard "
                            "error\n"));
}
END_TEST

START_TEST(what_is_wrong_in_moat_options_is_told_and_the_rest_holds)
{
    play("one_fault", _i, "exitcode=banana:no_such=1:exitcode=9");
    expect_report("heap-buffer-overflow", 9);
    ck_assert_ptr_nonnull(strstr(ending.text,
                                 "moat: MOAT_OPTIONS: exitcode cannot be "
                                 "'banana'; it accepts 1..255\n"));
    ck_assert_ptr_nonnull(
        strstr(ending.text, "moat: MOAT_OPTIONS: unknown option 'no_such'; "));
}
END_TEST

START_TEST(help_and_verbosity_say_what_there_is)
{
    play("nothing_wrong", _i, "help=1");
    ck_assert_int_eq(ending.exit_status, 0);
    ck_assert_ptr_nonnull(strstr(ending.text, "halt_on_error=0|1 (1)"));
    play("nothing_wrong", _i, "verbosity=1");
    ck_assert_ptr_nonnull(strstr(ending.text, "moat: started; backend "));
}
END_TEST

START_TEST(a_process_with_little_address_space_still_finds_the_overflow)
{
    play("with_a_gigabyte", _i, "");
    expect_report("heap-buffer-overflow", 99);
}
END_TEST

static const char *const small[] = { "with_64_megabytes", "with_32_megabytes" };

START_TEST(a_process_with_too_little_is_told_and_refused)
{
    play(small[_i % 2], _i / 2, "");
    if (ending.exit_status == 99) {
        expect_report("heap-buffer-overflow", 99);
        return;
    }
    ck_assert_msg(ending.exit_status == 42, "exit status %d, signal %d:\n%s",
                  ending.exit_status, ending.signal, ending.text);
    ck_assert_ptr_nonnull(strstr(ending.text, "no address space can be "
                                              "reserved: mmap: ENOMEM; arenas "
                                              "will be refused"));
}
END_TEST

START_TEST(a_fault_while_reporting_ends_it)
{
    play("fault_in_the_hook", _i, "");
    ck_assert_int_eq(ending.exit_status, 99);
    ck_assert_int_eq(ending.reports, 0);
    ck_assert_str_eq(ending.text,
                     "moat: a fault while reporting; giving up\n");
}
END_TEST

START_TEST(a_bus_error_of_the_program_ends_it_by_the_signal)
{
    play("bus_error", _i, "");
    ck_assert_int_eq(ending.signal, SIGBUS);
}
END_TEST

START_TEST(a_signal_that_was_sent_is_no_fault)
{
    play("sent_signal", _i, "");
    ck_assert_int_eq(ending.signal, SIGSEGV);
    ck_assert_str_eq(ending.text, "");
}
END_TEST

START_TEST(an_address_that_is_not_told_is_not_null)
{
    play("far_address", _i, "");
    ck_assert_int_eq(ending.signal, SIGSEGV);
    ck_assert_int_eq(ending.reports, 1);
    ck_assert_str_eq(ending.kind, "segv");
}
END_TEST

START_TEST(a_data_file_in_place_of_standard_error_gets_no_report)
{
    play("data_in_place_of_stderr", _i, "");
    expect_report("heap-buffer-overflow", 99);
}
END_TEST

static void add(TCase *tests)
{
    const TTest *const all[] = {
        the_check_at_exit_bears_arenas_that_are_being_destroyed,
        the_check_at_exit_bears_blocks_that_are_being_freed,
        of_faults_at_once_one_is_reported_whole,
        a_child_of_a_busy_process_can_create_arenas,
        a_child_of_a_process_that_takes_snapshots_can_take_some,
        arenas_come_and_go_in_constant_memory,
        resets_take_constant_memory,
        many_living_arenas_take_no_mappings_or_are_refused,
        threads_free_the_copies_of_each_other,
        a_child_of_a_process_that_copies_can_copy,
        copies_come_and_go_in_constant_memory,
        pages_that_the_program_drops_are_filled_again,
        a_child_of_vfork_that_reported_does_not_silence_its_parent,
        a_good_program_is_left_alone,
        without_halting_the_program_goes_on_to_its_own_end,
        halting_it_ends_at_the_first,
        the_exit_status_can_be_chosen,
        aborting_ends_by_the_signal,
        colours_are_used_when_asked_for,
        a_log_gets_the_report_and_standard_error_none,
        a_log_that_cannot_be_made_is_told_and_nothing_is_lost,
        what_is_wrong_in_moat_options_is_told_and_the_rest_holds,
        help_and_verbosity_say_what_there_is,
        a_process_with_little_address_space_still_finds_the_overflow,
        a_fault_while_reporting_ends_it,
        a_bus_error_of_the_program_ends_it_by_the_signal,
        a_signal_that_was_sent_is_no_fault,
        an_address_that_is_not_told_is_not_null,
        a_data_file_in_place_of_standard_error_gets_no_report,
    };
    int ways = ending_find_backends();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        tcase_add_loop_test(tests, all[i], 0, ways);
    }
    tcase_add_loop_test(tests, a_process_with_too_little_is_told_and_refused,
                        0, 2 * ways);
}

int main(void)
{
    return unit_run("scenes", add);
}
