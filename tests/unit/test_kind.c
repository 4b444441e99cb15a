/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record/kind: names that other people's scripts look for. */
#include <moat/finding.h>

#include "tests/support/unit.h"

static const struct {
    enum moat_kind kind;
    const char *name;
} kinds[] = {
    { MOAT_KIND_NONE, "none" },
    { MOAT_KIND_HEAP_BUFFER_OVERFLOW, "heap-buffer-overflow" },
    { MOAT_KIND_HEAP_BUFFER_UNDERFLOW, "heap-buffer-underflow" },
    { MOAT_KIND_HEAP_USE_AFTER_FREE, "heap-use-after-free" },
    { MOAT_KIND_USE_AFTER_UNMAP, "use-after-unmap" },
    { MOAT_KIND_DOUBLE_FREE, "double-free" },
    { MOAT_KIND_BAD_FREE, "bad-free" },
    { MOAT_KIND_ARENA_OVERLAP, "arena-overlap" },
    { MOAT_KIND_STACK_OVERFLOW, "stack-overflow" },
    { MOAT_KIND_NULL_DEREFERENCE, "null-dereference" },
    { MOAT_KIND_SEGV, "segv" },
    { MOAT_KIND_USE_AFTER_RESET, "use-after-reset" },
    { MOAT_KIND_ALLOC_DEALLOC_MISMATCH, "alloc-dealloc-mismatch" },
    { MOAT_KIND_MEMORY_LEAK, "memory-leak" },
    { MOAT_KIND_DATA_RACE, "data-race" },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

START_TEST(a_kind_keeps_its_number_and_its_name)
{
    ck_assert_int_eq(kinds[_i].kind, _i);
    ck_assert_str_eq(moat_kind_name(kinds[_i].kind), kinds[_i].name);
}
END_TEST

START_TEST(a_number_that_is_no_kind_is_called_none)
{
    ck_assert_str_eq(moat_kind_name((enum moat_kind)(KINDS + 1)), "none");
    ck_assert_str_eq(moat_kind_name((enum moat_kind)-1), "none");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, a_kind_keeps_its_number_and_its_name, 0, KINDS);
    tcase_add_test(tests, a_number_that_is_no_kind_is_called_none);
}

int main(void)
{
    return unit_run("record/kind", add);
}
