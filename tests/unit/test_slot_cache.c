/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/slot_cache: what threads keep of slots, alone and under the heap; and
 * what becomes of it when they end or are not in the child of a fork.
 */
#include "alloc/slot_cache.h"

#include "alloc/arena.h"
#include "alloc/slots.h"
#include "tests/support/unit.h"
#include "tests/support/ways.h"

#include <pthread.h>
#include <stdatomic.h>

/* As slot_cache.c has them: of each kind at most so many slots. */
enum { KEPT = 16, SPARE_PAGES = 4, FREED = 3 };

static struct moat_state state;

static struct slot_class *class;
static struct moat_arena *window;

/* Returns whether this kernel has the way. */
static bool set_up_with(int number, size_t quarantine, size_t spare_pages)
{
    const struct revoke_way *way = revoke_way_at((size_t)number);
    struct arena_settings settings = { .way = way,
                                       .quarantine = 10,
                                       .alignment = 16 };
    struct slots_settings heap = { .way = way,
                                   .quarantine = quarantine,
                                   .spare_pages = spare_pages,
                                   .max_memory = SIZE_MAX };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 36), 0);
    arena_start(&state, &settings);
    slots_start(&state, &heap);
    class = slot_class_for(1);
    return way->probe() == 0;
}

/* Such that three freed slots are sent on together. */
static bool set_up(int number)
{
    return set_up_with(number, FREED - 1, SPARE_PAGES);
}

static slot_number take(void)
{
    bool is_armed;
    return slot_cache_take(class, false, &window, &is_armed);
}

static uintptr_t address_of(slot_number slot)
{
    return window->base + slot_offset(window, slot);
}

static bool arm(slot_number slot)
{
    return window->way->arm(address_of(slot), pages_size()) == 0;
}

/* As slots_free() does with the page of a freed block. Returns the slot. */
static slot_number make_spare(void)
{
    slot_number slot = slot_cache_take_for_spare(class, window);
    if (slot != 0 && arm(slot)) {
        slot_cache_keep_spare(class, slot);
    }
    return slot;
}

START_TEST(what_is_taken_is_not_armed_unless_it_was_spare)
{
    bool is_armed = true;
    if (!set_up(_i)) {
        return;
    }
    slot_number first = slot_cache_take(class, true, &window, &is_armed);
    ck_assert_uint_ne(first, 0);
    ck_assert(!is_armed);
    ck_assert(!ways_is_accessible(address_of(first)));
    slot_number spare = make_spare();
    ck_assert_uint_ne(spare, 0);
    slot_number other = slot_cache_take(class, false, &window, &is_armed);
    ck_assert_uint_ne(other, spare);
    ck_assert(!is_armed);
    ck_assert(!ways_is_accessible(address_of(other)));
    ck_assert_uint_eq(slot_cache_take(class, true, &window, &is_armed), spare);
    ck_assert(is_armed);
    ck_assert(ways_is_accessible(address_of(spare)));
    slot_cache_take(class, true, &window, &is_armed);
    ck_assert(!is_armed);
}
END_TEST

START_TEST(a_slot_that_was_not_armed_is_taken_first)
{
    set_up(0);
    slot_number first = take();
    slot_number second = take();
    slot_cache_return(class, window, first);
    slot_cache_return(class, window, second);
    ck_assert_uint_eq(take(), second);
    ck_assert_uint_eq(take(), first);
}
END_TEST

START_TEST(more_than_can_be_kept_is_returned_to_the_class)
{
    enum { MANY = 3 * KEPT };
    slot_number slots[MANY];
    set_up(0);
    for (int i = 0; i < MANY; i++) {
        slots[i] = take();
    }
    slot_cache_flush();
    size_t before = slot_class_waiting();
    for (int i = 0; i < MANY; i++) {
        slot_cache_return(class, window, slots[i]);
    }
    ck_assert_uint_eq(slot_class_waiting() - before, MANY - KEPT);
}
END_TEST

START_TEST(a_thread_that_takes_little_keeps_little)
{
    bool taken[1000] = { false };
    set_up(0);
    for (size_t count = 1; count <= 200; count++) {
        slot_number slot = take();
        ck_assert(!taken[slot]);
        taken[slot] = true;
        ck_assert_uint_lt(window->block_count, 2 * count);
        ck_assert_uint_le(window->block_count, count + KEPT - 1);
    }
}
END_TEST

