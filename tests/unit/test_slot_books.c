/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/slot_books: room for all slots, accessible as far as it is used. */
#include "alloc/slot_books.h"

#include "os/pages.h"
#include "tests/support/unit.h"
#include "tests/support/ways.h"

#include <string.h>

enum { CAPACITY = 100000, STEP = 16384 };

static struct slot_books books;
static struct moat_arena window;

static void set_up(void)
{
    uintptr_t records;
    ck_assert_int_eq(pages_reserve(CAPACITY * sizeof *window.blocks, &records),
                     0);
    window.blocks = (struct block_record *)records;
    ck_assert_int_eq(slot_books_reserve(&books, CAPACITY), 0);
}

static bool is_usable(size_t slot)
{
    uintptr_t record = (uintptr_t)&window.blocks[slot - 1];
    return ways_is_accessible((uintptr_t)&books.next[slot])
           && ways_is_accessible(record)
           && ways_is_accessible(record + sizeof *window.blocks - 1);
}

/* The first behind what is accessible, a page for rounding left out. */
static bool is_closed(size_t slot)
{
    return !ways_is_accessible((uintptr_t)&books.next[slot] + pages_size())
           && !ways_is_accessible((uintptr_t)&window.blocks[slot - 1]
                                  + pages_size());
}

START_TEST(nothing_is_accessible_before_it_is_used)
{
    set_up();
    ck_assert_uint_eq(books.capacity, CAPACITY);
    ck_assert_uint_eq(books.usable, 0);
    ck_assert(!ways_is_accessible((uintptr_t)books.next));
    ck_assert(!ways_is_accessible((uintptr_t)window.blocks));
}
END_TEST

START_TEST(books_become_accessible_in_steps)
{
    set_up();
    ck_assert_int_eq(slot_books_extend(&books, &window, 1), 0);
    ck_assert_uint_eq(books.usable, STEP);
    ck_assert(is_usable(1));
    ck_assert(is_usable(STEP));
    ck_assert(is_closed(STEP + 1));
    ck_assert_int_eq(slot_books_extend(&books, &window, STEP), 0);
    ck_assert_uint_eq(books.usable, STEP);
    ck_assert_int_eq(slot_books_extend(&books, &window, STEP + 1), 0);
    ck_assert_uint_eq(books.usable, 2 * STEP);
    ck_assert(is_usable(2 * STEP));
    ck_assert(is_closed(2 * STEP + 1));
}
END_TEST

START_TEST(the_last_step_ends_with_the_last_slot)
{
    set_up();
    ck_assert_int_eq(slot_books_extend(&books, &window, CAPACITY - 1), 0);
    ck_assert_uint_eq(books.usable, CAPACITY);
    ck_assert(is_usable(CAPACITY));
}
END_TEST

START_TEST(what_is_written_stays_when_there_is_more)
{
    set_up();
    ck_assert_int_eq(slot_books_extend(&books, &window, 1), 0);
    books.next[1] = 17;
    window.blocks[0].bytes = 18;
    ck_assert_int_eq(slot_books_extend(&books, &window, CAPACITY), 0);
    ck_assert_uint_eq(books.next[1], 17);
    ck_assert_uint_eq(window.blocks[0].bytes, 18);
}
END_TEST

START_TEST(another_window_has_books_of_its_own)
{
    set_up();
    ck_assert_int_eq(slot_books_extend(&books, &window, 1), 0);
    uintptr_t records;
    ck_assert_int_eq(pages_reserve(CAPACITY * sizeof *window.blocks, &records),
                     0);
    window.blocks = (struct block_record *)records;
    slot_books_restart(&books);
    ck_assert(!is_usable(1));
    ck_assert_int_eq(slot_books_extend(&books, &window, 1), 0);
    ck_assert(is_usable(1));
}
END_TEST

START_TEST(books_that_cannot_be_made_accessible_are_not_counted)
{
    set_up();
    /* Where nothing is reserved, nothing can be made accessible. */
    pages_unmap((uintptr_t)window.blocks, CAPACITY * sizeof *window.blocks);
    ck_assert_int_ne(slot_books_extend(&books, &window, 1), 0);
    ck_assert_uint_eq(books.usable, 0);
    ck_assert_int_ne(slot_books_reserve(&books, SIZE_MAX / 64), 0);
    ck_assert_uint_eq(books.capacity, CAPACITY);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, nothing_is_accessible_before_it_is_used);
    tcase_add_test(tests, books_become_accessible_in_steps);
    tcase_add_test(tests, the_last_step_ends_with_the_last_slot);
    tcase_add_test(tests, what_is_written_stays_when_there_is_more);
    tcase_add_test(tests, another_window_has_books_of_its_own);
    tcase_add_test(tests,
                   books_that_cannot_be_made_accessible_are_not_counted);
}

int main(void)
{
    return unit_run("alloc/slot_books", add);
}
