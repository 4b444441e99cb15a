/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/slot_class: windows of slots, on each way of revoking; who waits how
 * long, and what becomes of a way that stops working.
 */
#include "alloc/slot_class.h"

#include "alloc/arena.h"
#include "alloc/shortfall.h"
#include "tests/support/unit.h"
#include "tests/support/ways.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { QUARANTINE = 10, FAILURES = 16 };

#define LARGE_REGION ((size_t)1 << 37)

/* As slot_class.c has them: what gives its page tables back at once. */
#define STRETCH_BYTES ((size_t)16 << 20)

static struct moat_state state;
static struct slot_class *class;

static void set_up_with(const struct revoke_way *way, size_t region_bytes,
                        size_t quarantine)
{
    struct arena_settings settings = { .way = way,
                                       .quarantine = 10,
                                       .alignment = 16 };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, region_bytes), 0);
    arena_start(&state, &settings);
    slot_class_start(&state, quarantine, way);
    class = slot_class_for(1);
}

/* Returns whether this kernel has the way. */
static bool set_up(int number)
{
    const struct revoke_way *way = revoke_way_at((size_t)number);
    set_up_with(way, (size_t)1 << 36, QUARANTINE);
    return way->probe() == 0;
}

static struct moat_arena *window;

static slot_number take(void)
{
    slot_number slot = 0;
    return slot_class_take(class, &window, &slot, 1) == 1 ? slot : 0;
}

static void give(slot_number slot)
{
    slot_class_give(class, window, &slot, 1);
}

static uintptr_t address_of(slot_number slot)
{
    return window->base + slot_offset(window, slot);
}

static size_t data_bytes(void)
{
    return slot_class_pages(class) * pages_size();
}

static void arm(slot_number slot)
{
    ck_assert_int_eq(window->way->arm(address_of(slot), data_bytes()), 0);
    memset((void *)address_of(slot), 'x', data_bytes());
}

static void revoke_slot(slot_number slot)
{
    ck_assert_int_eq(window->way->revoke(address_of(slot), data_bytes()), 0);
}

START_TEST(a_number_of_pages_gets_the_smallest_class_that_has_them)
{
    size_t largest = slot_class_pages(slot_class_at(SLOT_CLASSES - 1));
    set_up(0);
    for (size_t pages = 1; pages <= largest; pages++) {
        struct slot_class *chosen = slot_class_for(pages);
        size_t place = slot_class_place(chosen);
        ck_assert_ptr_eq(slot_class_at(place), chosen);
        ck_assert_uint_ge(slot_class_pages(chosen), pages);
        ck_assert(place == 0
                  || slot_class_pages(slot_class_at(place - 1)) < pages);
    }
    ck_assert_ptr_null(slot_class_for(largest + 1));
    ck_assert_ptr_null(slot_class_for(SIZE_MAX));
}
END_TEST

START_TEST(slots_lie_between_guards_and_are_ready_to_be_armed)
{
    if (!set_up(_i)) {
        return;
    }
    for (size_t place = 0; place < SLOT_CLASSES; place++) {
        slot_number slots[5];
        class = slot_class_at(place);
        ck_assert_ptr_null(slot_class_window(class));
        ck_assert_uint_eq(slot_class_take(class, &window, slots, 5), 5);
        ck_assert_ptr_eq(slot_class_window(class), window);
        ck_assert_ptr_eq(slot_class_of(window), class);
        ck_assert_ptr_eq(window->way, revoke_way_at((size_t)_i));
        for (unsigned i = 0; i < 5; i++) {
            ck_assert_uint_eq(slots[i], i + 1);
            uintptr_t start = address_of(slots[i]);
            ck_assert(region_contains(&state.region, start));
            ck_assert(!ways_is_accessible(start));
            arm(slots[i]);
            ck_assert(!ways_is_accessible(start - 1));
            ck_assert(!ways_is_accessible(start + data_bytes()));
        }
    }
}
END_TEST

START_TEST(the_oldest_waits_until_there_are_more_than_the_quarantine)
{
    static const slot_number order[] = { 3,  9, 1, 20, 2,  15, 14,
                                         13, 4, 5, 6,  19, 7 };
    enum { GIVEN = sizeof order / sizeof order[0] };
    slot_number slots[20];
    if (!set_up(_i)) {
        return;
    }
    ck_assert_uint_eq(slot_class_take(class, &window, slots, 20), 20);
    slot_class_give(class, window, order, GIVEN);
    ck_assert_uint_eq(slot_class_waiting(), GIVEN);
    ck_assert_uint_eq(take(), order[0]);
    ck_assert_uint_eq(take(), order[1]);
    ck_assert_uint_eq(take(), order[2]);
    ck_assert_uint_eq(slot_class_waiting(), QUARANTINE);
    ck_assert_uint_eq(take(), 21);
    give(21);
    ck_assert_uint_eq(take(), order[3]);
    ck_assert_uint_eq(take(), 22);
}
END_TEST