START_TEST(freed_slots_are_sent_to_the_quarantine_together)
{
    slot_number slots[2 * FREED];
    set_up(0);
    for (int i = 0; i < 2 * FREED; i++) {
        slots[i] = take();
    }
    slot_cache_flush();
    size_t before = slot_class_waiting();
    for (int i = 0; i < 2 * FREED; i++) {
        slot_cache_give(class, window, slots[i]);
        ck_assert_uint_eq(slot_class_waiting() - before,
                          (size_t)(i + 1) / FREED * FREED);
    }
}
END_TEST

START_TEST(no_more_is_spare_than_may_be)
{
    static const struct {
        size_t pages;
        size_t spare_pages;
        size_t expected;
    } cases[] = {
        { 1, 4, 4 }, { 2, 4, 2 }, { 3, 4, 1 },       { 5, 4, 0 },
        { 1, 0, 0 }, { 1, 1, 1 }, { 1, 1000, KEPT }, { 32, 64, 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        slot_number slot;
        size_t spares = 0;
        set_up_with(0, 10, cases[i].spare_pages);
        class = slot_class_for(cases[i].pages);
        take();
        while ((slot = slot_cache_take_for_spare(class, window)) != 0) {
            slot_cache_keep_spare(class, slot);
            spares++;
        }
        ck_assert_uint_eq(spares, cases[i].expected);
    }
}
END_TEST

START_TEST(all_that_is_kept_can_be_flushed)
{
    if (!set_up(_i)) {
        return;
    }
    slot_number freed = take();
    slot_number spare = make_spare();
    ck_assert_uint_ne(spare, 0);
    slot_cache_give(class, window, freed);
    size_t all = window->block_count;
    slot_cache_flush();
    ck_assert_uint_eq(slot_class_waiting(), all);
    ck_assert(!ways_is_accessible(address_of(spare)));
    slot_cache_flush();
    ck_assert_uint_eq(slot_class_waiting(), all);
    ck_assert_uint_ne(take(), 0);
}
END_TEST

/* The class goes on in a new window; see test_slot_class. */
START_TEST(nothing_of_an_old_window_is_taken)
{
    if (!set_up(_i) || revoke_weaker(revoke_way_at((size_t)_i)) == NULL) {
        return;
    }
    for (int i = 0; i < 3 * KEPT; i++) {
        take();
    }
    slot_number freed = take();
    slot_number returned = take();
    slot_number spare = make_spare();
    ck_assert_uint_ne(spare, 0);
    struct moat_arena *old = window;
    uintptr_t spare_address = address_of(spare);
    while (slot_class_window(class) == old) {
        slot_class_note_failure(class, old);
    }
    slot_cache_give(class, old, freed);
    slot_cache_return(class, old, returned);
    ck_assert_uint_eq(slot_cache_take_for_spare(class, old), 0);
    for (int i = 0; i < 100; i++) {
        bool is_armed;
        slot_cache_take(class, true, &window, &is_armed);
        ck_assert_ptr_ne(window, old);
        ck_assert(!is_armed);
    }
    ck_assert(!ways_is_accessible(spare_address));
    ck_assert_uint_eq(slot_class_waiting(), 0);
}
END_TEST

/* What a thread does; the barrier is there to be met twice. */
static pthread_barrier_t meeting;
static slot_number own_spare;

static void *keep_some(void *waits)
{
    for (int i = 0; i < 10; i++) {
        take();
    }
    slot_cache_give(class, window, take());
    own_spare = make_spare();
    if (*(bool *)waits) {
        pthread_barrier_wait(&meeting);
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

START_TEST(a_thread_that_ends_gives_all_back)
{
    pthread_t thread;
    bool waits = false;
    if (!set_up(_i)) {
        return;
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_some, &waits), 0);
    pthread_join(thread, NULL);
    /* But the ten that it has taken. */
    ck_assert_uint_eq(slot_class_waiting(), window->block_count - 10);
    ck_assert_uint_ne(own_spare, 0);
    ck_assert(!ways_is_accessible(address_of(own_spare)));
}
END_TEST

static void take_and_give(void *unused)
{
    (void)unused;
    slot_number slot = take();
    slot_cache_give(class, window, slot);
}

static void *end_with_a_destructor(void *key)
{
    pthread_setspecific(*(pthread_key_t *)key, key);
    take_and_give(NULL);
    return NULL;
}

START_TEST(also_what_it_takes_while_it_ends)
{
    pthread_key_t key;
    pthread_t thread;
    set_up(0);
    ck_assert_int_eq(pthread_key_create(&key, take_and_give), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, end_with_a_destructor, &key),
                     0);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(slot_class_waiting(), window->block_count);
}
END_TEST

static size_t address_space_pages(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%zu", &pages), 1);
    fclose(statm);
    return pages;
}

START_TEST(threads_that_follow_one_another_use_the_same_cache)
{
    pthread_t thread;
    bool waits = false;
    size_t before = 0;
    set_up(0);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, keep_some, &waits), 0);
        pthread_join(thread, NULL);
        if (i == 0) {
            before = address_space_pages();
        }
    }
    ck_assert_uint_lt(address_space_pages() - before, 99);
}
END_TEST

