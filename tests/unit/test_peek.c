/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/peek: copies of what can be read, and of what cannot. */
#include "os/peek.h"

#include "os/pages.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static struct peek peek;
static size_t page;
/* Four pages: the third is not mapped. */
static char *memory;

static void set_up(void)
{
    page = pages_size();
    memory = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    memset(memory, 'a', page);
    memset(memory + page, 'b', page);
    memset(memory + 3 * page, 'd', page);
    ck_assert_int_eq(munmap(memory + 2 * page, page), 0);
    peek_open(&peek);
}

static void tear_down(void)
{
    peek_close(&peek);
}

static struct peek_piece piece_at(const char *start, size_t bytes, void *copy)
{
    return (struct peek_piece){ .start = (uintptr_t)start,
                                .bytes = bytes,
                                .copy = copy };
}

/* In both ways: _i is whether the kernel refuses the faster one. */
START_TEST(pieces_are_copied_and_what_is_not_there_is_zero)
{
    char copies[5][16];
    memset(copies, 'x', sizeof copies);
    struct peek_piece pieces[]
        = { piece_at(memory + page - 3, 6, copies[0]),
            piece_at(memory + 2 * page, 16, copies[1]),
            piece_at(memory + 3 * page - 4, 8, copies[2]),
            piece_at((char *)16, 16, copies[3]),
            piece_at(memory + 4 * page - 5, 5, copies[4]) };
    peek.is_refused = _i != 0;
    errno = EDOM;
    peek_copy(&peek, pieces, 5);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_mem_eq(copies[0], "aaabbbxxxxxxxxxx", 16);
    static const char zeroes[16];
    ck_assert_mem_eq(copies[1], zeroes, 16);
    ck_assert_mem_eq(copies[2], "\0\0\0\0ddddxxxxxxxx", 16);
    ck_assert_mem_eq(copies[3], zeroes, 16);
    ck_assert_mem_eq(copies[4], "dddddxxxxxxxxxxx", 16);
}
END_TEST

START_TEST(no_pieces_are_no_work)
{
    peek_copy(&peek, NULL, 0);
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
    static char copies[PEEK_PIECES];
    struct peek_piece pieces[PEEK_PIECES];
    for (size_t i = 0; i < PEEK_PIECES; i++) {
        memory[i] = (char)i;
        pieces[i] = piece_at(memory + i, 1, copies + i);
    }
    peek_copy(&peek, pieces, PEEK_PIECES);
    ck_assert_mem_eq(copies, memory, PEEK_PIECES);
}
END_TEST

START_TEST(protected_memory_is_seen_through)
{
    char copy[4];
    struct peek_piece piece = piece_at(memory, sizeof copy, copy);
    ck_assert_int_eq(mprotect(memory, page, PROT_NONE), 0);
    peek_copy(&peek, &piece, 1);
    ck_assert_mem_eq(copy, "aaaa", 4);
}
END_TEST

START_TEST(without_proc_what_cannot_be_read_is_zero)
{
    char copy[4];
    struct peek_piece piece = piece_at(memory, sizeof copy, copy);
    peek_close(&peek);
    peek.descriptor = -1;
    peek_copy(&peek, &piece, 1);
    ck_assert_mem_eq(copy, "aaaa", 4);
    ck_assert_int_eq(mprotect(memory, page, PROT_NONE), 0);
    peek_copy(&peek, &piece, 1);
    ck_assert_mem_eq(copy, "\0\0\0", 4);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests,
                        pieces_are_copied_and_what_is_not_there_is_zero, 0, 2);
    tcase_add_test(tests, no_pieces_are_no_work);
    tcase_add_test(tests, as_many_as_there_may_be);
    tcase_add_test(tests, protected_memory_is_seen_through);
    tcase_add_test(tests, without_proc_what_cannot_be_read_is_zero);
}

int main(void)
{
    return unit_run("os/peek", add);
}
