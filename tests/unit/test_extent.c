/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/extent: which addresses an arena gets. A small region makes it easy to
 * use up.
 */
#include "alloc/extent.h"

#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REGION_BYTES = 1 << 27, GRANULES = REGION_BYTES >> 16 };

static struct moat_state state;

static void set_up_with(size_t quarantine)
{
    state = (struct moat_state){ .page_bytes = 4096 };
    ck_assert_int_eq(state_create(&state, REGION_BYTES), 0);
    ck_assert_uint_eq(state.region.bytes, REGION_BYTES);
    extent_start(&state, quarantine);
}

static struct moat_arena *take(size_t bytes)
{
    struct moat_arena *arena = NULL;
    ck_assert_int_eq(extent_take(bytes, SIZE_MAX, &arena), 0);
    extent_publish(arena);
    return arena;
}

static void destroy(struct moat_arena *arena)
{
    ck_assert(extent_retire(arena));
    extent_quarantine(arena);
}

static uint32_t owner(uintptr_t address)
{
    return region_owner(&state.region, address);
}

START_TEST(extents_are_aligned_powers_of_two_and_do_not_overlap)
{
    set_up_with(10);
    struct moat_arena *small = take(1);
    struct moat_arena *large = take(200000);
    struct moat_arena *another = take(65536);
    ck_assert_uint_eq(small->extent_bytes, 65536);
    ck_assert_uint_eq(large->extent_bytes, 262144);
    ck_assert_uint_eq(large->extent_start % 262144, 0);
    ck_assert_uint_ne(owner(small->extent_start), owner(large->extent_start));
    ck_assert_uint_eq(owner(large->extent_start),
                      owner(large->extent_start + 262143));
    ck_assert_uint_eq(owner(another->extent_start),
                      arena_record_number(&state.arenas, another));
}
END_TEST

START_TEST(a_destroyed_arena_keeps_its_addresses)
{
    set_up_with(10);
    struct moat_arena *arena = take(65536);
    uintptr_t start = arena->extent_start;
    uint32_t number = owner(start);
    destroy(arena);
    for (int i = 0; i < 9; i++) {
        struct moat_arena *other = take(65536);
        ck_assert_uint_ne(other->extent_start, start);
        destroy(other);
    }
    ck_assert_uint_eq(owner(start), number);
    ck_assert_int_eq(arena_state_of(arena), ARENA_DESTROYED);
}
END_TEST

START_TEST(beyond_the_quarantine_the_oldest_is_used_again_first)
{
    set_up_with(3);
    uintptr_t starts[4];
    for (int i = 0; i < 4; i++) {
        struct moat_arena *arena = take(65536);
        starts[i] = arena->extent_start;
        destroy(arena);
    }
    ck_assert_uint_eq(take(65536)->extent_start, starts[0]);
    ck_assert_uint_ne(take(65536)->extent_start, starts[1]);
}
END_TEST

START_TEST(what_an_arena_held_before_it_was_emptied_is_kept_as_if_destroyed)
{
    set_up_with(3);
    struct moat_arena *arena = take(65536);
    uintptr_t start = arena->extent_start;
    atomic_store(&arena->block_count, 2);
    struct moat_arena *former = NULL;
    ck_assert_int_eq(extent_take(65536, SIZE_MAX, &former), 0);
    uintptr_t fresh = former->extent_start;
    extent_exchange(arena, former);
    ck_assert_int_eq(arena_state_of(arena), ARENA_LIVE);
    ck_assert_int_eq(arena_state_of(former), ARENA_RESET);
    ck_assert_uint_eq(arena->extent_start, fresh);
    ck_assert_uint_eq(arena->block_count, 0);
    ck_assert_uint_eq(former->extent_start, start);
    ck_assert_uint_eq(former->block_count, 2);
    ck_assert_uint_eq(owner(start), arena_record_number(&state.arenas, former));
    ck_assert_uint_eq(owner(fresh), arena_record_number(&state.arenas, arena));
    extent_quarantine(former);
    for (int i = 0; i < 3; i++) {
        destroy(take(65536));
    }
    ck_assert_uint_eq(take(65536)->extent_start, start);
}
END_TEST

