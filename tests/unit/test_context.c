/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * os/context: the registers of real faults, and moving to another stack. The
 * faults are this program's own, so the tests hold for every processor.
 */
#include "os/context.h"

#include "os/pages.h"
#include "tests/support/unit.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>

static sigjmp_buf before_fault;
static struct context_state seen;
static volatile char *page;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    seen = context_read(context);
    siglongjmp(before_fault, 1);
}

static void set_up(void)
{
    struct sigaction action = { .sa_sigaction = on_fault,
                                .sa_flags = SA_SIGINFO };
    uintptr_t start;
    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    ck_assert_int_eq(pages_reserve(pages_size(), &start), 0);
    page = (volatile char *)start;
}

__attribute__((noinline)) static void read_page(void)
{
    (void)*page;
}

__attribute__((noinline)) static void write_page(void)
{
    *page = 1;
}

/* Both are a few instructions long. */
static bool is_in(void (*function)(void), uintptr_t address)
{
    return address - (uintptr_t)(void *)function < 256;
}

START_TEST(a_read_and_a_write_are_told_apart)
{
    if (sigsetjmp(before_fault, 1) == 0) {
        read_page();
        ck_abort_msg("reading did not fault");
    }
    ck_assert_int_eq(seen.access, CONTEXT_ACCESS_READ);
    if (sigsetjmp(before_fault, 1) == 0) {
        write_page();
        ck_abort_msg("writing did not fault");
    }
    ck_assert_int_eq(seen.access, CONTEXT_ACCESS_WRITE);
}
END_TEST

START_TEST(the_program_counter_is_at_the_culprit)
{
    if (sigsetjmp(before_fault, 1) == 0) {
        read_page();
    }
    ck_assert(is_in(read_page, seen.program_counter));
    if (sigsetjmp(before_fault, 1) == 0) {
        write_page();
    }
    ck_assert(is_in(write_page, seen.program_counter));
}
END_TEST

START_TEST(the_stack_pointer_is_where_the_program_was)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    if (sigsetjmp(before_fault, 1) == 0) {
        read_page();
    }
    ck_assert_uint_le(seen.stack_pointer, here);
    ck_assert_uint_gt(seen.stack_pointer, here - 65536);
}
END_TEST

START_TEST(a_context_that_is_no_page_fault_tells_no_access)
{
    ucontext_t context;
    memset(&context, 0, sizeof context);
    ck_assert_int_eq(context_read(&context).access, CONTEXT_ACCESS_UNKNOWN);
}
END_TEST

struct visit {
    uintptr_t stack_top;
    int depth;
    uintptr_t frames[2];
    bool is_aligned;
};

static void visit(void *argument)
{
    struct visit *now = argument;
    /* The compiler counts on the alignment of the stack here. */
    struct {
        _Alignas(16) char bytes[16];
    } aligned;
    now->is_aligned = (uintptr_t)&aligned % 16 == 0;
    now->frames[now->depth++] = (uintptr_t)&aligned;
    if (now->depth == 1) {
        context_call_on_stack(visit, now, now->stack_top - pages_size() * 4);
    }
}

START_TEST(a_function_runs_on_another_stack_and_comes_back)
{
    uintptr_t stack;
    size_t half = pages_size() * 4;
    ck_assert_int_eq(pages_map(2 * half, "test", &stack), 0);
    struct visit now = { .stack_top = stack + 2 * half };
    /* Whatever lives in registers must come back as it was. */
    volatile int source = 3;
    int a = source;
    int b = source + 1;
    int c = source + 2;
    int d = source + 3;
    context_call_on_stack(visit, &now, now.stack_top);
    ck_assert_int_eq(a + 10 * b + 100 * c + 1000 * d, 6543);
    ck_assert_int_eq(now.depth, 2);
    ck_assert(now.is_aligned);
    ck_assert_uint_ge(now.frames[0], stack + half);
    ck_assert_uint_lt(now.frames[0], stack + 2 * half);
    ck_assert_uint_ge(now.frames[1], stack);
    ck_assert_uint_lt(now.frames[1], stack + half);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_read_and_a_write_are_told_apart);
    tcase_add_test(tests, the_program_counter_is_at_the_culprit);
    tcase_add_test(tests, the_stack_pointer_is_where_the_program_was);
    tcase_add_test(tests, a_context_that_is_no_page_fault_tells_no_access);
    tcase_add_test(tests, a_function_runs_on_another_stack_and_comes_back);
}

int main(void)
{
    return unit_run("os/context", add);
}
