/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/slots: fenced blocks of no arena, on each way of revoking; a small
 * region makes a class easy to use up.
 */
#include "alloc/slots.h"

#include "alloc/arena.h"
#include "alloc/shortfall.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct revoke_way *const ways[]
    = { &revoke_mprotect, &revoke_guard, &revoke_drop, &revoke_move };

static struct moat_state state;
static struct moat_finding finding;

/* Returns whether this kernel has the way. */
static bool set_up_with(int number, size_t region_bytes, size_t quarantine,
                        size_t max_memory)
{
    struct arena_settings settings = { .way = ways[number],
                                       .quarantine = quarantine,
                                       .alignment = 16 };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, region_bytes), 0);
    struct slots_settings heap = { .way = ways[number],
                                   .quarantine = quarantine,
                                   .spare_pages = 4,
                                   .max_memory = max_memory,
                                   .has_transfer = true };
    arena_start(&state, &settings);
    slots_start(&state, &heap);
    return ways[number]->probe() == 0;
}

static bool set_up(int number, size_t region_bytes, size_t quarantine)
{
    return set_up_with(number, region_bytes, quarantine, SIZE_MAX);
}

static char *allocate(size_t bytes, size_t alignment,
                      enum fence_placement side)
{
    struct slots_request request = { .bytes = bytes,
                                     .alignment = alignment,
                                     .side = side,
                                     .is_zeroed = true,
                                     .site = 1 };
    char *block = slots_allocate(&request);
    ck_assert_msg(block != NULL, "%zu bytes", bytes);
    return block;
}

static bool release(char *block)
{
    return slots_free((uintptr_t)block, MOAT_FAMILY_UNKNOWN, 1, &finding);
}

static bool is_accessible(const char *address)
{
    char byte;
    return pages_peek((uintptr_t)address, 1, &byte);
}

START_TEST(every_size_lies_between_guards)
{
    if (!set_up(_i, (size_t)1 << 36, 100)) {
        return;
    }
    size_t page = pages_size();
    for (size_t bytes = 1; bytes < 40 * page; bytes += bytes / 7 + 1) {
        for (size_t alignment = 1; alignment <= page; alignment *= 8) {
            char *block = allocate(bytes, alignment, FENCE_AFTER);
            ck_assert_uint_eq((uintptr_t)block % alignment, 0);
            memset(block, 'x', bytes);
            char *end = (char *)(((uintptr_t)block + bytes + alignment - 1)
                                 / alignment * alignment);
            ck_assert(!is_accessible(end)
                      || (uintptr_t)end % page != 0);
            ck_assert(!release(block));
            ck_assert(!is_accessible(block));
        }
        char *block = allocate(bytes, 1, FENCE_BEFORE);
        memset(block, 'x', bytes);
        ck_assert(!is_accessible(block - 1));
        ck_assert(!release(block));
        block = allocate(bytes, 1, FENCE_AFTER);
        ck_assert(!is_accessible(block + bytes));
        ck_assert(!release(block));
    }
}
END_TEST

/* A slot that waits for QUARANTINE others to be freed, and no longer than the
 * few more that a thread keeps. */
START_TEST(a_freed_slot_waits_for_its_turn)
{
    enum { QUARANTINE = 50, PAIRS = 1000, KEPT = 64 };
    static char *freed[PAIRS];
    if (!set_up(_i, (size_t)1 << 36, QUARANTINE)) {
        return;
    }
    int again = 0;
    for (int i = 0; i < PAIRS; i++) {
        freed[i] = allocate(pages_size(), 1, FENCE_AFTER);
        for (int j = i - 1; j >= 0; j--) {
            if (freed[j] == freed[i]) {
                ck_assert_int_gt(i - j, QUARANTINE);
                ck_assert_int_le(i - j, QUARANTINE + KEPT);
                again++;
                break;
            }
        }
        ck_assert(!release(freed[i]));
    }
    ck_assert_int_ge(again, PAIRS - QUARANTINE - KEPT);
}
END_TEST