START_TEST(destroying_a_second_time_is_told)
{
    set_up_with(3);
    struct moat_arena *arena = take(65536);
    destroy(arena);
    ck_assert(!extent_retire(arena));
}
END_TEST

START_TEST(a_full_region_is_refused_until_something_is_destroyed)
{
    set_up_with(100);
    struct moat_arena *last = NULL;
    struct moat_arena *arena = NULL;
    int taken = 0;
    while (extent_take(65536, SIZE_MAX, &arena) == 0) {
        extent_publish(arena);
        last = arena;
        taken++;
    }
    ck_assert_int_eq(taken, GRANULES);
    ck_assert_int_eq(extent_take(65536, SIZE_MAX, &arena), ENOMEM);
    destroy(last);
    ck_assert_uint_eq(take(65536)->extent_start, last->extent_start);
}
END_TEST

START_TEST(more_than_the_region_is_refused)
{
    set_up_with(3);
    struct moat_arena *arena;
    size_t bytes = (size_t)REGION_BYTES * 2;
    ck_assert_int_eq(extent_take(bytes, SIZE_MAX, &arena), ENOMEM);
    ck_assert_int_eq(extent_take(SIZE_MAX, SIZE_MAX, &arena), ENOMEM);
}
END_TEST

START_TEST(a_million_arenas_use_few_records)
{
    set_up_with(100);
    for (int i = 0; i < 1000000; i++) {
        destroy(take(65536));
    }
    ck_assert_uint_le(state.arenas.used, 103);
}
END_TEST

START_TEST(a_chosen_place_holds_what_was_asked_for)
{
    set_up_with(3);
    uintptr_t start = state.region.start + 100 * REGION_GRANULE + 4096;
    struct moat_arena *arena;
    ck_assert_int_eq(extent_take_at(start, 8192, &arena), 0);
    extent_publish(arena);
    ck_assert_uint_eq(arena->extent_start, start - 4096);
    ck_assert_uint_eq(arena->extent_bytes, REGION_GRANULE);
    /* The frontier goes around it. */
    for (int i = 0; i < GRANULES - 1; i++) {
        ck_assert_uint_ne(take(65536)->extent_start, start - 4096);
    }
    ck_assert_int_eq(extent_take(65536, SIZE_MAX, &arena), ENOMEM);
}
END_TEST

START_TEST(a_chosen_place_that_is_taken_is_told_with_its_owner)
{
    set_up_with(3);
    struct moat_arena *living = take(65536);
    struct moat_arena *arena = NULL;
    ck_assert_int_eq(extent_take_at(living->extent_start + 4096, 8192, &arena),
                     EEXIST);
    ck_assert_ptr_eq(arena, living);
    ck_assert_int_eq(extent_take_at(living->extent_start - 4096, 8192, &arena),
                     living->extent_start == state.region.start ? EINVAL
                                                                : EEXIST);
}
END_TEST

START_TEST(a_chosen_place_outside_the_region_is_refused)
{
    set_up_with(3);
    struct moat_arena *arena;
    uintptr_t end = state.region.start + state.region.bytes;
    ck_assert_int_eq(extent_take_at(4096, 8192, &arena), EINVAL);
    ck_assert_int_eq(extent_take_at(end - 4096, 8192, &arena), EINVAL);
    ck_assert_int_eq(extent_take_at(end, 8192, &arena), EINVAL);
    ck_assert_int_eq(extent_take_at(end - 8192, 8192, &arena), 0);
}
END_TEST

START_TEST(a_destroyed_arena_gives_way_to_a_chosen_place_again_and_again)
{
    set_up_with(1000);
    struct moat_arena *arena = take(65536);
    uintptr_t start = arena->extent_start;
    destroy(arena);
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_eq(extent_take_at(start + 4096, 8192, &arena), 0);
        extent_publish(arena);
        destroy(arena);
    }
    ck_assert_uint_le(state.arenas.used, 5);
    for (int i = 0; i < 2000; i++) {
        destroy(take(65536));
    }
}
END_TEST

