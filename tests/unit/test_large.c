/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/large: blocks with an extent of their own, and growing ones that hand
 * their pages over, with guard markers and with mprotect.
 */
#include "alloc/large.h"

#include "alloc/arena.h"
#include "alloc/budget.h"
#include "alloc/shortfall.h"
#include "base/canary.h"
#include "os/revoke.h"
#include "tests/support/unit.h"
#include "tests/support/ways.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct revoke_way *const ways[]
    = { &revoke_guard, &revoke_mprotect };

enum { SPARSE_WAYS = 2 };

static struct moat_state state;

static bool set_up(int number)
{
    struct arena_settings settings
        = { .way = ways[number], .quarantine = 10, .alignment = 16 };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 36), 0);
    arena_start(&state, &settings);
    shortfall_start(false, 99);
    budget_start(SIZE_MAX);
    large_start(&state);
    return ways[number]->probe() == 0;
}

static struct block_record *allocate(size_t bytes, size_t alignment,
                                     enum fence_placement side)
{
    struct large_request request
        = { .bytes = bytes, .alignment = alignment, .side = side, .site = 1 };
    bool is_short;
    return large_allocate(&request, &is_short);
}

static struct block_record *allocate_growing(size_t bytes)
{
    struct large_request request = { .bytes = bytes,
                                     .alignment = 16,
                                     .side = FENCE_AFTER,
                                     .is_growing = true,
                                     .site = 1 };
    bool is_short;
    struct block_record *block = large_allocate(&request, &is_short);
    ck_assert_ptr_nonnull(block);
    block->state = BLOCK_LIVE;
    return block;
}

static struct moat_arena *owner_of(const struct block_record *block)
{
    return arena_record_at(&state.arenas,
                           region_owner(&state.region, block->start));
}

START_TEST(a_block_lies_at_a_guard_page_and_is_zero)
{
    if (!set_up(_i)) {
        return;
    }
    for (size_t bytes = 1; bytes < (size_t)64 << 20; bytes = bytes * 3 + 1) {
        struct block_record *block = allocate(bytes, 1, FENCE_AFTER);
        ck_assert_ptr_nonnull(block);
        const char *data = (const char *)block->start;
        ck_assert_uint_eq(block->bytes, bytes);
        ck_assert_int_eq(data[0], 0);
        ck_assert_int_eq(data[bytes - 1], 0);
        ck_assert(!ways_is_accessible(block->start + bytes));
        block = allocate(bytes, 1, FENCE_BEFORE);
        ck_assert_ptr_nonnull(block);
        ck_assert(ways_is_accessible(block->start));
        ck_assert(ways_is_accessible(block->start + bytes - 1));
        ck_assert(!ways_is_accessible(block->start - 1));
    }
}
END_TEST

START_TEST(any_alignment_is_kept)
{
    if (!set_up(_i)) {
        return;
    }
    for (size_t alignment = 1; alignment <= (size_t)64 << 20; alignment *= 2) {
        struct block_record *block = allocate(200000, alignment, FENCE_AFTER);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq(block->start % alignment, 0);
        ck_assert(ways_is_accessible(block->start));
        ck_assert(ways_is_accessible(block->start + 199999));
        large_free(owner_of(block), 1);
    }
}
END_TEST

/* How many mappings of the process lie between FIRST and LAST. */
static int mappings_of(uintptr_t first, uintptr_t last)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    int count = 0;
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t start;
        uintptr_t end;
        if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start < last
            && end > first) {
            count++;
        }
    }
    fclose(maps);
    return count;
}

static int refuse(uintptr_t start, size_t bytes)
{
    (void)start;
    (void)bytes;
    return EINVAL;
}

static struct moat_arena *allocate_large(bool *is_short)
{
    struct large_request request
        = { .bytes = 600000, .alignment = 16, .side = FENCE_AFTER, .site = 1 };
    struct block_record *block = large_allocate(&request, is_short);
    if (block == NULL) {
        return NULL;
    }
    ck_assert(ways_is_accessible(block->start + 599999));
    ck_assert(!ways_is_accessible(block->start + 600000));
    return owner_of(block);
}

enum { LEFT = 5, MORE = 40 };

static void leave_mappings(void)
{
    while (budget_take_mappings(false)) {
    }
    for (int i = 0; i < LEFT; i++) {
        budget_give_mappings_back();
    }
}

