/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/address_space: which children have memory of their own. */
#include "os/address_space.h"

#include "tests/support/child.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>

static void set_up(void)
{
    ck_assert_int_eq(address_space_start(), 0);
}

START_TEST(before_the_start_nothing_is_new)
{
    ck_assert(!address_space_is_new());
    ck_assert(!address_space_is_borrowed());
    ck_assert(!address_space_begin_claim());
}
END_TEST

START_TEST(where_it_was_started_it_is_known)
{
    set_up();
    ck_assert(!address_space_is_new());
    ck_assert(!address_space_is_borrowed());
    ck_assert(!address_space_begin_claim());
    const struct address_space *before = address_space;
    ck_assert_int_eq(address_space_start(), 0);
    ck_assert_ptr_eq(address_space, before);
}
END_TEST

/* Seen from a child with memory of its own. */
static int claim(void *unused)
{
    (void)unused;
    CHILD_MUST(address_space_is_new());
    CHILD_MUST(!address_space_is_borrowed());
    CHILD_MUST(address_space_begin_claim());
    /* As a signal handler may, in the midst of it. */
    CHILD_MUST(!address_space_begin_claim());
    CHILD_MUST(address_space_is_new());
    address_space_claim();
    CHILD_MUST(!address_space_is_new());
    CHILD_MUST(!address_space_is_borrowed());
    CHILD_MUST(!address_space_begin_claim());
    return 0;
}

START_TEST(a_child_with_memory_of_its_own_is_in_a_new_one)
{
    set_up();
    ck_assert_int_eq(child_ending((enum child_kind)_i, claim, NULL), 0);
    ck_assert(!address_space_is_new());
    ck_assert(!address_space_is_borrowed());
}
END_TEST

static int claim_and_fork(void *unused)
{
    claim(unused);
    CHILD_MUST(child_ending(CHILD_FORKED, claim, NULL) == 0);
    CHILD_MUST(child_ending(CHILD_CLONED, claim, NULL) == 0);
    CHILD_MUST(!address_space_is_new());
    return 0;
}

START_TEST(so_is_a_child_of_a_child)
{
    set_up();
    ck_assert_int_eq(child_ending((enum child_kind)_i, claim_and_fork, NULL),
                     0);
}
END_TEST

/* Seen from a child that waits for an exec() in its parent's memory. */
static int borrow(void *unused)
{
    (void)unused;
    CHILD_MUST(!address_space_is_new());
    CHILD_MUST(address_space_is_borrowed());
    CHILD_MUST(!address_space_begin_claim());
    return 0;
}

START_TEST(a_child_of_vfork_borrows_its_parents)
{
    set_up();
    ck_assert_int_eq(child_ending(CHILD_BORROWING, borrow, NULL), 0);
    ck_assert(!address_space_is_new());
    ck_assert(!address_space_is_borrowed());
}
END_TEST

static int claim_and_vfork(void *unused)
{
    claim(unused);
    CHILD_MUST(child_ending(CHILD_BORROWING, borrow, NULL) == 0);
    CHILD_MUST(!address_space_is_borrowed());
    return 0;
}

START_TEST(a_child_that_has_claimed_lends_like_any_other)
{
    set_up();
    ck_assert_int_eq(child_ending(CHILD_FORKED, claim_and_vfork, NULL), 0);
}
END_TEST

/* Who is told that it is another's finds it done. */
static void *ask(void *is_mine)
{
    if (address_space_begin_claim()) {
        *(bool *)is_mine = true;
        for (int i = 0; i < 100; i++) {
            sched_yield();
        }
        address_space_claim();
    }
    return address_space_is_new() ? NULL : is_mine;
}

static int ask_in_threads(void *unused)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    bool is_mine[THREADS] = { false };
    int claims = 0;
    (void)unused;
    for (int i = 0; i < THREADS; i++) {
        CHILD_MUST(pthread_create(&threads[i], NULL, ask, &is_mine[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *found_it_known;
        pthread_join(threads[i], &found_it_known);
        CHILD_MUST(found_it_known != NULL);
        claims += is_mine[i];
    }
    CHILD_MUST(claims == 1);
    return 0;
}

START_TEST(of_many_threads_one_claims)
{
    set_up();
    for (int round = 0; round < 50; round++) {
        ck_assert_int_eq(child_ending(CHILD_FORKED, ask_in_threads, NULL), 0);
    }
}
END_TEST

START_TEST(errno_is_left_alone)
{
    errno = EDOM;
    set_up();
    address_space_is_borrowed();
    address_space_begin_claim();
    address_space_claim();
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, before_the_start_nothing_is_new);
    tcase_add_test(tests, where_it_was_started_it_is_known);
    tcase_add_loop_test(tests, a_child_with_memory_of_its_own_is_in_a_new_one,
                        CHILD_FORKED, CHILD_CLONED + 1);
    tcase_add_loop_test(tests, so_is_a_child_of_a_child, CHILD_FORKED,
                        CHILD_CLONED + 1);
    tcase_add_test(tests, a_child_of_vfork_borrows_its_parents);
    tcase_add_test(tests, a_child_that_has_claimed_lends_like_any_other);
    tcase_add_test(tests, of_many_threads_one_claims);
    tcase_add_test(tests, errno_is_left_alone);
}

/* Asked in a child, so that each test starts for itself. */
static int try_to_start(void *unused)
{
    (void)unused;
    return address_space_start() == 0 ? 0 : 1;
}

int main(void)
{
    if (child_ending(CHILD_FORKED, try_to_start, NULL) != 0) {
        return unit_skip("this kernel wipes no pages at fork (4.14)");
    }
    return unit_run("os/address_space", add);
}
