/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/canary_slots: blocks that no guard protects. */
#include "alloc/canary_slots.h"

#include "alloc/arena.h"
#include "base/canary.h"
#include "os/revoke.h"
#include "tests/support/child.h"
#include "tests/support/unit.h"
#include "tests/support/ways.h"

#include <stdio.h>
#include <string.h>

enum { QUARANTINE = 20 };

static struct moat_state state;

static void set_up_with(size_t quarantine)
{
    struct arena_settings settings
        = { .way = &revoke_mprotect, .quarantine = 10, .alignment = 16 };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 34), 0);
    arena_start(&state, &settings);
    canary_slots_start(&state, quarantine);
}

static void set_up(void)
{
    set_up_with(QUARANTINE);
}

static struct block_record *allocate(size_t bytes, size_t alignment)
{
    struct block_record *block
        = canary_slots_allocate(bytes, alignment, CANARY_SLOTS_MOST);
    if (block != NULL) {
        memset((void *)block->start, 'x', bytes);
        block->state = BLOCK_LIVE;
    }
    return block;
}

static struct moat_arena *owner_of(const struct block_record *block)
{
    return arena_record_at(&state.arenas,
                           region_owner(&state.region, block->start));
}

static bool is_intact(const struct block_record *block)
{
    uintptr_t end = block->start + block->bytes;
    return canary_is_intact(state.secret, block->start - block->front_bytes,
                            block->start)
           && canary_is_intact(state.secret, end, end + block->tail_bytes);
}

START_TEST(each_block_has_canaries_on_both_sides)
{
    set_up();
    for (size_t bytes = 0; bytes <= CANARY_SLOTS_MOST - 32;
         bytes += bytes / 16 + 1) {
        struct block_record *block = allocate(bytes, 16);
        ck_assert_msg(block != NULL, "%zu bytes", bytes);
        ck_assert_uint_eq(block->start % 16, 0);
        ck_assert_uint_eq(block->bytes, bytes);
        ck_assert_uint_ge(block->front_bytes, 16);
        ck_assert_uint_ge(block->tail_bytes, 16);
        ck_assert(is_intact(block));
    }
}
END_TEST

START_TEST(blocks_do_not_touch_their_neighbours)
{
    enum { BLOCKS = 3000 };
    static struct block_record *blocks[BLOCKS];
    set_up();
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = allocate(i % 300, 16);
        ck_assert_ptr_nonnull(blocks[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        ck_assert_msg(is_intact(blocks[i]), "block %zu", i);
    }
}
END_TEST

START_TEST(alignment_is_kept)
{
    set_up();
    for (size_t alignment = 1; alignment <= CANARY_SLOTS_MOST / 2;
         alignment *= 2) {
        struct block_record *block = allocate(100, alignment);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq(block->start % alignment, 0);
        ck_assert(is_intact(block));
    }
}
END_TEST

START_TEST(what_is_too_large_is_refused)
{
    set_up();
    static const size_t mosts[] = { CANARY_SLOTS_SMALL, CANARY_SLOTS_MOST };
    for (size_t i = 0; i < 2; i++) {
        size_t most = mosts[i];
        ck_assert_ptr_nonnull(canary_slots_allocate(most - 32, 16, most));
        ck_assert_ptr_null(canary_slots_allocate(most - 31, 16, most));
        ck_assert_ptr_null(canary_slots_allocate(SIZE_MAX, 16, most));
        ck_assert_ptr_null(canary_slots_allocate(SIZE_MAX - 32, 16, most));
        ck_assert_ptr_null(canary_slots_allocate(1, most, most));
        ck_assert_ptr_null(canary_slots_allocate(1, SIZE_MAX / 2 + 1, most));
    }
}
END_TEST

START_TEST(a_freed_block_is_stamped_and_waits)
{
    set_up();
    struct block_record *first = allocate(40, 16);
    uintptr_t start = first->start;
    canary_slots_free(owner_of(first), first);
    ck_assert_int_eq(first->state, BLOCK_STAMPED);
    ck_assert(canary_is_intact(state.secret, start, start + 40));
    int pairs = 0;
    struct block_record *next;
    do {
        next = allocate(40, 16);
        canary_slots_free(owner_of(next), next);
        pairs++;
    } while (next->start != start && pairs < 1000);
    ck_assert_int_gt(pairs, QUARANTINE);
    ck_assert_int_le(pairs, QUARANTINE + 2);
}
END_TEST

static size_t resident_bytes(void)
{
    size_t pages[2] = { 0 };
    FILE *statm = fopen("/proc/self/statm", "re");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%zu %zu", &pages[0], &pages[1]), 2);
    fclose(statm);
    return pages[1] * pages_size();
}

/* Freed blocks keep their memory here. */
START_TEST(of_large_ones_no_more_than_8_mib_wait)
{
    enum { MANY = 100000, EACH = 300000, KEPT = 8 << 20 };
    set_up_with(MANY);
    struct block_record *first = allocate(EACH, 16);
    uintptr_t start = first->start;
    size_t before = resident_bytes();
    canary_slots_free(owner_of(first), first);
    size_t waited = 0;
    for (bool is_again = false; !is_again; waited += EACH) {
        struct block_record *next = allocate(EACH, 16);
        is_again = next->start == start;
        canary_slots_free(owner_of(next), next);
        ck_assert_uint_le(waited, KEPT);
    }
    ck_assert_uint_gt(waited, KEPT / 2);
    for (int i = 0; i < 200; i++) {
        struct block_record *next = allocate(EACH, 16);
        canary_slots_free(owner_of(next), next);
    }
    ck_assert_uint_le(resident_bytes(), before + KEPT + KEPT / 4);
}
END_TEST

/* Where the region is small there may be no room for one. */
START_TEST(a_window_without_room_for_a_slot_is_none)
{
    struct arena_settings settings
        = { .way = &revoke_mprotect, .quarantine = 10, .alignment = 16 };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 26), 0);
    arena_start(&state, &settings);
    canary_slots_start(&state, QUARANTINE);
    ck_assert_ptr_null(allocate(500000, 16));
    ck_assert_ptr_null(allocate(500000, 16));
    ck_assert_ptr_nonnull(allocate(50000, 16));
}
END_TEST

