/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record/actor: threads, each stored once. */
#include "record/actor.h"

#include "tests/support/unit.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static struct actor_table table;

static void set_up(void)
{
    ck_assert_int_eq(actor_table_create(&table), 0);
    actor_forget_self_after_fork();
}

static void *self_of_thread(void *result)
{
    pthread_setname_np(pthread_self(), "worker");
    *(actor_id *)result = actor_self(&table);
    return NULL;
}

START_TEST(a_thread_is_the_same_actor_each_time)
{
    actor_id self = actor_self(&table);
    ck_assert_uint_ne(self, 0);
    ck_assert_uint_eq(actor_self(&table), self);
    const struct actor_record *record = actor_find(&table, self);
    ck_assert_ptr_nonnull(record);
    ck_assert_int_eq(record->pid, getpid());
    ck_assert_uint_eq(record->thread, 0);
}
END_TEST

START_TEST(who_is_counted_first_is_thread_0_whoever_is_recorded_first)
{
    actor_id other = 0;
    pthread_t thread;
    actor_number_self(&table);
    ck_assert_int_eq(pthread_create(&thread, NULL, self_of_thread, &other), 0);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(actor_find(&table, other)->thread, 1);
    ck_assert_uint_eq(actor_find(&table, actor_self(&table))->thread, 0);
}
END_TEST

START_TEST(another_thread_is_another_actor_with_its_name)
{
    actor_id actors[2] = { 0, 0 };
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        ck_assert_int_eq(
            pthread_create(&thread, NULL, self_of_thread, &actors[i]), 0);
        pthread_join(thread, NULL);
    }
    ck_assert_uint_ne(actors[0], actors[1]);
    ck_assert_str_eq(actor_find(&table, actors[0])->name, "worker");
    ck_assert_uint_ne(actor_find(&table, actors[0])->thread,
                      actor_find(&table, actors[1])->thread);
}
END_TEST

START_TEST(a_forked_thread_keeps_its_number_in_another_process)
{
    actor_id self = actor_self(&table);
    uint32_t number = actor_find(&table, self)->thread;
    pid_t child = fork();
    if (child == 0) {
        actor_forget_self_after_fork();
        const struct actor_record *record
            = actor_find(&table, actor_self(&table));
        _exit(record->pid == getpid() && record->thread == number
                      && actor_find(&table, self)->pid == getppid()
                  ? 0
                  : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_full_table_answers_not_known)
{
    table.capacity = 1;
    ck_assert_uint_eq(actor_self(&table), 0);
    ck_assert_ptr_null(actor_find(&table, 0));
    ck_assert_ptr_null(actor_find(&table, 1));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_thread_is_the_same_actor_each_time);
    tcase_add_test(tests,
                   who_is_counted_first_is_thread_0_whoever_is_recorded_first);
    tcase_add_test(tests, another_thread_is_another_actor_with_its_name);
    tcase_add_test(tests, a_forked_thread_keeps_its_number_in_another_process);
    tcase_add_test(tests, a_full_table_answers_not_known);
}

int main(void)
{
    return unit_run("record/actor", add);
}
