/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * os/userfault_stand_in: guards over the pages that are missing, by markers
 * and, on a kernel that refuses them, by mprotect().
 */
#include "os/userfault_stand_in.h"

#include "os/pages.h"
#include "tests/support/failing_os.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

/* /proc/self/pagemap is read 512 pages at a time. */
enum { PAGES = 1300, HOLE = 600 };

/* Two ranges of one mapping with a page between them that is not theirs. */
static struct range ranges[2];
static const struct range_list list = { .ranges = ranges,
                                        .capacity = 2,
                                        .count = 2 };
static uintptr_t start;

static uintptr_t page(size_t number)
{
    return start + number * pages_size();
}

/* Pages that live blocks have: near the ends and around what is read at once.
 */
static bool is_used(size_t number)
{
    return number == 0 || (number >= 510 && number <= 513) || number == 599
           || number == 601 || number == 1100 || number == 1112
           || number == PAGES - 2;
}

static void set_up(void)
{
    ck_assert_int_eq(pages_map(PAGES * pages_size(), "test", &start), 0);
    for (size_t i = 0; i < PAGES; i++) {
        if (is_used(i)) {
            memset((void *)page(i), (int)('a' + i % 26), pages_size());
        }
    }
    ranges[0] = (struct range){ start, page(HOLE) };
    ranges[1] = (struct range){ page(HOLE + 1), page(PAGES) };
}

static bool is_accessible(uintptr_t address)
{
    char byte;
    return pages_peek(address, 1, &byte);
}

/* Whether just the pages of live blocks, and what is not in the ranges, are
 * accessible, and blocks hold what they held. */
static void expect_guards(void)
{
    for (size_t i = 0; i < PAGES; i++) {
        ck_assert_msg(is_accessible(page(i)) == (is_used(i) || i == HOLE),
                      "page %zu", i);
        if (is_used(i)) {
            const char *first = (const char *)page(i);
            ck_assert_int_eq(first[0], (int)('a' + i % 26));
            ck_assert_int_eq(first[pages_size() - 1], first[0]);
        }
    }
}

/* All that follows is done by WAY. */
static void expect_life_to_go_on(const struct revoke_way *way)
{
    static const size_t numbers[] = { 1, 509, 514, 700, PAGES - 1 };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uintptr_t address = page(numbers[i]);
        ck_assert_int_eq(way->arm(address, pages_size()), 0);
        ck_assert_msg(is_accessible(address), "page %zu", numbers[i]);
        *(char *)address = 'x';
        ck_assert_int_eq(way->revoke(address, pages_size()), 0);
        ck_assert(!is_accessible(address));
    }
    ck_assert_int_eq(way->revoke(page(511), pages_size()), 0);
    ck_assert(!is_accessible(page(511)));
    ck_assert_int_eq(way->arm(page(511), pages_size()), 0);
    ck_assert_int_eq(*(char *)page(511), 0);
}

/* How many calls a probe of markers is; 0: this kernel does not have them. */
static size_t calls_of_a_probe(void)
{
    failing_os_start(0, 0, FAILING_ONCE);
    int error = revoke_guard.probe();
    size_t calls = failing_os_stop();
    return error == 0 ? calls : 0;
}

START_TEST(missing_pages_get_markers)
{
    if (calls_of_a_probe() == 0) {
        return;
    }
    set_up();
    ck_assert_ptr_eq(userfault_stand_in(&list), &revoke_guard);
    expect_guards();
    expect_life_to_go_on(&revoke_guard);
}
END_TEST

START_TEST(without_markers_they_are_protected)
{
    set_up();
    /* A mapping, and then a marker that is refused. */
    failing_os_start(2, EINVAL, FAILING_ONCE);
    ck_assert_ptr_eq(userfault_stand_in(&list), &revoke_mprotect);
    failing_os_stop();
    expect_guards();
    expect_life_to_go_on(&revoke_mprotect);
}
END_TEST

START_TEST(markers_that_are_refused_on_the_way_are_taken_back)
{
    size_t calls = calls_of_a_probe();
    if (calls == 0) {
        return;
    }
    set_up();
    failing_os_start(calls + (size_t)_i, ENOMEM, FAILING_HALF_DONE);
    ck_assert_ptr_eq(userfault_stand_in(&list), &revoke_mprotect);
    failing_os_stop();
    expect_guards();
    expect_life_to_go_on(&revoke_mprotect);
}
END_TEST

START_TEST(where_nothing_can_nothing_is_changed)
{
    set_up();
    failing_os_start(1, ENOMEM, FAILING_EVER_AFTER);
    ck_assert_ptr_null(userfault_stand_in(&list));
    failing_os_stop();
    for (size_t i = 0; i < PAGES; i++) {
        ck_assert_int_eq(*(char *)page(i),
                         is_used(i) ? (int)('a' + i % 26) : 0);
    }
}
END_TEST

START_TEST(without_a_look_at_the_page_table_nothing_is_changed)
{
    struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
    set_up();
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_ptr_null(userfault_stand_in(&list));
    ck_assert_int_eq(*(char *)page(1), 0);
    ck_assert_int_eq(*(char *)page(511), 'a' + 511 % 26);
}
END_TEST

START_TEST(no_ranges_are_no_work)
{
    const struct range_list empty = { .count = 0 };
    ck_assert_ptr_nonnull(userfault_stand_in(&empty));
}
END_TEST

START_TEST(errno_is_left_alone)
{
    struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
    set_up();
    errno = EDOM;
    userfault_stand_in(&list);
    ck_assert_int_eq(errno, EDOM);
    failing_os_start(1, ENOMEM, FAILING_EVER_AFTER);
    userfault_stand_in(&list);
    failing_os_stop();
    ck_assert_int_eq(errno, EDOM);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    errno = EDOM;
    userfault_stand_in(&list);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, missing_pages_get_markers);
    tcase_add_test(tests, without_markers_they_are_protected);
    /* The ranges have six runs of missing pages. */
    tcase_add_loop_test(
        tests, markers_that_are_refused_on_the_way_are_taken_back, 1, 7);
    tcase_add_test(tests, where_nothing_can_nothing_is_changed);
    tcase_add_test(tests, without_a_look_at_the_page_table_nothing_is_changed);
    tcase_add_test(tests, no_ranges_are_no_work);
    tcase_add_test(tests, errno_is_left_alone);
}

int main(void)
{
    if (calls_of_a_probe() == 0) {
        printf("# markers are not tested: this kernel has none (6.13)\n");
        fflush(stdout);
    }
    return unit_run("os/userfault_stand_in", add);
}