START_TEST(a_class_without_new_slots_takes_the_oldest_that_waits)
{
    size_t taken = 0;
    set_up_with(&revoke_mprotect, (size_t)1 << 26, 1000000);
    slot_number slots[100];
    size_t count;
    while ((count = slot_class_take(class, &window, slots, 100)) > 0) {
        taken += count;
    }
    ck_assert_uint_gt(taken, 10);
    ck_assert_uint_le(taken * window->slot_bytes, state.region.bytes);
    ck_assert_uint_eq(window->block_count, taken);
    give(7);
    give(3);
    give(5);
    ck_assert_uint_eq(slot_class_take(class, &window, slots, 100), 3);
    ck_assert_uint_eq(slots[0], 7);
    ck_assert_uint_eq(slots[1], 3);
    ck_assert_uint_eq(slots[2], 5);
    ck_assert_uint_eq(take(), 0);
}
END_TEST

START_TEST(a_region_too_small_for_a_window_has_no_slots)
{
    set_up_with(&revoke_mprotect, REGION_SPAN, QUARANTINE);
    /* A window of 16 pages, for slots of 33. */
    state.region.bytes = 128 * 16 * pages_size();
    class = slot_class_for(32);
    ck_assert_uint_eq(take(), 0);
    ck_assert_ptr_null(slot_class_window(class));
}
END_TEST

/* What the page tables of this process take. */
static size_t page_table_bytes(void)
{
    char line[128];
    size_t kibibytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "VmPTE: %zu", &kibibytes);
    }
    fclose(file);
    return kibibytes * 1024;
}

enum { STRETCHES = 8 };

/* Take and arm the slots of so many stretches, which are new or were freed in
 * their order; returns how many. */
static slot_number use_stretches(void)
{
    slot_number last = 0;
    do {
        last = take();
        arm(last);
    } while (slot_offset(window, last + 1) < STRETCHES * STRETCH_BYTES);
    return last;
}

static void free_all(slot_number last)
{
    for (slot_number slot = 1; slot <= last; slot++) {
        revoke_slot(slot);
        give(slot);
    }
}

START_TEST(stretches_that_wait_give_their_page_tables_back)
{
    /* A table of larger pages maps more than a stretch. */
    if (revoke_way_at((size_t)_i)->probe() != 0 || pages_size() != 4096) {
        return;
    }
    set_up_with(revoke_way_at((size_t)_i), LARGE_REGION, 0);
    class = slot_class_for(8);
    give(take());
    size_t before = page_table_bytes();
    for (int round = 0; round < 2; round++) {
        slot_number last = use_stretches();
        size_t most = page_table_bytes();
        /* A page of them for each 512 pages. */
        ck_assert_uint_ge(most - before, STRETCHES * STRETCH_BYTES / 512);
        free_all(last);
        ck_assert_uint_lt(page_table_bytes() - before, (most - before) / 2);
    }
}
END_TEST

START_TEST(slots_of_a_bare_stretch_are_guarded_and_can_be_armed_again)
{
    if (revoke_way_at((size_t)_i)->probe() != 0) {
        return;
    }
    set_up_with(revoke_way_at((size_t)_i), LARGE_REGION, 0);
    class = slot_class_for(8);
    slot_number last = use_stretches();
    free_all(last);
    for (slot_number slot = 1; slot <= last; slot++) {
        ck_assert(!ways_is_accessible(address_of(slot)));
    }
    for (slot_number slot = 1; slot <= last; slot++) {
        ck_assert_uint_eq(take(), slot);
        uintptr_t start = address_of(slot);
        ck_assert(!ways_is_accessible(start));
        ck_assert_int_eq(window->way->arm(start, data_bytes()), 0);
        ck_assert_int_eq(*(char *)start, 0);
        memset((void *)start, 'x', data_bytes());
        ck_assert(!ways_is_accessible(start - 1));
        ck_assert(!ways_is_accessible(start + data_bytes()));
    }
    ck_assert_uint_eq(slot_class_waiting(), 0);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), 0);
}
END_TEST