/* With mprotect(), and where it stands in for guard markers that are refused.
 */
START_TEST(no_more_take_mappings_than_may)
{
    struct revoke_way refused = revoke_guard;
    const struct revoke_way *const takers[] = { &revoke_mprotect, &refused };
    struct arena_settings settings = { .way = takers[_i],
                                       .sparse_way = takers[_i],
                                       .quarantine = 10,
                                       .alignment = 16 };
    struct moat_arena *arena = NULL;
    bool is_short = false;
    refused.prepare = refuse;
    set_up(0);
    arena_start(&state, &settings);
    leave_mappings();
    for (int i = 0; i < LEFT; i++) {
        arena = allocate_large(&is_short);
        ck_assert_ptr_nonnull(arena);
    }
    ck_assert_ptr_null(allocate_large(&is_short));
    ck_assert(is_short);
    large_free(arena, 1);
    ck_assert_ptr_nonnull(allocate_large(&is_short));
    ck_assert_ptr_null(allocate_large(&is_short));
    /* For what canaries alone will not do for there are some more. */
    ck_assert_ptr_nonnull(allocate(2 << 20, 16, FENCE_AFTER));
    ck_assert_ptr_null(allocate(SIZE_MAX / 4, 16, FENCE_AFTER));
}
END_TEST

START_TEST(with_guard_markers_the_others_take_none)
{
    struct moat_arena *arenas[MORE];
    bool is_short = false;
    if (!set_up(0)) {
        return;
    }
    leave_mappings();
    for (int i = 0; i < LEFT; i++) {
        ck_assert_ptr_nonnull(allocate_large(&is_short));
    }
    for (int i = 0; i < MORE; i++) {
        arenas[i] = allocate_large(&is_short);
        ck_assert_ptr_nonnull(arenas[i]);
    }
    uintptr_t first = arenas[0]->extent_start;
    uintptr_t last = arenas[MORE - 1]->extent_start;
    ck_assert_uint_gt(last, first);
    ck_assert_int_eq(mappings_of(first, last), 1);
    /* Also while some of them wait, and when they are used again. */
    for (int i = 0; i < MORE; i += 2) {
        uintptr_t start = arenas[i]->blocks[0].start;
        large_free(arenas[i], 1);
        ck_assert(!ways_is_accessible(start));
    }
    ck_assert_int_eq(mappings_of(first, last), 1);
    for (int i = 0; i < MORE; i += 2) {
        ck_assert_ptr_nonnull(allocate_large(&is_short));
    }
    ck_assert_int_eq(mappings_of(first, last), 1);
    /* Too large for markers all over: counted. */
    ck_assert_ptr_nonnull(allocate(100 << 20, 16, FENCE_AFTER));
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_takes_nothing)
{
    if (!set_up(_i)) {
        return;
    }
    ck_assert_ptr_null(allocate(SIZE_MAX, 16, FENCE_AFTER));
    ck_assert_ptr_null(allocate(SIZE_MAX - 4096, 8192, FENCE_AFTER));
    ck_assert_ptr_null(allocate((size_t)1 << 40, 16, FENCE_AFTER));
    /* Half of the region in one piece, still. */
    struct block_record *block
        = allocate(((size_t)1 << 35) - 65536, 16, FENCE_AFTER);
    ck_assert_ptr_nonnull(block);
}
END_TEST

START_TEST(a_freed_block_is_out_of_reach)
{
    if (!set_up(_i)) {
        return;
    }
    struct block_record *block = allocate(500000, 16, FENCE_AFTER);
    uintptr_t start = block->start;
    memset((void *)start, 'x', 500000);
    large_free(owner_of(block), 1);
    ck_assert(!ways_is_accessible(start));
    ck_assert(!ways_is_accessible(start + 250000));
    ck_assert(!ways_is_accessible(start + 499999));
}
END_TEST

static void fill(struct block_record *block)
{
    for (size_t i = 0; i < block->bytes; i++) {
        ((char *)block->start)[i] = (char)(i * 7 + i / 4096);
    }
}

static bool is_filled(const struct block_record *block, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (((const char *)block->start)[i] != (char)(i * 7 + i / 4096)) {
            return false;
        }
    }
    return true;
}

