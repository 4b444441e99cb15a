/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record/describe: filling a finding from records made by hand. No page is
 * touched; addresses are just numbers.
 */
#include "record/describe.h"

#include "tests/support/unit.h"

#include <string.h>
#include <unistd.h>

static const uintptr_t base = 0x100000001000;

static struct actor_record actors[4];
static uintptr_t words[64];
static struct block_record blocks[2];
static struct moat_arena arena;
static struct moat_state state;
static struct moat_finding finding;

enum { ALLOC_SITE = 1, FREE_SITE = 3, DEEP_SITE = 5, DEEP_FRAMES = 40 };

static void set_up(void)
{
    memset(&state, 0, sizeof state);
    memset(&arena, 0, sizeof arena);
    actors[1] = (struct actor_record){ .thread = 0, .pid = 42, .name = "one" };
    actors[2] = (struct actor_record){ .thread = 7, .pid = 43, .name = "two" };
    state.actors.records = actors;
    state.actors.capacity = 4;
    state.actors.used = 3;
    state.sites.words = words;
    state.sites.word_count = 64;
    words[ALLOC_SITE] = 1;
    words[ALLOC_SITE + 1] = 0xaaaa;
    words[FREE_SITE] = 1;
    words[FREE_SITE + 1] = 0xbbbb;
    words[DEEP_SITE] = DEEP_FRAMES;
    for (uintptr_t i = 0; i < DEEP_FRAMES; i++) {
        words[DEEP_SITE + 1 + i] = 0xc000 + i;
    }
    /* 32 bytes at 0, 20 at 0x40; a bump allocator had put it at 0x20. */
    blocks[0] = (struct block_record){ .start = base, .bytes = 32,
                                       .alloc_site = ALLOC_SITE,
                                       .alloc_actor = 1,
                                       .state = BLOCK_LIVE };
    blocks[1] = (struct block_record){ .start = base + 0x40, .bytes = 20,
                                       .arena_offset = 0x20,
                                       .alloc_site = ALLOC_SITE,
                                       .alloc_actor = 1,
                                       .free_site = FREE_SITE,
                                       .free_actor = 2,
                                       .state = BLOCK_LIVE };
    strcpy(arena.name, "test");
    arena.state = ARENA_LIVE;
    arena.base = base;
    arena.armed_bytes = 0x1000;
    arena.capacity = 0x100;
    arena.blocks = blocks;
    arena.block_count = 2;
    arena.has_blocks = true;
    arena.create_site = ALLOC_SITE;
    arena.create_actor = 1;
    arena.destroy_site = FREE_SITE;
    arena.destroy_actor = 2;
}

static void start_at(uintptr_t address)
{
    describe_start(&finding, MOAT_KIND_BAD_FREE, MOAT_ACCESS_FREE,
                   MOAT_SEEN_AT_FREE, address);
}

START_TEST(a_finding_starts_with_what_is_given_and_nothing_else)
{
    struct moat_finding expected;
    memset(&expected, 0, sizeof expected);
    expected.kind = MOAT_KIND_BAD_FREE;
    expected.access = MOAT_ACCESS_FREE;
    expected.seen = MOAT_SEEN_AT_FREE;
    expected.has_address = true;
    expected.address = (const void *)base;
    memset(&finding, 0xff, sizeof finding);
    start_at(base);
    ck_assert_mem_eq(&finding, &expected, sizeof finding);
}
END_TEST

static const struct {
    uintptr_t address;
    size_t bytes;
    enum moat_where where;
    size_t away;
} places[] = {
    { 999, 10, MOAT_WHERE_BEFORE, 1 },
    { 0, 10, MOAT_WHERE_BEFORE, 1000 },
    { 1000, 10, MOAT_WHERE_INSIDE, 0 },
    { 1009, 10, MOAT_WHERE_INSIDE, 9 },
    { 1010, 10, MOAT_WHERE_AFTER, 0 },
    { 1011, 10, MOAT_WHERE_AFTER, 1 },
    /* A block of no bytes has no inside. */
    { 999, 0, MOAT_WHERE_BEFORE, 1 },
    { 1000, 0, MOAT_WHERE_AFTER, 0 },
    { UINTPTR_MAX, 10, MOAT_WHERE_AFTER, UINTPTR_MAX - 1010 },
};

