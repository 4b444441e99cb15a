/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/canary: bytes that only the process can predict. */
#include "base/canary.h"

#include "tests/support/unit.h"

#include <string.h>

enum { BYTES = 256 };

static const uint64_t secret = 0x0123456789abcdef;
static unsigned char memory[BYTES] __attribute__((aligned(16)));

static uintptr_t at(size_t offset)
{
    return (uintptr_t)memory + offset;
}

START_TEST(any_range_that_was_stamped_is_intact)
{
    for (size_t start = 0; start < 20; start++) {
        for (size_t end = start; end < 60; end++) {
            memset(memory, 0, BYTES);
            canary_stamp(secret, at(start), at(end));
            ck_assert(canary_is_intact(secret, at(start), at(end)));
            for (size_t i = 0; i < BYTES; i++) {
                ck_assert_msg((i >= start && i < end) == (memory[i] != 0),
                              "byte %zu, stamped %zu to %zu", i, start, end);
            }
        }
    }
}
END_TEST

START_TEST(a_range_stamped_in_pieces_is_intact_as_a_whole)
{
    canary_stamp(secret, at(3), at(30));
    canary_stamp(secret, at(30), at(31));
    canary_stamp(secret, at(31), at(90));
    ck_assert(canary_is_intact(secret, at(3), at(90)));
    ck_assert(canary_is_intact(secret, at(17), at(43)));
}
END_TEST

START_TEST(zero_bytes_and_ascii_are_always_noticed)
{
    for (unsigned value = 0; value < 0x80; value++) {
        for (size_t i = 0; i < BYTES; i++) {
            canary_stamp(secret, at(0), at(BYTES));
            memory[i] = (unsigned char)value;
            ck_assert(!canary_is_intact(secret, at(0), at(BYTES)));
        }
    }
}
END_TEST

START_TEST(a_canary_copied_from_elsewhere_does_not_pass)
{
    canary_stamp(secret, at(0), at(64));
    memcpy(memory + 64, memory, 64);
    ck_assert(!canary_is_intact(secret, at(64), at(128)));
}
END_TEST

START_TEST(another_secret_makes_other_bytes)
{
    canary_stamp(secret, at(0), at(16));
    ck_assert(!canary_is_intact(secret + 1, at(0), at(16)));
}
END_TEST

START_TEST(damage_is_found_run_by_run)
{
    uintptr_t start;
    uintptr_t end;
    canary_stamp(secret, at(0), at(BYTES));
    ck_assert(!canary_find_damage(secret, at(0), at(BYTES), &start, &end));
    memset(memory + 5, 'A', 9);
    memory[200] = 0;
    ck_assert(canary_find_damage(secret, at(0), at(BYTES), &start, &end));
    ck_assert_uint_eq(start, at(5));
    ck_assert_uint_eq(end, at(14));
    ck_assert(canary_find_damage(secret, end, at(BYTES), &start, &end));
    ck_assert_uint_eq(start, at(200));
    ck_assert_uint_eq(end, at(201));
    ck_assert(!canary_find_damage(secret, end, at(BYTES), &start, &end));
}
END_TEST

START_TEST(damage_at_either_edge_of_a_range_is_found)
{
    uintptr_t start;
    uintptr_t end;
    canary_stamp(secret, at(0), at(BYTES));
    memory[7] = 0;
    memory[41] = 0;
    memory[42] = 0;
    ck_assert(canary_is_intact(secret, at(8), at(41)));
    ck_assert(!canary_is_intact(secret, at(7), at(41)));
    ck_assert(!canary_is_intact(secret, at(8), at(42)));
    ck_assert(canary_find_damage(secret, at(8), at(42), &start, &end));
    ck_assert_uint_eq(start, at(41));
    ck_assert_uint_eq(end, at(42));
}
END_TEST

START_TEST(a_copy_is_judged_by_where_it_came_from)
{
    unsigned char copy[50];
    canary_stamp(secret, at(3), at(53));
    memcpy(copy, memory + 3, sizeof copy);
    ck_assert(canary_is_copy_intact(secret, at(3), at(53), copy));
    ck_assert(!canary_is_copy_intact(secret, at(4), at(54), copy));
    copy[49] = 'A';
    ck_assert(!canary_is_copy_intact(secret, at(3), at(53), copy));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, any_range_that_was_stamped_is_intact);
    tcase_add_test(tests, a_range_stamped_in_pieces_is_intact_as_a_whole);
    tcase_add_test(tests, zero_bytes_and_ascii_are_always_noticed);
    tcase_add_test(tests, a_canary_copied_from_elsewhere_does_not_pass);
    tcase_add_test(tests, another_secret_makes_other_bytes);
    tcase_add_test(tests, damage_is_found_run_by_run);
    tcase_add_test(tests, damage_at_either_edge_of_a_range_is_found);
    tcase_add_test(tests, a_copy_is_judged_by_where_it_came_from);
}

int main(void)
{
    return unit_run("base/canary", add);
}