START_TEST(what_grows_keeps_its_bytes_and_leaves_nothing_behind)
{
    if (!set_up(_i)) {
        return;
    }
    size_t bytes = 300000;
    struct block_record *block = allocate_growing(bytes);
    fill(block);
    for (int i = 0; i < 6; i++) {
        uintptr_t old_start = block->start;
        struct moat_arena *old = owner_of(block);
        struct block_record *grown
            = large_transfer(old, block, bytes + 30000, 1);
        ck_assert_ptr_nonnull(grown);
        ck_assert_uint_ne(grown->start, old_start);
        ck_assert_uint_eq(grown->bytes, bytes + 30000);
        ck_assert(is_filled(grown, bytes));
        ck_assert(!ways_is_accessible(old_start));
        ck_assert(!ways_is_accessible(old_start + bytes - 1));
        /* What came on top is zero, and behind the canaries is a guard. */
        ck_assert_int_eq(((char *)grown->start)[bytes + 29999], 0);
        uintptr_t end = grown->start + grown->bytes;
        ck_assert(
            canary_is_intact(state.secret, end, end + grown->tail_bytes));
        ck_assert_uint_lt(grown->tail_bytes, pages_size());
        ck_assert(!ways_is_accessible(end + grown->tail_bytes));
        large_free(old, 1);
        bytes += 30000;
        block = grown;
        fill(block);
    }
}
END_TEST

START_TEST(there_is_room_up_to_a_power_of_two)
{
    if (!set_up(_i)) {
        return;
    }
    struct block_record *block = allocate_growing(300000);
    size_t guards = 2 * pages_size();
    ck_assert_ptr_null(large_transfer(owner_of(block), block, 524288, 1));
    ck_assert_ptr_null(large_transfer(owner_of(block), block, SIZE_MAX, 1));
    ck_assert(ways_is_accessible(block->start));
    ck_assert_ptr_nonnull(large_transfer(owner_of(block), block,
                                         524288 - guards - pages_size(), 1));
}
END_TEST

START_TEST(what_was_not_made_to_grow_is_not_handed_over)
{
    if (!set_up(_i)) {
        return;
    }
    struct block_record *block = allocate(300000, 16, FENCE_AFTER);
    block->state = BLOCK_LIVE;
    ck_assert_ptr_null(large_transfer(owner_of(block), block, 300001, 1));
    ck_assert(ways_is_accessible(block->start));
}
END_TEST

START_TEST(what_grows_stays_one_piece)
{
    if (!set_up(_i)) {
        return;
    }
    struct block_record *block = allocate_growing(300000);
    for (int i = 0; i < 40; i++) {
        fill(block);
        struct moat_arena *old = owner_of(block);
        block = large_transfer(old, block, block->bytes + 4096, 1);
        ck_assert_ptr_nonnull(block);
        large_free(old, 1);
        /* What is accessible and, with mprotect, what is not yet. */
        uintptr_t first = owner_of(block)->base;
        ck_assert_int_le(
            mappings_of(first, first + owner_of(block)->reach_bytes),
            ways[_i] == &revoke_guard ? 1 : 2);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, a_block_lies_at_a_guard_page_and_is_zero, 0,
                        SPARSE_WAYS);
    tcase_add_loop_test(tests, any_alignment_is_kept, 0, SPARSE_WAYS);
    tcase_add_loop_test(tests, no_more_take_mappings_than_may, 0, 2);
    tcase_add_test(tests, with_guard_markers_the_others_take_none);
    tcase_add_loop_test(tests, what_does_not_fit_is_refused_and_takes_nothing,
                        0, SPARSE_WAYS);
    tcase_add_loop_test(tests, a_freed_block_is_out_of_reach, 0, SPARSE_WAYS);
    tcase_add_loop_test(tests,
                        what_grows_keeps_its_bytes_and_leaves_nothing_behind,
                        0, SPARSE_WAYS);
    tcase_add_loop_test(tests, there_is_room_up_to_a_power_of_two, 0,
                        SPARSE_WAYS);
    tcase_add_loop_test(tests, what_was_not_made_to_grow_is_not_handed_over, 0,
                        SPARSE_WAYS);
    tcase_add_loop_test(tests, what_grows_stays_one_piece, 0, SPARSE_WAYS);
}

int main(void)
{
    ways_say_missing();
    return unit_run("alloc/large", add);
}