static int look_after_the_fork(void *unused)
{
    slots_after_fork_in_child();
    /* What the other thread kept, but the ten. */
    size_t kept = window->block_count - 10;
    CHILD_MUST(slot_class_waiting() == kept);
    CHILD_MUST(!ways_is_accessible(address_of(own_spare)));
    /* Its cache is free to be used by another. */
    pthread_t thread;
    bool waits = false;
    CHILD_MUST(pthread_create(&thread, NULL, keep_some, &waits) == 0);
    pthread_join(thread, NULL);
    CHILD_MUST(slot_class_waiting() == window->block_count - 20);
    (void)unused;
    return 0;
}

START_TEST(a_child_has_what_threads_kept_that_it_does_not_have)
{
    pthread_t thread;
    bool waits = true;
    if (!set_up(_i)) {
        return;
    }
    ck_assert_int_eq(pthread_barrier_init(&meeting, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_some, &waits), 0);
    pthread_barrier_wait(&meeting);
    slots_before_fork();
    int status = child_ending(CHILD_FORKED, look_after_the_fork, NULL);
    slots_after_fork_in_parent();
    ck_assert_int_eq(status, 0);
    ck_assert_uint_ne(own_spare, 0);
    ck_assert(ways_is_accessible(address_of(own_spare)));
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
}
END_TEST

static int check_own(void *argument)
{
    slot_number spare = *(slot_number *)argument;
    bool is_armed = false;
    slots_after_fork_in_child();
    CHILD_MUST(slot_cache_take(class, true, &window, &is_armed) == spare);
    CHILD_MUST(is_armed);
    CHILD_MUST(*(char *)address_of(spare) == 'x');
    return 0;
}

START_TEST(a_child_keeps_what_its_own_thread_kept)
{
    if (!set_up(_i)) {
        return;
    }
    take();
    slot_number spare = make_spare();
    *(char *)address_of(spare) = 'x';
    slots_before_fork();
    int status = child_ending(CHILD_FORKED, check_own, &spare);
    slots_after_fork_in_parent();
    ck_assert_int_eq(status, 0);
}
END_TEST

/* From here on the heap as a whole. */
static char *allocate(void)
{
    struct slots_request request = {
        .bytes = 4096, .alignment = 16, .side = FENCE_AFTER, .site = 1
    };
    return slots_allocate(&request);
}

static bool release(char *block)
{
    struct moat_finding own_finding;
    return block != NULL
           && !slots_free((uintptr_t)block, MOAT_FAMILY_UNKNOWN, 1,
                          &own_finding);
}

enum { BLOCKS = 50 };

/* Frees what another has allocated; returns NULL when something is wrong. */
static void *free_all(void *argument)
{
    char **blocks = argument;
    for (int i = 0; i < BLOCKS; i++) {
        if (!release(blocks[i])) {
            return NULL;
        }
    }
    return blocks;
}

START_TEST(blocks_that_another_thread_frees_are_used_again)
{
    enum { QUARANTINE = 20, ROUNDS = 50 };
    char *blocks[BLOCKS];
    if (!set_up_with(_i, QUARANTINE, SPARE_PAGES)) {
        return;
    }
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t thread;
        void *result;
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = allocate();
            ck_assert_ptr_nonnull(blocks[i]);
            memset(blocks[i], 'x', 4096);
        }
        ck_assert_int_eq(pthread_create(&thread, NULL, free_all, blocks), 0);
        pthread_join(thread, &result);
        ck_assert_ptr_nonnull(result);
        for (int i = 0; i < BLOCKS; i++) {
            ck_assert(!ways_is_accessible((uintptr_t)blocks[i]));
        }
    }
    /* Live ones, those that wait, and what two threads keep. */
    ck_assert_uint_le(slot_class_window(class)->block_count,
                      BLOCKS + QUARANTINE + 2 * 3 * KEPT);
    ck_assert_uint_eq(slots_counts().memory, 0);
}
END_TEST

/* A place where threads leave blocks for one another; each holds the number
 * that it was given, at both ends. */
enum { PLACES = 64, THREADS = 4, EXCHANGES = 5000 };

static _Atomic(char *) places[PLACES];
static atomic_ulong numbers;