START_TEST(a_stretch_with_a_live_block_is_left_alone)
{
    enum { EVERY = 100 };
    if (revoke_way_at((size_t)_i)->probe() != 0) {
        return;
    }
    set_up_with(revoke_way_at((size_t)_i), LARGE_REGION, 0);
    class = slot_class_for(8);
    slot_number last = use_stretches();
    for (slot_number slot = 1; slot <= last; slot++) {
        if (slot % EVERY != 0) {
            revoke_slot(slot);
            give(slot);
        }
    }
    for (slot_number slot = EVERY; slot <= last; slot += EVERY) {
        const char *block = (const char *)address_of(slot);
        ck_assert_int_eq(block[0], 'x');
        ck_assert_int_eq(block[data_bytes() - 1], 'x');
    }
}
END_TEST

/* Which way comes behind; NULL: none. */
static const struct revoke_way *next_way(void)
{
    return revoke_weaker(window->way);
}

START_TEST(a_way_that_goes_on_failing_is_left_for_a_weaker_one)
{
    if (!set_up(_i)) {
        return;
    }
    slot_number slot = take();
    arm(slot);
    struct moat_arena *first = window;
    const struct revoke_way *weaker = next_way();
    for (int i = 0; i < FAILURES; i++) {
        ck_assert_ptr_eq(slot_class_window(class), first);
        slot_class_note_failure(class, first);
    }
    if (weaker == NULL) {
        /* There is none behind the last. */
        ck_assert_ptr_eq(slot_class_window(class), first);
        ck_assert_uint_eq(take(), slot + 1);
        ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), 0);
        return;
    }
    ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), 1);
    ck_assert_uint_eq(take(), 1);
    ck_assert_ptr_ne(window, first);
    ck_assert_ptr_eq(window->way, weaker);
    arm(1);
    /* What lives in the old window lives on, and what is freed stays there. */
    ck_assert_int_eq(*(char *)(first->base + slot_offset(first, slot)), 'x');
    ck_assert_ptr_eq(slot_class_of(first), class);
    slot_class_give(class, first, &slot, 1);
    ck_assert_uint_eq(slot_class_waiting(), 0);
    /* What still fails there says nothing of the new way. */
    for (int i = 0; i < 2 * FAILURES; i++) {
        slot_class_note_failure(class, first);
    }
    ck_assert_ptr_eq(slot_class_window(class), window);
}
END_TEST

/* What is known of the stretches of one window means nothing in the next. */
START_TEST(a_new_window_has_no_bare_stretches)
{
    if (revoke_way_at((size_t)_i)->probe() != 0) {
        return;
    }
    set_up_with(revoke_way_at((size_t)_i), LARGE_REGION, 0);
    class = slot_class_for(8);
    free_all(use_stretches());
    for (int i = 0; i < FAILURES; i++) {
        slot_class_note_failure(class, window);
    }
    slot_number last = use_stretches();
    revoke_slot(last / 2);
    give(last / 2);
    ck_assert_uint_eq(take(), last / 2);
    for (slot_number slot = 1; slot <= last; slot++) {
        if (slot != last / 2) {
            ck_assert_int_eq(*(char *)address_of(slot), 'x');
        }
    }
}
END_TEST

START_TEST(a_way_that_works_again_is_kept)
{
    if (!set_up(_i)) {
        return;
    }
    take();
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < FAILURES - 1; j++) {
            slot_class_note_failure(class, window);
        }
        slot_class_note_success(class);
    }
    ck_assert_ptr_eq(slot_class_window(class), window);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), 0);
}
END_TEST

START_TEST(ways_are_left_one_after_another)
{
    if (!set_up(0)) {
        return;
    }
    take();
    const struct revoke_way *way = window->way;
    size_t steps = 0;
    while (way != &revoke_mprotect) {
        const struct revoke_way *weaker = next_way();
        for (int i = 0; i < FAILURES; i++) {
            slot_class_note_failure(class, window);
        }
        ck_assert_uint_eq(take(), 1);
        ck_assert_ptr_eq(window->way, weaker);
        arm(1);
        way = weaker;
        steps++;
    }
    ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), steps);
}
END_TEST

/* A way that prepares no more. */
static bool is_refusing;

static int prepare_or_refuse(uintptr_t start, size_t bytes)
{
    return is_refusing ? EPERM : revoke_mprotect.prepare(start, bytes);
}

static struct revoke_way refusing;

static void set_up_refusing(void)
{
    refusing = revoke_mprotect;
    refusing.prepare = prepare_or_refuse;
    is_refusing = false;
    set_up_with(&refusing, LARGE_REGION, 0);
    class = slot_class_for(8);
}

START_TEST(a_way_that_prepares_no_slots_is_left_at_once)
{
    set_up_refusing();
    is_refusing = true;
    ck_assert_uint_eq(take(), 1);
    ck_assert_ptr_eq(window->way, &revoke_mprotect);
    arm(1);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), 1);
}
END_TEST