START_TEST(an_unused_extent_in_the_way_is_not_given_out_twice)
{
    set_up_with(0);
    struct moat_arena *first = take(65536);
    struct moat_arena *second = take(65536);
    uintptr_t start = first->extent_start;
    destroy(first);
    destroy(second);
    /* The first one is forgotten by now, its extent free for use. */
    struct moat_arena *arena;
    ck_assert_int_eq(extent_take(131072, SIZE_MAX, &arena), 0);
    ck_assert_int_eq(extent_take_at(start + 4096, 8192, &arena), 0);
    extent_publish(arena);
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_ne(take(65536)->extent_start, start);
    }
}
END_TEST

static void count(struct moat_arena *arena, void *context)
{
    ck_assert_int_eq(arena_state_of(arena), ARENA_LIVE);
    (*(int *)context)++;
}

START_TEST(the_living_are_visited_and_no_others)
{
    set_up_with(10);
    take(65536);
    destroy(take(65536));
    take(65536);
    int living = 0;
    extent_each_living(count, &living);
    ck_assert_int_eq(living, 2);
}
END_TEST

/* The place was chosen ahead of the frontier, which must not come over it. */
START_TEST(a_chosen_place_that_was_forgotten_is_not_given_out_twice)
{
    set_up_with(0);
    uintptr_t place = state.region.start + 1023 * REGION_GRANULE;
    struct moat_arena *arena;
    ck_assert_int_eq(extent_take_at(place, 8192, &arena), 0);
    extent_publish(arena);
    destroy(arena);
    /* Forgets the place; it is an unused extent of 64 KiB from now on. */
    struct moat_arena *large = take(REGION_SPAN);
    while (extent_take(REGION_SPAN, SIZE_MAX, &arena) == 0) {
        extent_publish(arena);
    }
    ck_assert_int_eq(arena_state_of(large), ARENA_LIVE);
    while (extent_take(65536, SIZE_MAX, &arena) == 0) {
        extent_publish(arena);
        ck_assert_uint_eq(owner(large->extent_start + REGION_SPAN - 1),
                          arena_record_number(&state.arenas, large));
    }
}
END_TEST

/* A gap that only a chosen place can be in: the frontier went on aligned. */
START_TEST(a_chosen_place_below_the_frontier_can_be_had)
{
    set_up_with(3);
    struct moat_arena *small = take(65536);
    struct moat_arena *large = take(1 << 20);
    struct moat_arena *arena;
    uintptr_t gap = small->extent_start + REGION_GRANULE;
    ck_assert_uint_lt(gap, large->extent_start);
    ck_assert_int_eq(extent_take_at(gap, 3 * REGION_GRANULE, &arena), 0);
    ck_assert_uint_eq(arena->extent_bytes, 3 * REGION_GRANULE);
    ck_assert_uint_eq(owner(gap + 3 * REGION_GRANULE - 1),
                      arena_record_number(&state.arenas, arena));
    ck_assert_uint_eq(owner(gap + 3 * REGION_GRANULE), 0);
}
END_TEST

START_TEST(a_place_over_two_destroyed_arenas_forgets_both)
{
    set_up_with(10);
    struct moat_arena *first = take(65536);
    struct moat_arena *second = take(65536);
    uintptr_t start = first->extent_start;
    ck_assert_uint_eq(second->extent_start, start + REGION_GRANULE);
    destroy(first);
    destroy(second);
    struct moat_arena *arena;
    ck_assert_int_eq(
        extent_take_at(start, 2 * REGION_GRANULE, &arena), 0);
    extent_publish(arena);
    uint32_t number = arena_record_number(&state.arenas, arena);
    ck_assert_uint_eq(owner(start), number);
    ck_assert_uint_eq(owner(start + REGION_GRANULE), number);
    int living = 0;
    extent_each_living(count, &living);
    ck_assert_int_eq(living, 1);
    ck_assert_int_eq(extent_take_at(start + REGION_GRANULE, 8192, &first),
                     EEXIST);
    ck_assert_ptr_eq(first, arena);
}
END_TEST

