/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/altered: pages of live blocks that the program has altered, on each way
 * of revoking; the calls are made here, as the preload library makes them.
 */
#include "alloc/altered.h"

#include "alloc/arena.h"
#include "alloc/slots.h"
#include "base/size.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "tests/support/unit.h"

#include <string.h>
#include <sys/mman.h>

static const struct revoke_way *const ways[]
    = { &revoke_mprotect, &revoke_guard, &revoke_drop, &revoke_move };

/* A page of a slot; a slot with room; a large block. */
static const size_t page_counts[] = { 1, 25, 100 };

static struct moat_state state;
static struct moat_finding finding;

/* Returns whether this kernel has the way. */
static bool set_up(int number, size_t max_memory)
{
    struct arena_settings settings = { .way = ways[number],
                                       .quarantine = 8,
                                       .alignment = 16 };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 36), 0);
    struct slots_settings heap = { .way = ways[number],
                                   .quarantine = 8,
                                   .spare_pages = 4,
                                   .max_memory = max_memory,
                                   .has_transfer = true };
    arena_start(&state, &settings);
    slots_start(&state, &heap);
    return ways[number]->probe() == 0;
}

static uintptr_t allocate(size_t bytes)
{
    struct slots_request request
        = { .bytes = bytes, .alignment = 16, .side = FENCE_AFTER, .site = 1 };
    void *block = slots_allocate(&request);
    ck_assert_ptr_nonnull(block);
    memset(block, 'x', bytes);
    return (uintptr_t)block;
}

static bool release(uintptr_t block)
{
    return slots_free(block, MOAT_FAMILY_UNKNOWN, 1, &finding);
}

static bool is_accessible(uintptr_t address)
{
    char byte;
    return pages_peek(address, 1, &byte);
}

/* All slots of that size have their turn again, and are usable. */
static void go_round(size_t bytes)
{
    for (int i = 0; i < 60; i++) {
        uintptr_t block = allocate(bytes);
        ck_assert_int_eq(*(char *)(block + bytes - 1), 'x');
        ck_assert(!release(block));
        ck_assert(!is_accessible(block));
    }
}

enum how { PROTECT, LOCK, ADVISE, REPLACE, HOWS };

