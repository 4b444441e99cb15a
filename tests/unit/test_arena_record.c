/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record/arena_record: telling handles from other pointers. The table is made
 * by hand, between two inaccessible pages, so that following a pointer that is
 * none of its records ends the test.
 */
#include "record/arena_record.h"

#include "tests/support/unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDS = 6, USED = 4 };

static struct arena_table table;

static struct moat_arena *at_offset(ptrdiff_t offset)
{
    return (struct moat_arena *)((uintptr_t)table.records
                                 + (uintptr_t)offset);
}

static void set_up(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = (RECORDS * sizeof(struct moat_arena) + page - 1) / page
                   * page;
    char *range = mmap(NULL, bytes + 2 * page, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(range, MAP_FAILED);
    ck_assert_int_eq(mprotect(range + page, bytes, PROT_READ | PROT_WRITE), 0);
    table.records = (struct moat_arena *)(void *)(range + page);
    table.capacity = RECORDS;
    table.used = USED;
    for (size_t i = 0; i < RECORDS; i++) {
        table.records[i].state = ARENA_LIVE;
    }
}

START_TEST(a_record_that_is_or_was_an_arena_is_a_handle)
{
    for (size_t i = 1; i < USED; i++) {
        ck_assert(arena_is_record(&table, &table.records[i]));
        table.records[i].state = ARENA_DESTROYED;
        ck_assert(arena_is_record(&table, &table.records[i]));
        table.records[i].state = ARENA_UNUSED;
        ck_assert(!arena_is_record(&table, &table.records[i]));
    }
}
END_TEST

START_TEST(record_0_and_those_not_used_yet_are_no_handles)
{
    ck_assert(!arena_is_record(&table, &table.records[0]));
    ck_assert(!arena_is_record(&table, &table.records[USED]));
    ck_assert(!arena_is_record(&table, &table.records[USED + 1]));
}
END_TEST

START_TEST(a_pointer_into_a_record_is_no_handle)
{
    ptrdiff_t record = (ptrdiff_t)sizeof(struct moat_arena);
    for (ptrdiff_t offset = 1; offset < record; offset++) {
        ck_assert(!arena_is_record(&table, at_offset(record + offset)));
    }
    ck_assert(arena_is_record(&table, at_offset(record)));
}
END_TEST

START_TEST(pointers_from_anywhere_are_not_followed)
{
    ptrdiff_t record = (ptrdiff_t)sizeof(struct moat_arena);
    int local = 0;
    ck_assert(!arena_is_record(&table, NULL));
    ck_assert(!arena_is_record(&table, (void *)8));
    ck_assert(!arena_is_record(&table, (void *)UINTPTR_MAX));
    ck_assert(!arena_is_record(&table, (void *)&local));
    ck_assert(!arena_is_record(&table, at_offset(-record)));
    ck_assert(!arena_is_record(&table, at_offset(record * 1000)));
    /* Not canonical: it could not even be read. */
    ck_assert(!arena_is_record(&table, (void *)0x8000000000000000));
}
END_TEST

START_TEST(an_empty_table_has_no_handles)
{
    struct arena_table none;
    memset(&none, 0, sizeof none);
    ck_assert(!arena_is_record(&none, NULL));
    ck_assert(!arena_is_record(&none, &table.records[1]));
    ck_assert(
        !arena_is_record(&none, (void *)sizeof(struct moat_arena)));
    ck_assert_ptr_null(arena_record_at(&none, 1));
}
END_TEST

START_TEST(numbers_lead_to_records_and_back)
{
    ck_assert_ptr_null(arena_record_at(&table, 0));
    ck_assert_ptr_null(arena_record_at(&table, USED));
    ck_assert_ptr_null(arena_record_at(&table, UINT32_MAX));
    for (uint32_t number = 1; number < USED; number++) {
        struct moat_arena *arena = arena_record_at(&table, number);
        ck_assert_ptr_eq(arena, &table.records[number]);
        ck_assert_uint_eq(arena_record_number(&table, arena), number);
    }
}
END_TEST

START_TEST(a_new_table_is_empty_and_has_room)
{
    struct arena_table fresh;
    ck_assert_int_eq(arena_table_create(&fresh), 0);
    ck_assert_uint_eq(fresh.used, 1);
    ck_assert_uint_ge(fresh.capacity, 100000);
    fresh.records[fresh.capacity - 1].state = ARENA_LIVE;
    ck_assert_ptr_null(arena_record_at(&fresh, 1));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_record_that_is_or_was_an_arena_is_a_handle);
    tcase_add_test(tests, record_0_and_those_not_used_yet_are_no_handles);
    tcase_add_test(tests, a_pointer_into_a_record_is_no_handle);
    tcase_add_test(tests, pointers_from_anywhere_are_not_followed);
    tcase_add_test(tests, an_empty_table_has_no_handles);
    tcase_add_test(tests, numbers_lead_to_records_and_back);
    tcase_add_test(tests, a_new_table_is_empty_and_has_room);
}

int main(void)
{
    return unit_run("record/arena_record", add);
}
