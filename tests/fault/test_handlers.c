/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program's own handlers keep working: for faults that are none of Moat's,
 * whether they were there before Moat or Moat was put in front of them later.
 * The program handlers looks at everything from inside and ends with 0.
 */
#include "tests/support/ending.h"
#include "tests/support/unit.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { EARLY, CAUGHT, LATE, ORDERS };

static const char *const orders[ORDERS] = { "early", "caught", "late" };
static char library[4096];
static struct ending ending;

static void play(const char *scene, int order, int backend, const char *more)
{
    char options[256];
    char program[4096];
    snprintf(program, sizeof program, "%s", ending_program("handlers"));
    char *const arguments[] = { program, library, (char *)orders[order],
                                (char *)scene, NULL };
    snprintf(options, sizeof options, "%s:%s", ending_backends[backend], more);
    ending = ending_of(arguments, options);
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

/* All is as without Moat. */
static const char *const same[] = {
    "is_told_everything_and_mends", "is_not_deferred",
    "has_a_stack_of_its_own",       "handles_bus_errors",
    "is_sent_the_signal",           "ignores_the_signal",
    "jumps_in_another_thread",      "jumps_in_a_child",
    "jumps_in_a_crowd",
};

enum { SAME = sizeof same / sizeof same[0] };

START_TEST(a_handler_notices_nothing_of_moat)
{
    play(same[_i % SAME], _i / SAME % ORDERS, _i / SAME / ORDERS, "");
    expect(0, 0, 0, "");
    ck_assert_str_eq(ending.text, "");
}
END_TEST

START_TEST(a_handler_jumps_out_of_faults_and_moat_still_reports_its_own)
{
    play("jumps_a_hundred_times", _i % LATE, _i / LATE, "");
    expect(99, 0, 1, "heap-buffer-overflow");
    ck_assert_str_eq(ending.relation,
                     "WRITE at *, 0 bytes after the end of 4096-byte block #1 "
                     "[*,*) in arena \"letters\" (arena offset 0x1000 of "
                     "0x1000)");
}
END_TEST

START_TEST(a_handler_that_is_reset_handles_one_fault)
{
    play("is_reset", _i % LATE, _i / LATE, "");
    expect(-1, SIGSEGV, 1, "segv");
    ck_assert_ptr_eq(strstr(ending.text, "mended once\n"), ending.text);
    ck_assert_str_eq(ending.relation, "WRITE at *, which no arena holds");
}
END_TEST

START_TEST(a_handler_that_cannot_run_leaves_the_overflow_of_its_stack_to_moat)
{
    play("has_no_stack_for_an_overflow", _i % LATE, _i / LATE, "");
    expect(99, 0, 1, "stack-overflow");
}
END_TEST

START_TEST(a_fault_cannot_be_ignored)
{
    play("ignores_a_fault", _i % LATE, _i / LATE, "");
    expect(-1, SIGSEGV, 1, "segv");
}
END_TEST

START_TEST(a_handler_that_is_not_allowed_is_not_called)
{
    play("is_told_everything_and_mends", _i % LATE, _i / LATE,
         "allow_user_segv_handler=0");
    expect(-1, SIGSEGV, 1, "segv");
}
END_TEST

START_TEST(a_later_handler_wins)
{
    play("takes_what_is_moats", LATE, _i, "");
    expect(0, 0, 0, "");
}
END_TEST

START_TEST(a_later_handler_can_pass_on_what_is_not_its_own)
{
    play("passes_on", LATE, _i, "");
    expect(99, 0, 1, "heap-buffer-overflow");
    play("passes_on_what_is_nobodys", LATE, _i, "");
    expect(-1, SIGSEGV, 1, "segv");
}
END_TEST

START_TEST(an_earlier_handler_can_pass_on_to_nobody)
{
    play("passes_on", EARLY, _i, "");
    expect(99, 0, 1, "heap-buffer-overflow");
}
END_TEST

START_TEST(a_handler_that_passes_on_to_moat_behind_itself_ends_by_the_signal)
{
    play("passes_on", CAUGHT, _i, "");
    expect(99, 0, 1, "heap-buffer-overflow");
    play("passes_on_what_is_nobodys", CAUGHT, _i, "");
    ck_assert_int_eq(ending.signal, SIGSEGV);
}
END_TEST

static void add(TCase *tests)
{
    /* Guard markers last: a kernel without them leaves the loops earlier. */
    int ways = ending_find_backends();
    tcase_add_loop_test(tests, a_handler_notices_nothing_of_moat, 0,
                        SAME * ORDERS * ways);
    const TTest *const in_front[] = {
        a_handler_jumps_out_of_faults_and_moat_still_reports_its_own,
        a_handler_that_is_reset_handles_one_fault,
        a_handler_that_cannot_run_leaves_the_overflow_of_its_stack_to_moat,
        a_fault_cannot_be_ignored,
        a_handler_that_is_not_allowed_is_not_called,
    };
    for (size_t i = 0; i < sizeof in_front / sizeof in_front[0]; i++) {
        tcase_add_loop_test(tests, in_front[i], 0, LATE * ways);
    }
    const TTest *const others[] = {
        a_later_handler_wins,
        a_later_handler_can_pass_on_what_is_not_its_own,
        an_earlier_handler_can_pass_on_to_nobody,
        a_handler_that_passes_on_to_moat_behind_itself_ends_by_the_signal,
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        tcase_add_loop_test(tests, others[i], 0, ways);
    }
}

int main(void)
{
    /* Where libtool leaves it, seen from the folder of the tests. */
    snprintf(library, sizeof library, "%s",
             ending_program("../../.libs/libmoat.so"));
    if (access(library, R_OK) != 0) {
        return unit_skip("built without a shared library");
    }
    return unit_run("handlers", add);
}
