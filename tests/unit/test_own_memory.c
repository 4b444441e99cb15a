/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/own_memory: noted by who maps, forgotten by who unmaps. */
#include "os/own_memory.h"

#include "os/pages.h"
#include "tests/support/unit.h"

#include <stdbool.h>

static bool is_noted(uintptr_t start, size_t bytes)
{
    for (size_t i = 0; i < OWN_MEMORY_MOST; i++) {
        uintptr_t first;
        uintptr_t end;
        if (own_memory_at(i, &first, &end) && first == start) {
            return end == start + bytes;
        }
    }
    return false;
}

START_TEST(what_is_mapped_or_reserved_is_noted_until_it_is_unmapped)
{
    uintptr_t mapped;
    uintptr_t reserved;
    size_t bytes = 2 * pages_size();
    ck_assert_int_eq(pages_map(bytes, "test", &mapped), 0);
    ck_assert_int_eq(pages_reserve(bytes, &reserved), 0);
    ck_assert(is_noted(mapped, bytes));
    ck_assert(is_noted(reserved, bytes));
    pages_unmap(mapped, bytes);
    ck_assert(!is_noted(mapped, bytes));
    ck_assert(is_noted(reserved, bytes));
    pages_unmap(reserved, bytes);
    ck_assert(!is_noted(reserved, bytes));
}
END_TEST

START_TEST(what_has_no_room_is_left_out_and_a_free_place_used_again)
{
    for (uintptr_t i = 1; i <= OWN_MEMORY_MOST + 1; i++) {
        own_memory_note(i * 4096, 4096);
    }
    ck_assert(!is_noted((OWN_MEMORY_MOST + 1) * (uintptr_t)4096, 4096));
    own_memory_forget((OWN_MEMORY_MOST + 1) * (uintptr_t)4096);
    ck_assert(is_noted(5 * 4096, 4096));
    own_memory_forget(5 * 4096);
    ck_assert(!is_noted(5 * 4096, 4096));
    own_memory_note(7, 1);
    ck_assert(is_noted(7, 1));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests,
                   what_is_mapped_or_reserved_is_noted_until_it_is_unmapped);
    tcase_add_test(tests,
                   what_has_no_room_is_left_out_and_a_free_place_used_again);
}

int main(void)
{
    return unit_run("os/own_memory", add);
}
