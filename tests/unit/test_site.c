/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record/site: call stacks, each stored once. */
#include "record/site.h"

#include "tests/support/unit.h"

#include <pthread.h>

enum { SITES = 10000, THREADS = 4 };

static struct site_table table;

static void set_up(void)
{
    ck_assert_int_eq(site_table_create(&table), 0);
}

START_TEST(a_site_is_stored_once_and_found_again)
{
    const uintptr_t frames[] = { 0x1000, 0x2000, 0x3000 };
    const uintptr_t *found = NULL;
    site_id site = site_intern(&table, frames, 3);
    ck_assert_uint_ne(site, 0);
    ck_assert_uint_eq(site_intern(&table, frames, 3), site);
    ck_assert_uint_eq(site_frames(&table, site, &found), 3);
    ck_assert_mem_eq(found, frames, sizeof frames);
}
END_TEST

START_TEST(stacks_that_differ_are_different_sites)
{
    const uintptr_t frames[] = { 0x1000, 0x2000 };
    const uintptr_t turned[] = { 0x2000, 0x1000 };
    site_id site = site_intern(&table, frames, 2);
    ck_assert_uint_ne(site_intern(&table, frames, 1), site);
    ck_assert_uint_ne(site_intern(&table, turned, 2), site);
}
END_TEST

START_TEST(no_site_and_a_foreign_number_have_no_frames)
{
    const uintptr_t *found = NULL;
    ck_assert_uint_eq(site_frames(&table, 0, &found), 0);
    ck_assert_uint_eq(site_frames(&table, UINT32_MAX, &found), 0);
}
END_TEST

START_TEST(a_full_table_answers_not_known)
{
    uintptr_t frame = 1;
    site_id first = site_intern(&table, &frame, 1);
    table.word_count = 5;
    frame = 2;
    ck_assert_uint_ne(site_intern(&table, &frame, 1), 0);
    frame = 3;
    ck_assert_uint_eq(site_intern(&table, &frame, 1), 0);
    ck_assert_uint_eq(site_intern(&table, &frame, 1), 0);
    frame = 1;
    ck_assert_uint_eq(site_intern(&table, &frame, 1), first);
}
END_TEST

START_TEST(a_table_that_was_never_made_answers_not_known)
{
    struct site_table none = { .slot_count = 0 };
    uintptr_t frame = 1;
    ck_assert_uint_eq(site_intern(&none, &frame, 1), 0);
}
END_TEST

static site_id seen[THREADS][SITES];

static void *intern_all(void *own)
{
    site_id *sites = own;
    for (uintptr_t i = 0; i < SITES; i++) {
        uintptr_t frames[] = { i, i / 2 };
        sites[i] = site_intern(&table, frames, 2);
    }
    return NULL;
}

START_TEST(threads_that_store_the_same_sites_get_the_same_numbers)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, intern_all, seen[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 1; i < THREADS; i++) {
        ck_assert_mem_eq(seen[0], seen[i], sizeof seen[0]);
    }
    for (uintptr_t i = 0; i < SITES; i++) {
        const uintptr_t *frames = NULL;
        ck_assert_uint_eq(site_frames(&table, seen[0][i], &frames), 2);
        ck_assert_uint_eq(frames[0], i);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_site_is_stored_once_and_found_again);
    tcase_add_test(tests, stacks_that_differ_are_different_sites);
    tcase_add_test(tests, no_site_and_a_foreign_number_have_no_frames);
    tcase_add_test(tests, a_full_table_answers_not_known);
    tcase_add_test(tests, a_table_that_was_never_made_answers_not_known);
    tcase_add_test(tests,
                   threads_that_store_the_same_sites_get_the_same_numbers);
}

int main(void)
{
    return unit_run("record/site", add);
}