START_TEST(a_distance_is_counted_from_the_nearer_edge)
{
    size_t away = 12345;
    ck_assert_int_eq(describe_where(places[_i].address, 1000,
                                    places[_i].bytes, &away),
                     places[_i].where);
    ck_assert_uint_eq(away, places[_i].away);
}
END_TEST

START_TEST(a_living_block_has_an_allocation_and_no_end)
{
    start_at(base + 0x43);
    describe_block(&state, &arena, 1, &finding);
    ck_assert_uint_eq(finding.block.number, 2);
    ck_assert_uint_eq(finding.block.size, 20);
    ck_assert_ptr_eq(finding.block.start, (const void *)(base + 0x40));
    ck_assert(!finding.block.is_freed);
    ck_assert(finding.block.allocated_by.is_known);
    ck_assert_uint_eq(finding.block.allocated_by.thread, 0);
    ck_assert_int_eq(finding.block.allocated_by.pid, 42);
    ck_assert_str_eq(finding.block.allocated_by.name, "one");
    ck_assert_ptr_eq(finding.stacks.alloc.frame[0], (const void *)0xaaaa);
    ck_assert(!finding.block.freed_by.is_known);
    ck_assert_uint_eq(finding.stacks.free.frames, 0);
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_INSIDE);
    ck_assert_uint_eq(finding.distance.bytes, 3);
    ck_assert_int_eq(finding.arena.offset, 0x23);
}
END_TEST

START_TEST(a_freed_block_has_both)
{
    static const enum block_state states[] = { BLOCK_REVOKED, BLOCK_STAMPED };
    blocks[1].state = states[_i];
    start_at(base + 0x40);
    describe_block(&state, &arena, 1, &finding);
    ck_assert(finding.block.is_freed);
    ck_assert_uint_eq(finding.block.freed_by.thread, 7);
    ck_assert_int_eq(finding.block.freed_by.pid, 43);
    ck_assert_ptr_eq(finding.stacks.free.frame[0], (const void *)0xbbbb);
}
END_TEST

START_TEST(an_arena_is_named_with_its_maker)
{
    start_at(base - 5);
    describe_arena(&state, &arena, &finding);
    ck_assert_uint_eq(finding.block.number, 0);
    ck_assert_str_eq(finding.arena.name, "test");
    ck_assert_ptr_eq(finding.arena.base, (const void *)base);
    ck_assert_uint_eq(finding.arena.bytes, 0x1000);
    ck_assert_uint_eq(finding.arena.capacity, 0x100);
    ck_assert_int_eq(finding.arena.offset, -5);
    ck_assert(!finding.arena.is_destroyed);
    ck_assert_str_eq(finding.arena.created_by.name, "one");
    ck_assert_ptr_eq(finding.stacks.create.frame[0], (const void *)0xaaaa);
    ck_assert_uint_eq(finding.stacks.destroy.frames, 0);
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_BEFORE);
    ck_assert_uint_eq(finding.distance.bytes, 5);
}
END_TEST

START_TEST(a_destroyed_arena_is_named_with_both)
{
    arena.state = ARENA_DESTROYED;
    start_at(base);
    describe_arena(&state, &arena, &finding);
    ck_assert(finding.arena.is_destroyed);
    ck_assert_str_eq(finding.arena.destroyed_by.name, "two");
    ck_assert_ptr_eq(finding.stacks.destroy.frame[0], (const void *)0xbbbb);
}
END_TEST

START_TEST(an_arena_that_nothing_was_armed_in_ends_with_its_capacity)
{
    arena.armed_bytes = 0;
    start_at(base + 0x101);
    describe_arena(&state, &arena, &finding);
    ck_assert_uint_eq(finding.arena.bytes, 0x100);
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_AFTER);
    ck_assert_uint_eq(finding.distance.bytes, 1);
}
END_TEST