/* An arena that is being created or destroyed has its addresses already. */
START_TEST(a_place_that_is_not_quite_free_is_taken)
{
    set_up_with(10);
    struct moat_arena *arena = NULL;
    struct moat_arena *other = NULL;
    ck_assert_int_eq(extent_take(65536, SIZE_MAX, &arena), 0);
    uintptr_t start = arena->extent_start;
    ck_assert_int_eq(extent_take_at(start, 8192, &other), EEXIST);
    ck_assert_ptr_eq(other, arena);
    extent_publish(arena);
    ck_assert(extent_retire(arena));
    ck_assert_int_eq(extent_take_at(start, 8192, &other), EEXIST);
    extent_quarantine(arena);
    ck_assert_int_eq(extent_take_at(start, 8192, &other), 0);
}
END_TEST

START_TEST(an_extent_that_must_not_be_used_again_is_not)
{
    set_up_with(0);
    struct moat_arena *arena = take(65536);
    uintptr_t start = arena->extent_start;
    arena->is_reusable = false;
    destroy(arena);
    for (int i = 0; i < GRANULES - 1; i++) {
        ck_assert_uint_ne(take(65536)->extent_start, start);
    }
    ck_assert_int_eq(extent_take(65536, SIZE_MAX, &arena), ENOMEM);
}
END_TEST

/* 32 MiB of block records are kept; here each arena has 14. */
START_TEST(the_oldest_of_many_block_records_are_dropped)
{
    set_up_with(100);
    struct moat_arena *arenas[4];
    for (int i = 0; i < 4; i++) {
        arenas[i] = take((size_t)16 << 20);
        arenas[i]->blocks
            = region_blocks(&state.region, arenas[i]->extent_start);
        arenas[i]->block_count = 300000;
        arenas[i]->blocks[0].bytes = 77;
        destroy(arenas[i]);
    }
    ck_assert(!arenas[0]->has_blocks);
    ck_assert(!arenas[1]->has_blocks);
    ck_assert(arenas[2]->has_blocks);
    ck_assert(arenas[3]->has_blocks);
    ck_assert_uint_eq(arenas[1]->blocks[0].bytes, 0);
    ck_assert_uint_eq(arenas[2]->blocks[0].bytes, 77);
    ck_assert_int_eq(arena_state_of(arenas[0]), ARENA_DESTROYED);
}
END_TEST

enum { THREADS = 4, ROUNDS = 20000 };

/* Stores what was wrong: check cannot report from here. */
static void *take_and_destroy(void *result)
{
    const char **wrong = result;
    for (int i = 0; i < ROUNDS; i++) {
        struct moat_arena *arena;
        if (extent_take((size_t)65536 << i % 3, SIZE_MAX, &arena) != 0) {
            *wrong = "refused";
            break;
        }
        uint32_t number = arena_record_number(&state.arenas, arena);
        arena->block_count = 0;
        extent_publish(arena);
        sched_yield();
        if (owner(arena->extent_start) != number
            || owner(arena->extent_start + arena->extent_bytes - 1)
                   != number) {
            *wrong = "not the owner";
        }
        if (!extent_retire(arena)) {
            *wrong = "not living";
        }
        extent_quarantine(arena);
    }
    return NULL;
}

START_TEST(threads_do_not_get_the_same_addresses)
{
    pthread_t threads[THREADS];
    const char *wrong[THREADS] = { NULL };
    set_up_with(20);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_and_destroy, &wrong[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_msg(wrong[i] == NULL, "%s", wrong[i]);
    }
    int living = 0;
    extent_each_living(count, &living);
    ck_assert_int_eq(living, 0);
}
END_TEST

static void *retire(void *arena)
{
    return extent_retire(arena) ? arena : NULL;
}