START_TEST(a_class_that_is_used_up_takes_the_oldest_or_refuses)
{
    if (!set_up(_i, (size_t)1 << 26, 1000000)) {
        return;
    }
    struct slots_request request = { .bytes = 6 * pages_size(),
                                     .alignment = 16,
                                     .side = FENCE_AFTER,
                                     .site = 1 };
    enum { MANY = 10000 };
    static char *blocks[MANY];
    size_t taken = 0;
    while (taken < MANY
           && (blocks[taken] = slots_allocate(&request)) != NULL) {
        memset(blocks[taken], (int)taken, request.bytes);
        taken++;
    }
    ck_assert_uint_gt(taken, 100);
    ck_assert_uint_lt(taken, MANY);
    ck_assert_uint_eq(slots_counts().fenced, taken);
    for (size_t i = 0; i < taken; i++) {
        for (size_t byte = 0; byte < request.bytes; byte += 1000) {
            ck_assert_int_eq(blocks[i][byte], (char)i);
        }
        ck_assert(!release(blocks[i]));
    }
    /* What was freed can be had again. */
    for (size_t i = 0; i < taken; i++) {
        ck_assert_ptr_nonnull(slots_allocate(&request));
    }
}
END_TEST

START_TEST(a_slot_that_is_used_again_is_empty_and_has_a_new_number)
{
    if (!set_up(_i, (size_t)1 << 36, 0)) {
        return;
    }
    char *block = allocate(100, 1, FENCE_AFTER);
    memset(block, 'x', 100);
    ck_assert(!release(block));
    ck_assert(release(block));
    ck_assert_int_eq(finding.kind, MOAT_KIND_DOUBLE_FREE);
    ck_assert_uint_eq(finding.block.number, 1);
    unsigned number = 1;
    char *again;
    do {
        again = allocate(100, 1, FENCE_AFTER);
        number++;
        if (again != block) {
            memset(again, 'y', 100);
            ck_assert(!release(again));
        }
    } while (again != block && number < 100);
    ck_assert_ptr_eq(again, block);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(again[i], 0);
    }
    ck_assert(release(again + 1));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert_uint_eq(finding.block.number, number);
}
END_TEST

START_TEST(damage_is_told_and_the_block_is_freed)
{
    if (!set_up(_i, (size_t)1 << 36, 10)) {
        return;
    }
    char *block = allocate(20, 16, FENCE_AFTER);
    block[20] = '!';
    ck_assert(release(block));
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_uint_eq(finding.damage_ranges, 1);
    ck_assert_ptr_null(finding.arena.base);
    ck_assert(!is_accessible(block));
    ck_assert(release(block));
    ck_assert_int_eq(finding.kind, MOAT_KIND_DOUBLE_FREE);
}
END_TEST

static struct block_record *record_of(char *block)
{
    struct moat_arena *window = state_arena_at(&state, (uintptr_t)block);
    size_t index = window->layout == ARENA_SLOTS
                       ? ((uintptr_t)block - window->base) / window->slot_bytes
                       : 0;
    ck_assert_uint_eq(window->blocks[index].start, (uintptr_t)block);
    return &window->blocks[index];
}

/* That thread is about to take the pages away: who comes second must not look
 * at them. */
START_TEST(a_block_that_another_thread_is_freeing_is_not_touched)
{
    static const size_t sizes[] = { 20, 200000 };
    if (!set_up(_i, (size_t)1 << 28, 16)) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        char *block = allocate(sizes[i], 16, FENCE_AFTER);
        struct block_record *record = record_of(block);
        block[-1] = 'x';
        atomic_store(&record->state, BLOCK_ENDING);
        ck_assert(release(block));
        ck_assert_int_eq(finding.kind, MOAT_KIND_DOUBLE_FREE);
        ck_assert_uint_eq(finding.damage_ranges, 0);
        ck_assert_ptr_eq(finding.block.start, block);
        struct slots_request request = { .bytes = 30, .alignment = 16,
                                         .site = 1 };
        bool is_wrong = false;
        ck_assert_ptr_null(slots_reallocate((uintptr_t)block, &request,
                                            &is_wrong, &finding));
        ck_assert(is_wrong);
        ck_assert_int_eq(finding.kind, MOAT_KIND_DOUBLE_FREE);
        ck_assert_int_eq(record->state, BLOCK_ENDING);
        ck_assert_int_eq(block[-1], 'x');
        /* And by the first one, in the end. */
        atomic_store(&record->state, BLOCK_LIVE);
        ck_assert(release(block));
        ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_UNDERFLOW);
        ck_assert(!finding.block.is_freed);
        ck_assert(!is_accessible(block));
        ck_assert(release(block));
        ck_assert_int_eq(finding.kind, MOAT_KIND_DOUBLE_FREE);
        ck_assert(finding.block.is_freed);
    }
}
END_TEST

