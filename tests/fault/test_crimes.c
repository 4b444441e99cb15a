/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every crime of crimes.def, in every circumstance, on every way of revoking:
 * how it ended, and what exactly was reported.
 */
#include "tests/support/ending.h"
#include "tests/support/unit.h"

#include <signal.h>
#include <string.h>

static const struct crime {
    const char *name;
    const char *kind;
    const char *seen;
    const char *relation;
    const char *damage;
} crimes[] = {
#define CRIME(name, body, kind, seen, relation, damage)                        \
    { #name, kind, seen, relation, damage },
#include "crimes.def"
#undef CRIME
};

enum { CRIMES = sizeof crimes / sizeof crimes[0] };

static void judge(const char *circumstance, int number)
{
    const struct crime *crime = &crimes[number % CRIMES];
    const char *chosen = ending_backends[number / CRIMES];
    char *const arguments[] = { ending_program("subject"),
                                (char *)circumstance, (char *)crime->name,
                                NULL };
    struct ending ending = ending_of(arguments, chosen);
    /* What is not Moat's ends as it would without Moat. */
    bool is_nobodys = strcmp(crime->kind, "segv") == 0;
    ck_assert_msg(ending.exit_status == (is_nobodys ? -1 : 99)
                      && ending.signal == (is_nobodys ? SIGSEGV : 0)
                      && ending.reports == 1,
                  "%s %s, %s: exit status %d, signal %d, %d reports:\n%s",
                  circumstance, crime->name, chosen, ending.exit_status,
                  ending.signal, ending.reports, ending.text);
    ck_assert_str_eq(ending.kind, crime->kind);
    ck_assert_str_eq(ending.seen, crime->seen);
    ck_assert_str_eq(ending.relation, crime->relation);
    ck_assert_str_eq(ending.damage, crime->damage);
    /* Whole: the last line of the report is the last that was written. */
    const char *summary = strstr(ending.text, "\nSUMMARY: moat: ");
    ck_assert_ptr_nonnull(summary);
    ck_assert_str_eq(strchr(summary + 1, '\n'), "\n");
    if (strcmp(circumstance, "child") == 0) {
        ck_assert_int_ne(ending.reporter, ending.pid);
    } else {
        ck_assert_int_eq(ending.reporter, ending.pid);
    }
    /* Who did it lives in the process that reports; who allocated need not. */
    char actor[64];
    snprintf(actor, sizeof actor, " (pid %d, \"subject\")\n",
             ending.reporter);
    ck_assert_msg(strcmp(crime->kind, "stack-overflow") == 0
                      || strstr(ending.text, actor) != NULL,
                  "no%s in:\n%s", actor, ending.text);
    const char *doer = strstr(ending.text, "\nin thread T");
    ck_assert(strcmp(crime->kind, "stack-overflow") == 0
              || (doer != NULL
                  && strncmp(strchr(doer + 1, '('), actor + 1,
                             strlen(actor) - 1)
                         == 0));
}

START_TEST(alone)
{
    judge("alone", _i);
}
END_TEST

START_TEST(in_a_second_thread)
{
    judge("thread", _i);
}
END_TEST

START_TEST(in_a_forked_child)
{
    judge("child", _i);
}
END_TEST

START_TEST(while_other_threads_create_and_destroy_arenas)
{
    judge("crowd", _i);
}
END_TEST

static void add(TCase *tests)
{
    int count = ending_find_backends() * CRIMES;
    tcase_add_loop_test(tests, alone, 0, count);
    tcase_add_loop_test(tests, in_a_second_thread, 0, count);
    tcase_add_loop_test(tests, in_a_forked_child, 0, count);
    tcase_add_loop_test(tests, while_other_threads_create_and_destroy_arenas,
                        0, count);
}

int main(void)
{
    return unit_run("crimes", add);
}
