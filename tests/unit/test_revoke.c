/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/revoke: every way passes the same tests. */
#include "os/revoke.h"

#include "os/pages.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 8 };

static const struct revoke_way *const ways[]
    = { &revoke_guard, &revoke_mprotect, &revoke_drop, &revoke_move };

static const struct revoke_way *way;
static uintptr_t range;

static size_t bytes(size_t pages)
{
    return pages * pages_size();
}

static uintptr_t page(size_t number)
{
    return range + bytes(number);
}

/* Without a fault: the kernel reads a byte for us, or cannot. */
static bool is_accessible(uintptr_t address)
{
    char byte;
    return pages_peek(address, 1, &byte);
}

static void expect_accessible(const char *map)
{
    for (size_t i = 0; i < PAGES; i++) {
        ck_assert_msg(is_accessible(page(i)) == (map[i] == 'x'),
                      "page %zu of %s with %s", i, map, way->name);
    }
}

/* Returns whether this kernel has the way at all. */
static bool set_way(int number)
{
    way = ways[number];
    ck_assert_int_eq(pages_reserve(bytes(PAGES), &range), 0);
    return way->probe() == 0;
}

START_TEST(a_prepared_page_is_guarded_until_it_is_armed)
{
    if (!set_way(_i)) {
        return;
    }
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    expect_accessible("........");
    ck_assert_int_eq(way->arm(page(2), bytes(3)), 0);
    expect_accessible("..xxx...");
    memset((void *)page(2), 1, bytes(3));
}
END_TEST

START_TEST(a_revoked_page_is_guarded_and_empty_when_armed_again)
{
    if (!set_way(_i)) {
        return;
    }
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    ck_assert_int_eq(way->arm(page(1), bytes(3)), 0);
    memset((void *)page(1), 'A', bytes(3));
    ck_assert_int_eq(way->revoke(page(2), bytes(1)), 0);
    expect_accessible(".x.x....");
    ck_assert_int_eq(way->arm(page(2), bytes(1)), 0);
    expect_accessible(".xxx....");
    for (size_t i = 0; i < bytes(1); i++) {
        ck_assert_int_eq(((char *)page(2))[i], 0);
        ck_assert_int_eq(((char *)page(1))[i], 'A');
    }
}
END_TEST

START_TEST(guards_hold_in_a_forked_child)
{
    if (!set_way(_i)) {
        return;
    }
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    ck_assert_int_eq(way->arm(page(0), bytes(1)), 0);
    pid_t child = fork();
    if (child == 0) {
        if (way->adopt != NULL) {
            way->adopt();
        }
        _exit(is_accessible(page(0)) && !is_accessible(page(1)) ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_range_can_be_prepared_again)
{
    if (!set_way(_i)) {
        return;
    }
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    ck_assert_int_eq(way->arm(page(0), bytes(2)), 0);
    ck_assert_int_eq(way->revoke(page(0), bytes(2)), 0);
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    expect_accessible("........");
    ck_assert_int_eq(way->arm(page(7), bytes(1)), 0);
    expect_accessible(".......x");
}
END_TEST

START_TEST(locked_pages_are_revoked_too)
{
    if (!set_way(_i)) {
        return;
    }
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    ck_assert_int_eq(way->arm(page(3), bytes(1)), 0);
    ck_assert_int_eq(mlock((void *)page(3), bytes(1)), 0);
    ck_assert_int_eq(way->revoke(page(3), bytes(1)), 0);
    expect_accessible("........");
}
END_TEST

START_TEST(errno_is_left_alone)
{
    if (!set_way(_i)) {
        return;
    }
    errno = EDOM;
    way->probe();
    way->prepare(range, bytes(PAGES));
    way->arm(page(0), bytes(1));
    way->revoke(page(0), bytes(1));
    way->arm(page(0) + 1, bytes(1));
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(revoking_falls_back_to_mprotect)
{
    if (!set_way(_i)) {
        return;
    }
    bool fell_back = true;
    ck_assert_int_eq(way->prepare(range, bytes(PAGES)), 0);
    ck_assert_int_eq(way->arm(page(0), bytes(2)), 0);
    ck_assert_int_eq(revoke_or_deny(way, page(0), bytes(1), &fell_back), 0);
    ck_assert(!fell_back);
    expect_accessible(".x......");
}
END_TEST

static int refuse(uintptr_t start, size_t size)
{
    (void)start;
    (void)size;
    return EPERM;
}

START_TEST(a_way_that_refuses_is_replaced_by_mprotect)
{
    struct revoke_way refusing = revoke_mprotect;
    refusing.revoke = refuse;
    bool fell_back = false;
    set_way(1);
    ck_assert_int_eq(revoke_mprotect.arm(page(0), bytes(1)), 0);
    ck_assert_int_eq(revoke_or_deny(&refusing, page(0), bytes(1), &fell_back),
                     0);
    ck_assert(fell_back);
    expect_accessible("........");
}
END_TEST

START_TEST(the_way_that_is_asked_for_is_taken)
{
    int refused = -1;
    ck_assert_ptr_eq(revoke_choose(REVOKE_MPROTECT, &refused),
                     &revoke_mprotect);
    ck_assert_int_eq(refused, 0);
    const struct revoke_way *chosen = revoke_choose(REVOKE_GUARD, &refused);
    ck_assert_ptr_eq(chosen, refused == 0 ? &revoke_guard : &revoke_mprotect);
    ck_assert_int_eq(refused, revoke_guard.probe());
    chosen = revoke_choose(REVOKE_AUTO, &refused);
    ck_assert_int_eq(chosen->probe(), 0);
}
END_TEST

START_TEST(a_way_that_is_there_is_proven)
{
    if (!set_way(_i)) {
        return;
    }
    errno = EDOM;
    ck_assert_int_eq(revoke_prove(way), 0);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(a_way_that_does_not_do_what_it_says_is_not_proven)
{
    struct revoke_way lying = revoke_mprotect;
    lying.prepare = revoke_mprotect.arm;
    ck_assert_int_eq(revoke_prove(&lying), REVOKE_UNPROVEN);
    lying.prepare = refuse;
    ck_assert_int_eq(revoke_prove(&lying), EPERM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, a_way_that_is_there_is_proven, 0, 4);
    tcase_add_test(tests,
                   a_way_that_does_not_do_what_it_says_is_not_proven);
    int count = (int)(sizeof ways / sizeof ways[0]);
    tcase_add_loop_test(
        tests, a_prepared_page_is_guarded_until_it_is_armed, 0, count);
    tcase_add_loop_test(
        tests, a_revoked_page_is_guarded_and_empty_when_armed_again, 0, count);
    tcase_add_loop_test(tests, guards_hold_in_a_forked_child, 0, count);
    tcase_add_loop_test(tests, a_range_can_be_prepared_again, 0, count);
    tcase_add_loop_test(tests, locked_pages_are_revoked_too, 0, count);
    tcase_add_loop_test(tests, errno_is_left_alone, 0, count);
    tcase_add_loop_test(tests, revoking_falls_back_to_mprotect, 0, count);
    tcase_add_test(tests, a_way_that_refuses_is_replaced_by_mprotect);
    tcase_add_test(tests, the_way_that_is_asked_for_is_taken);
}

int main(void)
{
    return unit_run("os/revoke", add);
}
