/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every crime of heap.def, in every circumstance, on every way of revoking: how
 * it ended, and what exactly was reported.
 */
#include "tests/support/ending.h"
#include "tests/support/unit.h"

#include <ctype.h>
#include <string.h>

static const struct crime {
    const char *name;
    const char *options;
    const char *kind;
    const char *seen;
    const char *relation;
    const char *damage;
} crimes[] = {
#define CRIME(name, options, body, kind, seen, relation, damage)               \
    { #name, options, kind, seen, relation, damage },
#include "heap.def"
#undef CRIME
};

enum { CRIMES = sizeof crimes / sizeof crimes[0] };

/* Numbers of blocks out, "[*,*)" behind them too. */
static void cut_numbers(char *relation)
{
    char *number = strstr(relation, "block #");
    if (number != NULL) {
        number += strlen("block #");
        char *rest = number;
        while (isdigit((unsigned char)*rest)) {
            rest++;
        }
        ck_assert_ptr_ne(rest, number);
        ck_assert_str_eq(rest, " [*,*)");
        *number = '\0';
    }
}

static void judge(const char *circumstance, int number)
{
    const struct crime *crime = &crimes[number % CRIMES];
    const char *backend = ending_backends[number / CRIMES];
    bool is_vfork = strcmp(circumstance, "vfork") == 0;
    if (is_vfork && strcmp(crime->seen, "exit") == 0) {
        /* Not for a child of vfork(), which may only use _exit(). */
        return;
    }
    char options[128];
    snprintf(options, sizeof options, "%s:%s", backend, crime->options);
    char *const arguments[] = { ending_program("heap"), (char *)circumstance,
                                (char *)crime->name, NULL };
    struct ending ending = ending_of(arguments, options);
    if (ending.exit_status == 77) {
        return;
    }
    ck_assert_msg(ending.exit_status == 99 && ending.reports == 1,
                  "%s %s, %s: exit status %d, signal %d, %d reports:\n%s",
                  circumstance, crime->name, options, ending.exit_status,
                  ending.signal, ending.reports, ending.text);
    cut_numbers(ending.relation);
    ck_assert_str_eq(ending.kind, crime->kind);
    ck_assert_str_eq(ending.seen, crime->seen);
    ck_assert_str_eq(ending.relation, crime->relation);
    ck_assert_str_eq(ending.damage, crime->damage);
    bool is_child = is_vfork || strcmp(circumstance, "child") == 0
                    || strcmp(circumstance, "clone") == 0;
    ck_assert_int_eq(ending.reporter != ending.pid, is_child);
}

#define CIRCUMSTANCE(test, name)                                               \
    START_TEST(test)                                                           \
    {                                                                          \
        judge(name, _i);                                                       \
    }                                                                          \
    END_TEST

CIRCUMSTANCE(alone, "alone")
CIRCUMSTANCE(in_a_second_thread, "thread")
CIRCUMSTANCE(while_other_threads_allocate_and_free, "busy")
CIRCUMSTANCE(in_a_forked_child, "child")
CIRCUMSTANCE(in_a_child_of_the_bare_clone, "clone")
CIRCUMSTANCE(in_a_child_of_vfork, "vfork")
CIRCUMSTANCE(after_all_descriptors_were_closed, "closed")
CIRCUMSTANCE(in_a_sandbox_without_userfaultfd_and_ioctl, "sandbox")
CIRCUMSTANCE(in_a_sandbox_without_madvise_too, "strict")
CIRCUMSTANCE(with_all_memory_locked, "locked")

static void add(TCase *tests)
{
    int count = ending_find_backends() * CRIMES;
    tcase_add_loop_test(tests, alone, 0, count);
    tcase_add_loop_test(tests, in_a_second_thread, 0, count);
    tcase_add_loop_test(tests, while_other_threads_allocate_and_free, 0,
                        count);
    tcase_add_loop_test(tests, in_a_forked_child, 0, count);
    tcase_add_loop_test(tests, in_a_child_of_the_bare_clone, 0, count);
    tcase_add_loop_test(tests, in_a_child_of_vfork, 0, count);
    tcase_add_loop_test(tests, after_all_descriptors_were_closed, 0, count);
    tcase_add_loop_test(tests, in_a_sandbox_without_userfaultfd_and_ioctl, 0,
                        count);
    tcase_add_loop_test(tests, in_a_sandbox_without_madvise_too, 0, count);
    tcase_add_loop_test(tests, with_all_memory_locked, 0, count);
}

int main(void)
{
    return unit_run("heap", add);
}