START_TEST(a_way_that_prepares_no_bare_stretch_is_left_at_once)
{
    set_up_refusing();
    slot_number last = use_stretches();
    free_all(last);
    is_refusing = true;
    /* The first stretches went into the queue when it was short: they are
     * not bare. */
    struct moat_arena *first = window;
    slot_number taken = 0;
    while (take() != 0 && window == first) {
        taken++;
    }
    ck_assert_uint_lt(taken, last / 2);
    ck_assert_ptr_eq(window->way, &revoke_mprotect);
    arm(1);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_WEAKER_WAY), 1);
}
END_TEST

enum { THREADS = 4, ROUNDS = 3000, BATCH = 5, MOST_SLOTS = 4096 };

/* Who has a slot; each must be free when it is taken. */
static _Atomic int holders[MOST_SLOTS];

static void *take_and_give(void *wrong)
{
    struct moat_arena *own_window;
    slot_number slots[BATCH];
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = slot_class_take(class, &own_window, slots, BATCH);
        *(bool *)wrong |= count != BATCH;
        for (size_t i = 0; i < count; i++) {
            *(bool *)wrong |= slots[i] == 0 || slots[i] >= MOST_SLOTS
                              || atomic_exchange(&holders[slots[i]], 1) != 0;
        }
        for (size_t i = 0; i < count; i++) {
            atomic_store(&holders[slots[i]], 0);
        }
        slot_class_give(class, own_window, slots, count);
    }
    return NULL;
}

START_TEST(threads_do_not_get_the_same_slots)
{
    pthread_t threads[THREADS];
    bool wrong[THREADS] = { false };
    set_up(_i);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_and_give, &wrong[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(!wrong[i]);
    }
    ck_assert_uint_le(slot_class_waiting(), QUARANTINE + THREADS * BATCH + 1);
}
END_TEST

static atomic_bool is_ending;

static void *keep_taking(void *unused)
{
    struct moat_arena *own_window;
    slot_number slot;
    (void)unused;
    while (!atomic_load(&is_ending)) {
        slot_class_take(class, &own_window, &slot, 1);
        slot_class_give(class, own_window, &slot, 1);
    }
    return NULL;
}

START_TEST(a_child_can_take_while_a_thread_of_its_parent_does)
{
    pthread_t thread;
    set_up(_i);
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_taking, NULL), 0);
    for (int i = 0; i < 100; i++) {
        slot_class_before_fork();
        pid_t child = fork();
        if (child == 0) {
            slot_class_after_fork_in_child();
            _exit(take() != 0 ? 0 : 1);
        }
        slot_class_after_fork_in_parent();
        int status = -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    atomic_store(&is_ending, true);
    pthread_join(thread, NULL);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests,
                   a_number_of_pages_gets_the_smallest_class_that_has_them);
    tcase_add_loop_test(
        tests, slots_lie_between_guards_and_are_ready_to_be_armed, 0, WAYS);
    tcase_add_loop_test(
        tests, the_oldest_waits_until_there_are_more_than_the_quarantine, 0,
        WAYS);
    tcase_add_test(tests,
                   a_class_without_new_slots_takes_the_oldest_that_waits);
    tcase_add_test(tests, a_region_too_small_for_a_window_has_no_slots);
    tcase_add_loop_test(tests, stretches_that_wait_give_their_page_tables_back,
                        0, WAYS);
    tcase_add_loop_test(
        tests, slots_of_a_bare_stretch_are_guarded_and_can_be_armed_again, 0,
        WAYS);
    tcase_add_loop_test(tests, a_stretch_with_a_live_block_is_left_alone, 0,
                        WAYS);
    tcase_add_loop_test(
        tests, a_way_that_goes_on_failing_is_left_for_a_weaker_one, 0, WAYS);
    tcase_add_loop_test(tests, a_new_window_has_no_bare_stretches, 0, WAYS);
    tcase_add_loop_test(tests, a_way_that_works_again_is_kept, 0, WAYS);
    tcase_add_test(tests, ways_are_left_one_after_another);
    tcase_add_test(tests, a_way_that_prepares_no_slots_is_left_at_once);
    tcase_add_test(tests, a_way_that_prepares_no_bare_stretch_is_left_at_once);
    tcase_add_loop_test(tests, threads_do_not_get_the_same_slots, 0, WAYS);
    tcase_add_loop_test(
        tests, a_child_can_take_while_a_thread_of_its_parent_does, 0, WAYS);
}

int main(void)
{
    ways_say_missing();
    return unit_run("alloc/slot_class", add);
}