START_TEST(a_block_that_cannot_be_resized_is_live_as_before)
{
    if (!set_up(_i, (size_t)1 << 28, 16)) {
        return;
    }
    char *block = allocate(20, 16, FENCE_AFTER);
    struct slots_request request = { .bytes = (size_t)1 << 40,
                                     .alignment = 16, .site = 1 };
    bool is_wrong = true;
    ck_assert_ptr_null(slots_reallocate((uintptr_t)block, &request, &is_wrong,
                                        &finding));
    ck_assert(!is_wrong);
    ck_assert_int_eq(record_of(block)->state, BLOCK_LIVE);
    ck_assert(!release(block));
}
END_TEST

START_TEST(a_large_block_takes_no_more_addresses_than_it_needs)
{
    if (!set_up(_i, (size_t)1 << 30, 10)) {
        return;
    }
    /* A region of 1 GiB holds it: 300 MB, rounded up to a power of two. */
    char *block = allocate((size_t)300 << 20, 1, FENCE_AFTER);
    ck_assert(is_accessible(block));
    ck_assert(!is_accessible(block + ((size_t)300 << 20)));
    ck_assert(!release(block));
    struct slots_request request = { .bytes = (size_t)2 << 30,
                                     .alignment = 1,
                                     .side = FENCE_AFTER };
    ck_assert_ptr_null(slots_allocate(&request));
}
END_TEST

/* More than the region has; refused, and that again and again. */
static void *ask_for_too_much(void *is_ending)
{
    struct slots_request request = { .bytes = (size_t)1 << 50,
                                     .alignment = 16,
                                     .side = FENCE_AFTER,
                                     .site = 1 };
    void *block = NULL;
    do {
        block = slots_allocate(&request);
    } while (block == NULL && !atomic_load((atomic_bool *)is_ending));
    return block;
}

START_TEST(a_block_that_is_refused_takes_nothing_from_others)
{
    atomic_bool is_ending = false;
    pthread_t thread;
    void *given;
    if (!set_up_with(_i, (size_t)1 << 36, 10, (size_t)1 << 20)) {
        return;
    }
    ck_assert_int_eq(
        pthread_create(&thread, NULL, ask_for_too_much, &is_ending), 0);
    for (int i = 0; i < 20000; i++) {
        ck_assert(!release(allocate(100, 16, FENCE_AFTER)));
    }
    atomic_store(&is_ending, true);
    pthread_join(thread, &given);
    ck_assert_ptr_null(given);
    ck_assert_uint_eq(slots_counts().canaries_only, 0);
    ck_assert_uint_eq(slots_counts().memory, 0);
    ck_assert_uint_eq(slots_counts().memory_peak, pages_size());
}
END_TEST

/* A way that stops working after some calls, and what it stands in for. */
static int calls_left;

static int prepare_or_refuse(uintptr_t start, size_t bytes)
{
    return calls_left-- > 0 ? revoke_guard.prepare(start, bytes) : EPERM;
}

static int revoke_or_refuse(uintptr_t start, size_t bytes)
{
    return calls_left-- > 0 ? revoke_guard.revoke(start, bytes) : EPERM;
}