START_TEST(a_name_that_fills_its_room_still_ends)
{
    memset(arena.name, 'n', sizeof arena.name);
    start_at(base);
    describe_arena(&state, &arena, &finding);
    ck_assert_uint_eq(strlen(finding.arena.name),
                      sizeof finding.arena.name - 1);
}
END_TEST

START_TEST(somebody_who_is_not_in_the_table_is_not_known)
{
    blocks[0].alloc_actor = 0;
    blocks[0].alloc_site = 0;
    start_at(base);
    describe_block(&state, &arena, 0, &finding);
    ck_assert(!finding.block.allocated_by.is_known);
    ck_assert_uint_eq(finding.stacks.alloc.frames, 0);
    blocks[0].alloc_actor = 4;
    start_at(base);
    describe_block(&state, &arena, 0, &finding);
    ck_assert(!finding.block.allocated_by.is_known);
}
END_TEST

START_TEST(a_deep_site_is_cut_to_what_a_stack_holds)
{
    struct moat_stack stack = { .frames = 99 };
    describe_site(&state, DEEP_SITE, &stack);
    ck_assert_uint_eq(stack.frames, MOAT_STACK_MAX);
    ck_assert(stack.is_return_address);
    ck_assert_ptr_eq(stack.frame[0], (const void *)0xc000);
    ck_assert_ptr_eq(stack.frame[MOAT_STACK_MAX - 1],
                     (const void *)(0xc000 + MOAT_STACK_MAX - 1));
}
END_TEST

/* The gap from 0x20 to 0x40: 16 bytes nearer to either. */
START_TEST(between_two_blocks_the_nearer_one_is_meant)
{
    start_at(base + 0x2f);
    ck_assert(describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 1);
    start_at(base + 0x30);
    ck_assert(describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 2);
    start_at(base + 0x1f);
    ck_assert(describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 1);
    start_at(base - 0x1000);
    ck_assert(describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 1);
    start_at(base + 0x100000);
    ck_assert(describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 2);
}
END_TEST

START_TEST(without_block_records_only_the_arena_is_told)
{
    arena.has_blocks = false;
    start_at(base + 4);
    ck_assert(!describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 0);
    ck_assert_str_eq(finding.arena.name, "test");
    arena.has_blocks = true;
    arena.block_count = 0;
    start_at(base + 4);
    ck_assert(!describe_nearest(&state, &arena, &finding));
    ck_assert_uint_eq(finding.block.number, 0);
}
END_TEST

START_TEST(the_calling_thread_describes_itself)
{
    memset(&state.actors, 0, sizeof state.actors);
    ck_assert_int_eq(actor_table_create(&state.actors), 0);
    start_at(base);
    describe_self(&state, &finding);
    ck_assert_int_eq(finding.pid, getpid());
    ck_assert(finding.actor.is_known);
    ck_assert_int_eq(finding.actor.pid, getpid());
    ck_assert_uint_eq(finding.actor.thread, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests,
                   a_finding_starts_with_what_is_given_and_nothing_else);
    tcase_add_loop_test(tests, a_distance_is_counted_from_the_nearer_edge, 0,
                        sizeof places / sizeof places[0]);
    tcase_add_test(tests, a_living_block_has_an_allocation_and_no_end);
    tcase_add_loop_test(tests, a_freed_block_has_both, 0, 2);
    tcase_add_test(tests, an_arena_is_named_with_its_maker);
    tcase_add_test(tests, a_destroyed_arena_is_named_with_both);
    tcase_add_test(tests,
                   an_arena_that_nothing_was_armed_in_ends_with_its_capacity);
    tcase_add_test(tests, a_name_that_fills_its_room_still_ends);
    tcase_add_test(tests, somebody_who_is_not_in_the_table_is_not_known);
    tcase_add_test(tests, a_deep_site_is_cut_to_what_a_stack_holds);
    tcase_add_test(tests, between_two_blocks_the_nearer_one_is_meant);
    tcase_add_test(tests, without_block_records_only_the_arena_is_told);
    tcase_add_test(tests, the_calling_thread_describes_itself);
}

int main(void)
{
    return unit_run("record/describe", add);
}
