/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/range_list: ranges that grow together and come apart. */
#include "os/range_list.h"

#include "tests/support/unit.h"

#include <string.h>

/* Addresses are columns of a picture. */
enum { WIDTH = 40, ROOM = WIDTH / 2 };

static struct range ranges[ROOM];
static struct range_list list;

static void set_room(size_t room)
{
    list = (struct range_list){ .ranges = ranges, .capacity = room };
}

/* The list as a picture; it must hold no address twice. */
static void draw(char picture[WIDTH + 1])
{
    memset(picture, '.', WIDTH);
    picture[WIDTH] = '\0';
    for (size_t i = 0; i < list.count; i++) {
        ck_assert_uint_lt(ranges[i].start, ranges[i].end);
        ck_assert_uint_le(ranges[i].end, WIDTH);
        for (uintptr_t at = ranges[i].start; at < ranges[i].end; at++) {
            ck_assert_int_eq(picture[at], '.');
            picture[at] = 'x';
        }
    }
}

static size_t runs_of(const char *picture)
{
    size_t runs = 0;
    for (size_t i = 0; picture[i] != '\0'; i++) {
        runs += picture[i] == 'x' && (i == 0 || picture[i - 1] != 'x');
    }
    return runs;
}

/* EXPECTED is the start of the picture; behind it there is nothing. Ranges
 * that touch are one. */
static void expect(const char *expected)
{
    char picture[WIDTH + 1];
    draw(picture);
    for (size_t i = 0; i < WIDTH; i++) {
        bool is_wanted = i < strlen(expected) && expected[i] == 'x';
        ck_assert_msg((picture[i] == 'x') == is_wanted, "%s is not %s", picture,
                      expected);
    }
    ck_assert_uint_eq(list.count, runs_of(expected));
}

static void fill(const char *picture)
{
    set_room(ROOM);
    for (size_t i = 0; i < strlen(picture); i++) {
        if (picture[i] == 'x') {
            ck_assert(range_list_add(&list, i, i + 1));
        }
    }
    expect(picture);
}

START_TEST(ranges_apart_are_ranges_of_their_own)
{
    set_room(ROOM);
    expect("");
    ck_assert(range_list_add(&list, 6, 8));
    ck_assert(range_list_add(&list, 1, 3));
    ck_assert(range_list_add(&list, 10, 11));
    expect(".xx...xx..x");
}
END_TEST

START_TEST(neighbours_become_one_range)
{
    fill(".xx");
    ck_assert(range_list_add(&list, 3, 5));
    expect(".xxxx");
    ck_assert(range_list_add(&list, 0, 1));
    expect("xxxxx");
    ck_assert(range_list_add(&list, 8, 9));
    ck_assert(range_list_add(&list, 20, 22));
    ck_assert(range_list_add(&list, 5, 8));
    expect("xxxxxxxxx...........xx");
}
END_TEST

START_TEST(what_is_there_is_not_added_twice)
{
    fill("..xxxx..xx");
    ck_assert(range_list_add(&list, 3, 5));
    ck_assert(range_list_add(&list, 2, 6));
    ck_assert(range_list_add(&list, 2, 4));
    ck_assert(range_list_add(&list, 4, 6));
    expect("..xxxx..xx");
    ck_assert(range_list_add(&list, 4, 7));
    expect("..xxxxx.xx");
    ck_assert(range_list_add(&list, 0, 12));
    expect("xxxxxxxxxxxx");
}
END_TEST

START_TEST(a_cut_takes_ends_middles_and_wholes)
{
    fill("xxxxxxxx..xx.x.xxxx");
    ck_assert(range_list_cut(&list, 0, 1));
    expect(".xxxxxxx..xx.x.xxxx");
    ck_assert(range_list_cut(&list, 7, 9));
    expect(".xxxxxx...xx.x.xxxx");
    ck_assert(range_list_cut(&list, 3, 5));
    expect(".xx..xx...xx.x.xxxx");
    ck_assert(range_list_cut(&list, 6, 16));
    expect(".xx..x..........xxx");
    ck_assert(range_list_cut(&list, 3, 5));
    expect(".xx..x..........xxx");
    ck_assert(range_list_cut(&list, 0, WIDTH));
    expect("");
}
END_TEST

START_TEST(a_full_list_takes_what_needs_no_room)
{
    fill("xx..xx..xxxx");
    list.capacity = 3;
    ck_assert(!range_list_add(&list, 14, 15));
    expect("xx..xx..xxxx");
    ck_assert(range_list_add(&list, 12, 14));
    ck_assert(range_list_add(&list, 9, 11));
    expect("xx..xx..xxxxxx");
    ck_assert(range_list_add(&list, 2, 4));
    expect("xxxxxx..xxxxxx");
    ck_assert(range_list_add(&list, 15, 16));
    expect("xxxxxx..xxxxxx.x");
}
END_TEST

START_TEST(a_full_list_is_left_as_it_is_by_a_cut_that_splits)
{
    fill("xx..xx..xxxx");
    list.capacity = 3;
    ck_assert(!range_list_cut(&list, 9, 11));
    expect("xx..xx..xxxx");
    ck_assert(range_list_cut(&list, 8, 11));
    ck_assert(range_list_cut(&list, 0, 4));
    expect("....xx.....x");
    list.capacity = 2;
    ck_assert(range_list_add(&list, 12, 15));
    ck_assert(!range_list_cut(&list, 12, 13));
    ck_assert(range_list_cut(&list, 3, 7));
    ck_assert(range_list_cut(&list, 12, 13));
    expect("...........x.xx");
}
END_TEST

/* Against a picture that is painted: in every state, the answer is whether
 * there is room for the outcome. */
START_TEST(in_any_order_a_list_holds_what_was_added_and_not_cut)
{
    char wanted[WIDTH + 1];
    char painted[WIDTH + 1];
    unsigned long random = 1;
    size_t refused = 0;
    set_room(4);
    draw(wanted);
    for (int round = 0; round < 10000; round++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t start = (random >> 33) % WIDTH;
        size_t room = WIDTH - start < 5 ? WIDTH - start : 5;
        size_t end = start + 1 + (random >> 43) % room;
        bool is_added = (random >> 60) % 2 == 0;
        memcpy(painted, wanted, sizeof painted);
        memset(painted + start, is_added ? 'x' : '.', end - start);
        bool is_done = is_added ? range_list_add(&list, start, end)
                                : range_list_cut(&list, start, end);
        ck_assert_int_eq(is_done, runs_of(painted) <= list.capacity);
        if (is_done) {
            memcpy(wanted, painted, sizeof wanted);
        }
        refused += !is_done;
        expect(wanted);
    }
    ck_assert_uint_gt(refused, 100);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, ranges_apart_are_ranges_of_their_own);
    tcase_add_test(tests, neighbours_become_one_range);
    tcase_add_test(tests, what_is_there_is_not_added_twice);
    tcase_add_test(tests, a_cut_takes_ends_middles_and_wholes);
    tcase_add_test(tests, a_full_list_takes_what_needs_no_room);
    tcase_add_test(tests, a_full_list_is_left_as_it_is_by_a_cut_that_splits);
    tcase_add_test(tests, in_any_order_a_list_holds_what_was_added_and_not_cut);
}

int main(void)
{
    return unit_run("os/range_list", add);
}
