/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record/live: the block at an address, and all of them, from records made by
 * hand. No page of the region is touched.
 */
#include "record/live.h"

#include "tests/support/unit.h"

#include <string.h>

enum { PAGE = 4096, SLOTS = 1, PACKED, GONE, EMPTY, OWNERS };

static struct moat_state state;
static struct moat_arena arenas[OWNERS];
static struct block_record slots[3];
static struct block_record packed[3];
static struct block_record gone[1];

static void add_owner(size_t owner, enum arena_layout layout,
                      struct block_record *blocks, size_t count)
{
    uintptr_t start = state.region.start + owner * 8 * REGION_GRANULE;
    size_t bytes = 4 * REGION_GRANULE;
    ck_assert_int_eq(region_allow(&state.region, start, bytes, 0), 0);
    region_set_owner(&state.region, start, bytes, (uint32_t)owner);
    arenas[owner] = (struct moat_arena){ .state = ARENA_LIVE,
                                         .layout = layout,
                                         .has_blocks = true,
                                         .extent_start = start,
                                         .extent_bytes = bytes,
                                         .base = start + PAGE,
                                         .blocks = blocks,
                                         .block_count = count };
}

static void add_block(struct block_record *block, size_t owner, size_t offset,
                      size_t bytes)
{
    *block = (struct block_record){ .start = arenas[owner].base + offset,
                                    .bytes = bytes,
                                    .state = BLOCK_LIVE };
}

static void set_up(void)
{
    memset(&state, 0, sizeof state);
    state.page_bytes = PAGE;
    ck_assert_int_eq(region_reserve(&state.region, REGION_SPAN), 0);
    state.arenas.records = arenas;
    state.arenas.capacity = OWNERS;
    state.arenas.used = OWNERS;
    add_owner(SLOTS, ARENA_SLOTS, slots, 3);
    arenas[SLOTS].slot_bytes = 2 * PAGE;
    arenas[SLOTS].is_heap = true;
    add_block(&slots[0], SLOTS, PAGE - 32, 32);
    add_block(&slots[1], SLOTS, 3 * PAGE - 64, 64);
    slots[1].state = BLOCK_REVOKED;
    add_block(&slots[2], SLOTS, 5 * PAGE, 0);
    slots[2].arena_offset = 77;
    add_owner(PACKED, ARENA_PACKED, packed, 3);
    add_block(&packed[0], PACKED, 32, 16);
    add_block(&packed[1], PACKED, 80, 100);
    packed[1].state = BLOCK_STAMPED;
    add_block(&packed[2], PACKED, 256, 20);
    add_owner(GONE, ARENA_FENCED, gone, 1);
    add_block(&gone[0], GONE, 0, 100);
    arenas[GONE].state = ARENA_DESTROYED;
    add_owner(EMPTY, ARENA_PACKED, NULL, 0);
}

START_TEST(an_address_inside_or_right_behind_is_the_blocks)
{
    uintptr_t start = slots[0].start;
    ck_assert_ptr_eq(live_at(&state, start), &slots[0]);
    ck_assert_ptr_eq(live_at(&state, start + 31), &slots[0]);
    ck_assert_ptr_eq(live_at(&state, start + 32), &slots[0]);
    ck_assert_ptr_null(live_at(&state, start + 33));
    ck_assert_ptr_null(live_at(&state, start - 1));
    ck_assert_ptr_eq(live_at(&state, slots[2].start), &slots[2]);
    ck_assert_ptr_null(live_at(&state, slots[2].start + 1));
    start = packed[0].start;
    ck_assert_ptr_eq(live_at(&state, start), &packed[0]);
    ck_assert_ptr_eq(live_at(&state, start + 16), &packed[0]);
    ck_assert_ptr_null(live_at(&state, start + 17));
    ck_assert_ptr_null(live_at(&state, start - 1));
    ck_assert_ptr_eq(live_at(&state, packed[2].start + 20), &packed[2]);
}
END_TEST

START_TEST(freed_blocks_and_other_addresses_are_nobodys)
{
    ck_assert_ptr_null(live_at(&state, slots[1].start));
    ck_assert_ptr_null(live_at(&state, packed[1].start + 50));
    ck_assert_ptr_null(live_at(&state, gone[0].start));
    ck_assert_ptr_null(live_at(&state, arenas[SLOTS].extent_start));
    ck_assert_ptr_null(live_at(&state, arenas[SLOTS].base + 6 * PAGE));
    ck_assert_ptr_null(live_at(&state, arenas[EMPTY].base));
    ck_assert_ptr_null(live_at(&state, state.region.start));
    ck_assert_ptr_null(live_at(&state, state.region.start - 1));
    ck_assert_ptr_null(live_at(&state, 0));
    ck_assert_ptr_null(live_at(&state, UINTPTR_MAX));
}
END_TEST

START_TEST(all_live_blocks_come_with_their_numbers)
{
    static struct {
        struct block_record *block;
        size_t owner;
        size_t number;
    } const expected[] = { { &slots[0], SLOTS, 0 },
                           { &slots[2], SLOTS, 77 },
                           { &packed[0], PACKED, 1 },
                           { &packed[2], PACKED, 3 } };
    struct live_walk walk = { .arena = 0 };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        ck_assert(live_next(&state, &walk));
        ck_assert_ptr_eq(walk.block, expected[i].block);
        ck_assert_ptr_eq(walk.owner, &arenas[expected[i].owner]);
        ck_assert_uint_eq(live_number(&walk), expected[i].number);
    }
    ck_assert(!live_next(&state, &walk));
    ck_assert(!live_next(&state, &walk));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, an_address_inside_or_right_behind_is_the_blocks);
    tcase_add_test(tests, freed_blocks_and_other_addresses_are_nobodys);
    tcase_add_test(tests, all_live_blocks_come_with_their_numbers);
}

int main(void)
{
    return unit_run("record/live", add);
}