/* Allocate, write and free in turns, so that slots come back soon. */
static void use_slots(int rounds)
{
    char *kept[8] = { NULL };
    for (int i = 0; i < rounds; i++) {
        if (kept[i % 8] != NULL) {
            ck_assert(!release(kept[i % 8]));
            ck_assert(!is_accessible(kept[i % 8]));
        }
        kept[i % 8] = allocate(100, 16, FENCE_AFTER);
        memset(kept[i % 8], 'x', 100);
    }
}

START_TEST(slots_can_be_used_again_when_the_way_fails_at_any_time)
{
    struct revoke_way failing = revoke_guard;
    struct arena_settings settings = { .way = &failing, .quarantine = 3,
                                       .alignment = 16 };
    if (revoke_guard.probe() != 0) {
        return;
    }
    for (int calls = 0; calls < 60; calls += 3) {
        failing = revoke_guard;
        if (_i == 0) {
            failing.prepare = prepare_or_refuse;
        } else {
            failing.revoke = revoke_or_refuse;
        }
        calls_left = _i == 0 ? calls / 3 : calls;
        memset(&state, 0, sizeof state);
        ck_assert_int_eq(state_create(&state, (size_t)1 << 32), 0);
        pid_t child = fork();
        if (child == 0) {
            struct slots_settings heap = { .way = &failing,
                                           .quarantine = 3,
                                           .max_memory = SIZE_MAX };
            arena_start(&state, &settings);
            slots_start(&state, &heap);
            use_slots(100);
            /* Enough live ones to need a further step of preparing. */
            for (int i = 0; i < 100; i++) {
                memset(allocate(100, 16, FENCE_AFTER), 'x', 100);
            }
            use_slots(100);
            _exit(0);
        }
        int status = -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(status == 0, "after %d calls: status %#x", calls,
                      (unsigned)status);
    }
}
END_TEST

static int pretend(uintptr_t start, size_t bytes)
{
    (void)start;
    (void)bytes;
    return 0;
}

START_TEST(a_way_that_only_says_that_it_revokes_is_found_out)
{
    struct revoke_way lying = revoke_mprotect;
    struct arena_settings settings = { .way = &lying, .quarantine = 3,
                                       .alignment = 16 };
    struct slots_settings heap = { .way = &lying, .quarantine = 3,
                                   .max_memory = SIZE_MAX };
    lying.revoke = pretend;
    ck_assert_int_eq(state_create(&state, (size_t)1 << 32), 0);
    arena_start(&state, &settings);
    slots_start(&state, &heap);
    for (size_t i = 1; i <= 3; i++) {
        char *block = allocate(100, 16, FENCE_AFTER);
        ck_assert(!release(block));
        ck_assert(!is_accessible(block));
        ck_assert_uint_eq(shortfall_count(SHORTFALL_NOT_REVOKED), i);
    }
}
END_TEST

static void add(TCase *tests)
{
    int count = (int)(sizeof ways / sizeof ways[0]);
    tcase_add_loop_test(tests, every_size_lies_between_guards, 0, count);
    tcase_add_loop_test(tests, a_freed_slot_waits_for_its_turn, 0, count);
    tcase_add_loop_test(
        tests, a_class_that_is_used_up_takes_the_oldest_or_refuses, 0, count);
    tcase_add_loop_test(
        tests, a_slot_that_is_used_again_is_empty_and_has_a_new_number, 0,
        count);
    tcase_add_loop_test(tests, damage_is_told_and_the_block_is_freed, 0,
                        count);
    tcase_add_loop_test(
        tests, a_block_that_another_thread_is_freeing_is_not_touched, 0,
        count);
    tcase_add_loop_test(
        tests, a_block_that_cannot_be_resized_is_live_as_before, 0, count);
    tcase_add_test(tests,
                   a_way_that_only_says_that_it_revokes_is_found_out);
    tcase_add_loop_test(
        tests, slots_can_be_used_again_when_the_way_fails_at_any_time, 0, 2);
    tcase_add_loop_test(
        tests, a_large_block_takes_no_more_addresses_than_it_needs, 0, count);
    tcase_add_loop_test(
        tests, a_block_that_is_refused_takes_nothing_from_others, 0, count);
}

int main(void)
{
    return unit_run("alloc/slots", add);
}