START_TEST(of_many_threads_one_destroys_an_arena)
{
    set_up_with(20);
    for (int round = 0; round < 200; round++) {
        struct moat_arena *arena = take(65536);
        pthread_t threads[THREADS];
        int winners = 0;
        for (int i = 0; i < THREADS; i++) {
            ck_assert_int_eq(
                pthread_create(&threads[i], NULL, retire, arena), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            void *won;
            pthread_join(threads[i], &won);
            winners += won != NULL;
        }
        ck_assert_int_eq(winners, 1);
        extent_quarantine(arena);
    }
}
END_TEST

/* Without check, which only the test's own thread and process may call. */
static bool can_take_and_destroy(void)
{
    struct moat_arena *arena;
    if (extent_take(65536, SIZE_MAX, &arena) != 0) {
        return false;
    }
    extent_publish(arena);
    if (!extent_retire(arena)) {
        return false;
    }
    extent_quarantine(arena);
    return true;
}

static void *keep_taking(void *is_ending)
{
    bool is_right = true;
    while (is_right && !atomic_load((atomic_bool *)is_ending)) {
        is_right = can_take_and_destroy();
    }
    return NULL;
}

/* As runtime.c does by pthread_atfork(). */
START_TEST(a_child_can_take_while_a_thread_of_its_parent_does)
{
    atomic_bool is_ending = false;
    pthread_t thread;
    set_up_with(20);
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_taking, &is_ending),
                     0);
    for (int i = 0; i < 200; i++) {
        extent_before_fork();
        pid_t child = fork();
        if (child == 0) {
            extent_after_fork_in_child();
            _exit(can_take_and_destroy() ? 0 : 1);
        }
        extent_after_fork_in_parent();
        int status = -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    atomic_store(&is_ending, true);
    pthread_join(thread, NULL);
}
END_TEST

START_TEST(a_handle_is_judged_without_being_followed)
{
    set_up_with(10);
    struct moat_arena *arena = take(65536);
    const struct arena_table *table = &state.arenas;
    uintptr_t address = (uintptr_t)arena;
    ck_assert(arena_is_record(table, arena));
    ck_assert(!arena_is_record(table, NULL));
    ck_assert(!arena_is_record(table, (void *)(address + 1)));
    ck_assert(!arena_is_record(table, arena + 1));
    ck_assert(!arena_is_record(table, &table->records[0]));
    ck_assert(!arena_is_record(table, (void *)8));
    ck_assert(!arena_is_record(table, (void *)UINTPTR_MAX));
    destroy(arena);
    ck_assert(arena_is_record(table, arena));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests,
                   extents_are_aligned_powers_of_two_and_do_not_overlap);
    tcase_add_test(tests, a_destroyed_arena_keeps_its_addresses);
    tcase_add_test(tests, beyond_the_quarantine_the_oldest_is_used_again_first);
    tcase_add_test(
        tests,
        what_an_arena_held_before_it_was_emptied_is_kept_as_if_destroyed);
    tcase_add_test(tests, destroying_a_second_time_is_told);
    tcase_add_test(tests,
                   a_full_region_is_refused_until_something_is_destroyed);
    tcase_add_test(tests, more_than_the_region_is_refused);
    tcase_add_test(tests, a_million_arenas_use_few_records);
    tcase_add_test(tests, a_chosen_place_holds_what_was_asked_for);
    tcase_add_test(tests, a_chosen_place_that_is_taken_is_told_with_its_owner);
    tcase_add_test(tests, a_chosen_place_outside_the_region_is_refused);
    tcase_add_test(
        tests, a_destroyed_arena_gives_way_to_a_chosen_place_again_and_again);
    tcase_add_test(tests, an_unused_extent_in_the_way_is_not_given_out_twice);
    tcase_add_test(tests, the_living_are_visited_and_no_others);
    tcase_add_test(tests,
                   a_chosen_place_that_was_forgotten_is_not_given_out_twice);
    tcase_add_test(tests, a_chosen_place_below_the_frontier_can_be_had);
    tcase_add_test(tests, a_place_over_two_destroyed_arenas_forgets_both);
    tcase_add_test(tests, a_place_that_is_not_quite_free_is_taken);
    tcase_add_test(tests, an_extent_that_must_not_be_used_again_is_not);
    tcase_add_test(tests, the_oldest_of_many_block_records_are_dropped);
    tcase_add_test(tests, threads_do_not_get_the_same_addresses);
    tcase_add_test(tests, of_many_threads_one_destroys_an_arena);
    tcase_add_test(tests, a_child_can_take_while_a_thread_of_its_parent_does);
    tcase_add_test(tests, a_handle_is_judged_without_being_followed);
}

int main(void)
{
    return unit_run("alloc/extent", add);
}
