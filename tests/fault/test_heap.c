/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every crime of heap.def, in every circumstance, on every way of revoking: how
 * it ended, and what exactly was reported.
 */
#include "tests/support/child.h"
#include "tests/support/ending.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

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

/* How many blocks heap.c has allocated before the crime; see its main(), and
 * what it does for "closed". */
enum { SIBLINGS = 120, BEFORE = SIBLINGS + SIBLINGS / 2 };

/*
 * From the block's number in RELATION take off what came before the crime, and
 * "[*,*)" behind it. Among busy threads the number can be any.
 */
static void count_from_the_crime(char *relation, const char *circumstance)
{
    char *number = strstr(relation, "block #");
    if (number == NULL) {
        return;
    }
    number += strlen("block #");
    char *rest;
    unsigned long found = strtoul(number, &rest, 10);
    ck_assert_ptr_ne(rest, number);
    ck_assert_str_eq(rest, " [*,*)");
    unsigned long before
        = strcmp(circumstance, "closed") == 0 ? BEFORE + SIBLINGS : BEFORE;
    ck_assert_uint_gt(found, before);
    sprintf(number, "%lu", found - before);
}

/* The number, for "busy". */
static void cut_number(char *relation)
{
    char *number = strstr(relation, "block #");
    if (number != NULL) {
        number[strlen("block #")] = '\0';
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
    ck_assert_msg(ending.exit_status == 99 && ending.reports == 1,
                  "%s %s, %s: exit status %d, signal %d, %d reports:\n%s",
                  circumstance, crime->name, options, ending.exit_status,
                  ending.signal, ending.reports, ending.text);
    char relation[sizeof ending.relation];
    snprintf(relation, sizeof relation, "%s", crime->relation);
    count_from_the_crime(ending.relation, circumstance);
    if (strcmp(circumstance, "busy") == 0) {
        cut_number(ending.relation);
        cut_number(relation);
    }
    ck_assert_str_eq(ending.kind, crime->kind);
    ck_assert_str_eq(ending.seen, crime->seen);
    ck_assert_str_eq(ending.relation, relation);
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
CIRCUMSTANCE(in_a_sandbox_without_mprotect_too, "bare")
CIRCUMSTANCE(with_all_memory_locked, "locked")

static int lock_all(void *unused)
{
    (void)unused;
    return mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : errno;
}

static int filter_calls(void *unused)
{
    struct sock_filter filter[]
        = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { .len = 1, .filter = filter };
    (void)unused;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                   && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0
               ? 0
               : errno;
}

/* Whether the machine lets a program do WHAT; if not, this is said for TAP. */
static bool is_allowed(int (*what)(void *), const char *name)
{
    int status = child_ending(CHILD_FORKED, what, NULL);
    if (status != 0) {
        printf("# without %s: %s\n", name, strerror(WEXITSTATUS(status)));
        fflush(stdout);
    }
    return status == 0;
}

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
    if (is_allowed(filter_calls, "sandboxes")) {
        tcase_add_loop_test(tests, in_a_sandbox_without_userfaultfd_and_ioctl,
                            0, count);
        tcase_add_loop_test(tests, in_a_sandbox_without_madvise_too, 0, count);
        tcase_add_loop_test(tests, in_a_sandbox_without_mprotect_too, 0,
                            count);
    }
    if (is_allowed(lock_all, "locked memory")) {
        tcase_add_loop_test(tests, with_all_memory_locked, 0, count);
    }
}

int main(void)
{
    return unit_run("heap", add);
}