static void alter(uintptr_t start, size_t bytes, enum how how)
{
    static const unsigned traits[HOWS]
        = { BLOCK_PROTECTED, BLOCK_LOCKED, BLOCK_REMAPPED,
            BLOCK_REMAPPED | BLOCK_UNSTAMPED };
    altered_note(start, start + bytes, traits[how]);
    void *page = (void *)start;
    switch (how) {
    case PROTECT:
        ck_assert_int_eq(mprotect(page, bytes, PROT_NONE), 0);
        break;
    case LOCK:
        ck_assert_int_eq(mlock(page, bytes), 0);
        break;
    case ADVISE:
        ck_assert_int_eq(madvise(page, bytes, MADV_RANDOM), 0);
        break;
    default:
        ck_assert_int_eq(revoke_forget(start, bytes), 0);
        ck_assert_ptr_eq(mmap(page, bytes, PROT_READ,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
                         page);
        break;
    }
}

START_TEST(what_was_done_to_a_block_is_undone_when_it_is_freed)
{
    if (!set_up(_i, SIZE_MAX)) {
        return;
    }
    for (size_t i = 0; i < sizeof page_counts / sizeof page_counts[0]; i++) {
        /* The rest of the last page is canary. */
        size_t bytes = page_counts[i] * pages_size() - 7;
        for (int how = 0; how < HOWS; how++) {
            uintptr_t block = allocate(bytes);
            uintptr_t page = size_round_down(block, pages_size());
            alter(page, pages_size(), (enum how)how);
            ck_assert(!release(block));
            ck_assert(!is_accessible(block));
            go_round(bytes);
        }
    }
}
END_TEST

START_TEST(canaries_are_looked_at_unless_they_may_be_gone)
{
    if (!set_up(_i, SIZE_MAX)) {
        return;
    }
    size_t bytes = 2 * pages_size() - 7;
    for (int how = 0; how < HOWS; how++) {
        uintptr_t block = allocate(bytes);
        *(char *)(block + bytes) = 'x';
        alter(size_round_down(block, pages_size()) + pages_size(),
              pages_size(), (enum how)how);
        ck_assert_int_eq(release(block), how != REPLACE);
    }
}
END_TEST

START_TEST(what_was_dropped_is_there_with_its_canaries)
{
    if (!set_up(_i, SIZE_MAX)) {
        return;
    }
    for (size_t i = 0; i < sizeof page_counts / sizeof page_counts[0]; i++) {
        size_t bytes = page_counts[i] * pages_size() - 7;
        for (int is_damaged = 0; is_damaged < 2; is_damaged++) {
            uintptr_t block = allocate(bytes);
            uintptr_t start = size_round_down(block, pages_size());
            uintptr_t end = start + page_counts[i] * pages_size();
            ck_assert_int_eq(pages_drop(start, end - start), 0);
            altered_refill(start, end);
            ck_assert(is_accessible(start));
            ck_assert_int_eq(*(char *)block, 0);
            ck_assert_int_eq(*(char *)(block + bytes - 1), 0);
            if (is_damaged) {
                *(char *)(block + bytes) = 'x';
            }
            ck_assert_int_eq(release(block), is_damaged);
        }
    }
}
END_TEST

/* The next pages are those. */
static void next_is(uintptr_t *at, uintptr_t end, bool is_whole,
                    uintptr_t first, uintptr_t last)
{
    struct altered_pages pages;
    ck_assert(altered_next(at, end, is_whole, &pages));
    ck_assert_uint_eq(pages.start, first);
    ck_assert_uint_eq(pages.end, last);
}

static void next_is_none(uintptr_t *at, uintptr_t end)
{
    struct altered_pages pages;
    ck_assert(!altered_next(at, end, false, &pages));
}

START_TEST(calls_are_for_the_pages_of_blocks_alone)
{
    if (!set_up(_i, SIZE_MAX)) {
        return;
    }
    size_t page = pages_size();
    uintptr_t block = allocate(2 * page);
    uintptr_t at = block - page;
    next_is(&at, block + 3 * page, true, block, block + 2 * page);
    next_is_none(&at, block + 3 * page);
    ck_assert(altered_is_owned(block, block + 2 * page));
    ck_assert(altered_is_owned(block + page, block + 2 * page));
    ck_assert(!altered_is_owned(block - page, block + page));
    ck_assert(!altered_is_owned(block, block + 3 * page));
    ck_assert(!release(block));
    at = block;
    next_is_none(&at, block + 2 * page);
    ck_assert(!altered_is_owned(block, block + page));
}
END_TEST

START_TEST(pages_that_blocks_share_belong_to_none)
{
    if (!set_up(_i, 1)) {
        return;
    }
    size_t page = pages_size();
    uintptr_t blocks[64];
    for (int i = 0; i < 64; i++) {
        blocks[i] = allocate(200);
    }
    uintptr_t first = size_round_down(blocks[0], page);
    uintptr_t at = first;
    /* Each page once, however many blocks it has; none of them whole. */
    for (size_t i = 0; i < 3; i++) {
        next_is(&at, first + 3 * page, false, first + i * page,
                first + (i + 1) * page);
    }
    next_is_none(&at, first + 3 * page);
    at = first;
    struct altered_pages pages;
    ck_assert(altered_next(&at, first + page, true, &pages));
    ck_assert_uint_eq(pages.start, pages.end);
    ck_assert(!altered_is_owned(first, first + page));
    uintptr_t larger = allocate(2 * page - 100);
    ck_assert(!altered_is_owned(size_round_up(larger, page),
                                size_round_up(larger, page) + page));
    altered_note(first, first + page, BLOCK_REMAPPED | BLOCK_UNSTAMPED);
    *(char *)(blocks[0] + 200) = 'x';
    ck_assert(release(blocks[0]));
    ck_assert(!release(larger));
    alter(first, page, LOCK);
    for (int i = 1; i < 64; i++) {
        ck_assert(!release(blocks[i]));
    }
    for (int i = 0; i < 64; i++) {
        ck_assert(!release(allocate(200)));
        ck_assert(!release(allocate(2 * page - 100)));
    }
}
END_TEST

START_TEST(an_arena_of_the_programs_own_is_left_to_it)
{
    if (!set_up(_i, SIZE_MAX)) {
        return;
    }
    struct arena_request request = { .name = "own",
                                     .capacity = 3 * pages_size(),
                                     .layout = ARENA_PACKED };
    struct moat_arena *arena;
    ck_assert_int_eq(arena_create(&request, &arena, &finding), 0);
    int error;
    ck_assert_ptr_nonnull(arena_allocate(arena, 16, 2 * pages_size(), 1,
                                         &error));
    uintptr_t at = arena->extent_start;
    uintptr_t end = at + arena->extent_bytes;
    next_is(&at, end, true, arena->base, arena->base + arena->armed_bytes);
    next_is_none(&at, end);
    ck_assert(!altered_is_owned(arena->base, arena->base + pages_size()));
}
END_TEST

static void add(TCase *tests)
{
    int count = (int)(sizeof ways / sizeof ways[0]);
    tcase_add_loop_test(
        tests, what_was_done_to_a_block_is_undone_when_it_is_freed, 0, count);
    tcase_add_loop_test(
        tests, canaries_are_looked_at_unless_they_may_be_gone, 0, count);
    tcase_add_loop_test(tests, what_was_dropped_is_there_with_its_canaries, 0,
                        count);
    tcase_add_loop_test(tests, calls_are_for_the_pages_of_blocks_alone, 0,
                        count);
    tcase_add_loop_test(tests, pages_that_blocks_share_belong_to_none, 0,
                        count);
    tcase_add_loop_test(tests, an_arena_of_the_programs_own_is_left_to_it, 0,
                        count);
}

int main(void)
{
    return unit_run("alloc/altered", add);
}