static char *allocate_numbered(void)
{
    char *block = allocate();
    if (block != NULL) {
        unsigned long number = atomic_fetch_add(&numbers, 1);
        memcpy(block, &number, sizeof number);
        memcpy(block + 4096 - sizeof number, &number, sizeof number);
    }
    return block;
}

static bool is_as_numbered(const char *block)
{
    return memcmp(block, block + 4096 - sizeof(unsigned long),
                  sizeof(unsigned long))
           == 0;
}

static void *exchange(void *wrong)
{
    unsigned long random = (uintptr_t)wrong;
    for (int i = 0; i < EXCHANGES; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        char *block = allocate_numbered();
        *(bool *)wrong |= block == NULL;
        block = atomic_exchange(&places[random >> 58], block);
        if (block != NULL) {
            *(bool *)wrong |= !is_as_numbered(block) || !release(block);
        }
    }
    return NULL;
}

START_TEST(blocks_that_go_between_threads_are_nobody_elses)
{
    pthread_t threads[THREADS];
    bool wrong[THREADS] = { false };
    if (!set_up_with(_i, 20, SPARE_PAGES)) {
        return;
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, exchange, &wrong[i]),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(!wrong[i]);
    }
    for (int i = 0; i < PLACES; i++) {
        ck_assert(places[i] == NULL || release(places[i]));
    }
    ck_assert_uint_eq(slots_counts().memory, 0);
    ck_assert_uint_eq(slots_counts().canaries_only, 0);
    ck_assert_uint_le(slot_class_window(class)->block_count,
                      PLACES + 20 + (THREADS + 1) * (3 * KEPT + 1));
}
END_TEST

static atomic_bool is_ending;

static void *keep_allocating(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_ending) && release(allocate())) {
    }
    return NULL;
}

static int allocate_in_child(void *argument)
{
    char *const *live = argument;
    char *blocks[BLOCKS];
    slots_after_fork_in_child();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = allocate_numbered();
        CHILD_MUST(blocks[i] != NULL);
    }
    for (int i = 0; i < BLOCKS; i++) {
        CHILD_MUST(is_as_numbered(blocks[i]));
        CHILD_MUST(is_as_numbered(live[i]));
        CHILD_MUST(release(blocks[i]));
        CHILD_MUST(release(live[i]));
    }
    return 0;
}

START_TEST(a_child_can_allocate_while_a_thread_of_its_parent_does)
{
    pthread_t thread;
    char *live[BLOCKS];
    if (!set_up(_i)) {
        return;
    }
    for (int i = 0; i < BLOCKS; i++) {
        live[i] = allocate_numbered();
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, keep_allocating, NULL), 0);
    for (int i = 0; i < 100; i++) {
        slots_before_fork();
        pid_t child = fork();
        if (child == 0) {
            _exit(allocate_in_child(live));
        }
        slots_after_fork_in_parent();
        int status = -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
    atomic_store(&is_ending, true);
    pthread_join(thread, NULL);
    for (int i = 0; i < BLOCKS; i++) {
        ck_assert(is_as_numbered(live[i]));
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, what_is_taken_is_not_armed_unless_it_was_spare,
                        0, WAYS);
    tcase_add_test(tests, a_slot_that_was_not_armed_is_taken_first);
    tcase_add_test(tests, more_than_can_be_kept_is_returned_to_the_class);
    tcase_add_test(tests, a_thread_that_takes_little_keeps_little);
    tcase_add_test(tests, freed_slots_are_sent_to_the_quarantine_together);
    tcase_add_test(tests, no_more_is_spare_than_may_be);
    tcase_add_loop_test(tests, all_that_is_kept_can_be_flushed, 0, WAYS);
    tcase_add_loop_test(tests, nothing_of_an_old_window_is_taken, 0, WAYS);
    tcase_add_loop_test(tests, a_thread_that_ends_gives_all_back, 0, WAYS);
    tcase_add_test(tests, also_what_it_takes_while_it_ends);
    tcase_add_test(tests, threads_that_follow_one_another_use_the_same_cache);
    tcase_add_loop_test(
        tests, a_child_has_what_threads_kept_that_it_does_not_have, 0, WAYS);
    tcase_add_loop_test(tests, a_child_keeps_what_its_own_thread_kept, 0, WAYS);
    tcase_add_loop_test(tests, blocks_that_another_thread_frees_are_used_again,
                        0, WAYS);
    tcase_add_loop_test(tests, blocks_that_go_between_threads_are_nobody_elses,
                        0, WAYS);
    tcase_add_loop_test(
        tests, a_child_can_allocate_while_a_thread_of_its_parent_does, 0, WAYS);
}

int main(void)
{
    ways_say_missing();
    return unit_run("alloc/slot_cache", add);
}