START_TEST(a_block_that_was_written_to_after_its_free_is_kept)
{
    set_up();
    struct block_record *first = allocate(40, 16);
    uintptr_t start = first->start;
    canary_slots_free(owner_of(first), first);
    *(char *)(start + 7) ^= 1;
    for (int pairs = 0; pairs < 10 * QUARANTINE; pairs++) {
        struct block_record *next = allocate(40, 16);
        ck_assert_uint_ne(next->start, start);
        canary_slots_free(owner_of(next), next);
    }
    /* For the check at exit, which finds it in its record. */
    ck_assert_int_eq(first->state, BLOCK_STAMPED);
    ck_assert_uint_eq(first->start, start);
}
END_TEST

START_TEST(a_class_that_is_used_up_uses_what_waits_and_then_refuses)
{
    set_up();
    struct block_record *last = NULL;
    struct block_record *block;
    size_t count = 0;
    while ((block = allocate(4000, 16)) != NULL) {
        last = block;
        count++;
    }
    ck_assert_uint_gt(count, 1000);
    uintptr_t start = last->start;
    canary_slots_free(owner_of(last), last);
    block = allocate(4000, 16);
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq(block->start, start);
    ck_assert_ptr_null(allocate(4000, 16));
    /* Other sizes have windows of their own. */
    ck_assert_ptr_nonnull(allocate(40, 16));
}
END_TEST

static int allocate_in_a_child(void *unused)
{
    (void)unused;
    canary_slots_after_fork_in_child();
    return allocate(40, 16) != NULL ? 0 : 1;
}

START_TEST(a_child_can_allocate)
{
    set_up();
    ck_assert_ptr_nonnull(allocate(40, 16));
    canary_slots_before_fork();
    ck_assert_int_eq(child_ending(CHILD_FORKED, allocate_in_a_child, NULL), 0);
    canary_slots_after_fork_in_parent();
    ck_assert_ptr_nonnull(allocate(40, 16));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, each_block_has_canaries_on_both_sides);
    tcase_add_test(tests, blocks_do_not_touch_their_neighbours);
    tcase_add_test(tests, alignment_is_kept);
    tcase_add_test(tests, what_is_too_large_is_refused);
    tcase_add_test(tests, a_freed_block_is_stamped_and_waits);
    tcase_add_test(tests, of_large_ones_no_more_than_8_mib_wait);
    tcase_add_test(tests, a_window_without_room_for_a_slot_is_none);
    tcase_add_test(tests, a_block_that_was_written_to_after_its_free_is_kept);
    tcase_add_test(tests,
                   a_class_that_is_used_up_uses_what_waits_and_then_refuses);
    tcase_add_test(tests, a_child_can_allocate);
}

int main(void)
{
    return unit_run("alloc/canary_slots", add);
}
