/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record/heap_walk: which blocks lie on given pages, from records made by hand.
 * No page of the region is touched.
 */
#include "record/heap_walk.h"

#include "tests/support/unit.h"

#include <string.h>

enum { PAGE = 4096, FENCED = 1, CANARIES, LARGE, ARENA, GONE, OWNERS };

static struct moat_state state;
static struct moat_arena arenas[OWNERS];
static struct block_record fenced[3];
static struct block_record canaries[4];
static struct block_record large;
static struct block_record others[1];

/* Four granules for each owner, and four between any two. */
static uintptr_t extent_of(size_t owner)
{
    return state.region.start + owner * 8 * REGION_GRANULE;
}

static void add_owner(size_t owner, enum arena_layout layout,
                      struct block_record *blocks, size_t count)
{
    uintptr_t start = extent_of(owner);
    size_t bytes = 4 * REGION_GRANULE;
    ck_assert_int_eq(region_allow(&state.region, start, bytes, 0), 0);
    region_set_owner(&state.region, start, bytes, (uint32_t)owner);
    struct moat_arena *arena = &arenas[owner];
    memset(arena, 0, sizeof *arena);
    arena->state = ARENA_LIVE;
    arena->layout = layout;
    arena->is_heap = owner != ARENA;
    arena->extent_start = start;
    arena->extent_bytes = bytes;
    arena->base = start + PAGE;
    arena->blocks = blocks;
    arena->block_count = count;
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
    add_owner(FENCED, ARENA_SLOTS, fenced, 3);
    arenas[FENCED].slot_bytes = 3 * PAGE;
    add_block(&fenced[0], FENCED, PAGE + 96, 4000);
    add_block(&fenced[1], FENCED, 3 * PAGE + 192, 2 * PAGE - 192);
    add_block(&fenced[2], FENCED, 6 * PAGE, 0);
    add_owner(CANARIES, ARENA_SLOTS, canaries, 4);
    arenas[CANARIES].slot_bytes = 3072;
    for (size_t i = 0; i < 4; i++) {
        add_block(&canaries[i], CANARIES, i * 3072 + 16, 3000);
    }
    add_owner(LARGE, ARENA_FENCED, &large, 1);
    add_block(&large, LARGE, 0, 20 * PAGE);
    add_owner(ARENA, ARENA_PACKED, others, 1);
    add_block(&others[0], ARENA, 0, 100);
    add_owner(GONE, ARENA_FENCED, others, 1);
    arenas[GONE].state = ARENA_DESTROYED;
}

static struct heap_walk walk;
static struct heap_step step;

static void walk_over(uintptr_t start, size_t bytes)
{
    walk = (struct heap_walk){ .at = start, .end = start + bytes };
}

static void next_is(const struct block_record *block, size_t owner,
                    size_t first, size_t last)
{
    ck_assert(heap_walk_next(&state, &walk, &step));
    ck_assert_ptr_eq(step.block, block);
    ck_assert_ptr_eq(step.owner, &arenas[owner]);
    ck_assert_uint_eq(step.start, arenas[owner].base + first * PAGE);
    ck_assert_uint_eq(step.end, arenas[owner].base + last * PAGE);
}

static void next_is_none(void)
{
    ck_assert(!heap_walk_next(&state, &walk, &step));
}

START_TEST(all_live_blocks_come_in_order_and_nothing_else)
{
    set_up();
    walk_over(state.region.start, state.region.bytes);
    next_is(&fenced[0], FENCED, 1, 2);
    next_is(&fenced[1], FENCED, 3, 5);
    /* A block of no bytes touches no page. Two have two pages together. */
    next_is(&canaries[0], CANARIES, 0, 1);
    next_is(&canaries[1], CANARIES, 0, 2);
    next_is(&canaries[2], CANARIES, 1, 3);
    next_is(&canaries[3], CANARIES, 2, 3);
    next_is(&large, LARGE, 0, 20);
    next_is_none();
}
END_TEST

START_TEST(pages_are_cut_to_those_that_are_asked_for)
{
    set_up();
    walk_over(arenas[LARGE].base + 2 * PAGE, 3 * PAGE);
    next_is(&large, LARGE, 2, 5);
    next_is_none();
    walk_over(arenas[FENCED].base + 4 * PAGE, PAGE);
    next_is(&fenced[1], FENCED, 4, 5);
    next_is_none();
    /* In the middle of block 1. */
    walk_over(arenas[CANARIES].base + PAGE, PAGE);
    next_is(&canaries[1], CANARIES, 1, 2);
    next_is(&canaries[2], CANARIES, 1, 2);
    next_is_none();
}
END_TEST

START_TEST(guards_and_freed_blocks_and_outside_are_nobodys)
{
    set_up();
    walk_over(arenas[FENCED].extent_start, PAGE);
    next_is_none();
    walk_over(arenas[FENCED].base + 2 * PAGE, PAGE);
    next_is_none();
    fenced[1].state = BLOCK_REVOKED;
    walk_over(arenas[FENCED].base + 2 * PAGE, 10 * PAGE);
    next_is_none();
    walk_over(extent_of(GONE), 100 * REGION_GRANULE);
    next_is_none();
    walk_over(state.region.start - PAGE, PAGE);
    next_is_none();
    walk_over(state.region.start + state.region.bytes, PAGE);
    next_is_none();
    walk_over(arenas[LARGE].base, 0);
    next_is_none();
}
END_TEST

START_TEST(altered_is_each_page_of_such_a_block)
{
    set_up();
    uintptr_t base = arenas[FENCED].base;
    ck_assert(!heap_walk_is_altered(&state, base + 3 * PAGE));
    fenced[1].traits = 3;
    ck_assert(!heap_walk_is_altered(&state, base + 3 * PAGE));
    fenced[1].traits = 3 | BLOCK_PROTECTED;
    ck_assert(heap_walk_is_altered(&state, base + 3 * PAGE));
    ck_assert(heap_walk_is_altered(&state, base + 5 * PAGE - 1));
    ck_assert(!heap_walk_is_altered(&state, base + 5 * PAGE));
    ck_assert(!heap_walk_is_altered(&state, base + 3 * PAGE - 1));
    fenced[1].state = BLOCK_REVOKED;
    ck_assert(!heap_walk_is_altered(&state, base + 3 * PAGE));
    ck_assert(!heap_walk_is_altered(&state, 0));
    ck_assert(!heap_walk_is_altered(&state, UINTPTR_MAX));
    canaries[3].traits = BLOCK_LOCKED;
    ck_assert(heap_walk_is_altered(&state, arenas[CANARIES].base + 2 * PAGE));
    ck_assert(!heap_walk_is_altered(&state, arenas[CANARIES].base + PAGE));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, all_live_blocks_come_in_order_and_nothing_else);
    tcase_add_test(tests, pages_are_cut_to_those_that_are_asked_for);
    tcase_add_test(tests, guards_and_freed_blocks_and_outside_are_nobodys);
    tcase_add_test(tests, altered_is_each_page_of_such_a_block);
}

int main(void)
{
    return unit_run("record/heap_walk", add);
}
