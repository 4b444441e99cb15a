/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expected faults (moat/expect.h), on every way of revoking. The program expect
 * looks at everything from inside and ends with 0; or it goes on to a fault
 * that it does not expect, which is reported.
 */
#include "tests/support/ending.h"
#include "tests/support/unit.h"

static struct ending play(const char *scene, int backend)
{
    char *const arguments[]
        = { ending_program("expect"), (char *)scene, NULL };
    return ending_of(arguments, ending_backends[backend]);
}

static const char *const met[] = {
    "overflow",       "use_after_free", "use_after_unmap",
    "null_dereference", "no_fault",     "nested",
    "ten_thousand_times", "in_threads", "stack_overflow",
    "stack_overflow_in_a_thread", "on_a_tiny_stack", "none_of_moats",
    "copies_of_any_size", "ten_thousand_copies",
};

enum { MET = sizeof met / sizeof met[0] };

START_TEST(an_expected_fault_is_met_and_the_program_goes_on)
{
    struct ending ending = play(met[_i % MET], _i / MET);
    ck_assert_msg(ending.exit_status == 0 && ending.reports == 0
                      && ending.text[0] == '\0',
                  "%s: exit status %d, signal %d:\n%s", met[_i % MET],
                  ending.exit_status, ending.signal, ending.text);
}
END_TEST

static const struct {
    const char *scene;
    int exit_status;
    const char *kind;
    const char *seen;
} others[] = {
    { "and_then_one_that_is_not", 99, "heap-buffer-overflow", "access" },
    { "and_one_in_another_thread", 99, "heap-buffer-overflow", "access" },
    { "and_damage", 99, "heap-buffer-overflow", "free" },
    { "broken_off", 99, "null-dereference", "access" },
    { "with_a_handler", 7, "", "" },
};

enum { OTHERS = sizeof others / sizeof others[0] };

START_TEST(what_is_not_expected_is_reported)
{
    struct ending ending = play(others[_i % OTHERS].scene, _i / OTHERS);
    ck_assert_msg(ending.exit_status == others[_i % OTHERS].exit_status,
                  "%s: exit status %d, signal %d:\n%s",
                  others[_i % OTHERS].scene, ending.exit_status,
                  ending.signal, ending.text);
    ck_assert_int_eq(ending.reports, others[_i % OTHERS].kind[0] != '\0');
    ck_assert_str_eq(ending.kind, others[_i % OTHERS].kind);
    ck_assert_str_eq(ending.seen, others[_i % OTHERS].seen);
}
END_TEST

static void add(TCase *tests)
{
    int count = ending_find_backends();
    tcase_add_loop_test(tests,
                        an_expected_fault_is_met_and_the_program_goes_on, 0,
                        count * MET);
    tcase_add_loop_test(tests, what_is_not_expected_is_reported, 0,
                        count * OTHERS);
}

int main(void)
{
    return unit_run("expect", add);
}
