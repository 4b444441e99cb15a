/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diagnose/classify and record/describe: from an address and records made by
 * hand to a finding. No page is touched; addresses are just numbers.
 */
#include "diagnose/classify.h"

#include "tests/support/unit.h"

#include <string.h>

enum {
    PAGE = 0x1000,
    CAPACITY = 0x100,
    /* Two neighbouring granules hold arena 1 and arena 2. */
    FIRST_ARENA = 1,
    SECOND_ARENA = 2
};

static const uintptr_t region_start = 0x100000000000;
static const size_t region_bytes = (size_t)256 << 20;

static _Atomic uint32_t granules[4096];
static _Atomic uint32_t spans[4];
static struct moat_arena arenas[4];
static struct block_record blocks[3];
static struct block_record other_blocks[1];
static struct actor_record actors[3];
static uintptr_t words[16];
static struct moat_state state;
static struct moat_finding finding;

/* The first arena: blocks of 32, 20 and 16 bytes at 0, 0x40 and 0x80. */
static uintptr_t base(void)
{
    return region_start + PAGE;
}

static uintptr_t other_base(void)
{
    return region_start + REGION_GRANULE + PAGE;
}

static void set_block(struct block_record *block, uintptr_t start,
                      size_t bytes, size_t offset)
{
    *block = (struct block_record){ .start = start,
                                    .bytes = bytes,
                                    .arena_offset = offset,
                                    .alloc_site = 1,
                                    .alloc_actor = 1,
                                    .state = BLOCK_LIVE };
}

static void set_arena(struct moat_arena *arena, const char *name,
                      uintptr_t extent, struct block_record *records,
                      size_t count)
{
    memset(arena, 0, sizeof *arena);
    strcpy(arena->name, name);
    arena->state = ARENA_LIVE;
    arena->extent_start = extent;
    arena->extent_bytes = REGION_GRANULE;
    arena->base = extent + PAGE;
    arena->armed_bytes = PAGE;
    arena->capacity = CAPACITY;
    arena->blocks = records;
    arena->block_count = count;
    arena->has_blocks = true;
    arena->create_site = 1;
    arena->create_actor = 1;
}

static void set_up(void)
{
    memset(granules, 0, sizeof granules);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        spans[i] = REGION_MIXED;
    }
    memset(&state, 0, sizeof state);
    state.page_bytes = PAGE;
    state.region = (struct region){ .start = region_start,
                                    .bytes = region_bytes,
                                    .granule_owner = granules,
                                    .span_owner = spans };
    state.arenas.records = arenas;
    state.arenas.capacity = 4;
    state.arenas.used = 3;
    state.actors.records = actors;
    state.actors.capacity = 3;
    state.actors.used = 3;
    actors[1] = (struct actor_record){ .thread = 0, .pid = 42, .name = "one" };
    actors[2] = (struct actor_record){ .thread = 7, .pid = 43, .name = "two" };
    state.sites.words = words;
    state.sites.word_count = 16;
    words[1] = 1;
    words[2] = 0xaaaa;
    words[3] = 1;
    words[4] = 0xbbbb;
    set_arena(&arenas[FIRST_ARENA], "first", region_start, blocks, 3);
    set_block(&blocks[0], base(), 32, 0);
    set_block(&blocks[1], base() + 0x40, 20, 0x20);
    set_block(&blocks[2], base() + 0x80, 16, 0x40);
    set_arena(&arenas[SECOND_ARENA], "second", region_start + REGION_GRANULE,
              other_blocks, 1);
    set_block(&other_blocks[0], other_base(), 64, 0);
    granules[0] = FIRST_ARENA;
    granules[1] = SECOND_ARENA;
}

static void fault_at(uintptr_t address)
{
    struct classify_fault fault = { .address = address,
                                    .has_address = true,
                                    .access = MOAT_ACCESS_READ };
    classify_fault(&state, &fault, &finding);
}

static const struct {
    long offset;
    enum moat_kind kind;
    unsigned long number;
    enum moat_where where;
    size_t distance;
    long arena_offset;
} places[] = {
    /* In front of the arena. */
    { -1, MOAT_KIND_HEAP_BUFFER_UNDERFLOW, 1, MOAT_WHERE_BEFORE, 1, -1 },
    { -PAGE, MOAT_KIND_HEAP_BUFFER_UNDERFLOW, 1, MOAT_WHERE_BEFORE, PAGE,
      -PAGE },
    /* Behind it. */
    { PAGE, MOAT_KIND_HEAP_BUFFER_OVERFLOW, 3, MOAT_WHERE_AFTER,
      PAGE - 0x90, 0x40 + PAGE - 0x80 },
    { 0x90, MOAT_KIND_HEAP_BUFFER_OVERFLOW, 3, MOAT_WHERE_AFTER, 0, 0x50 },
    /* Between two blocks: the nearer edge. */
    { 0x20, MOAT_KIND_HEAP_BUFFER_OVERFLOW, 1, MOAT_WHERE_AFTER, 0, 0x20 },
    { 0x2f, MOAT_KIND_HEAP_BUFFER_OVERFLOW, 1, MOAT_WHERE_AFTER, 15, 0x2f },
    { 0x30, MOAT_KIND_HEAP_BUFFER_UNDERFLOW, 2, MOAT_WHERE_BEFORE, 16, 0x10 },
    { 0x3f, MOAT_KIND_HEAP_BUFFER_UNDERFLOW, 2, MOAT_WHERE_BEFORE, 1, 0x1f },
    { 0x54, MOAT_KIND_HEAP_BUFFER_OVERFLOW, 2, MOAT_WHERE_AFTER, 0, 0x34 },
    /* Inside: only a changed protection explains that. */
    { 0, MOAT_KIND_SEGV, 1, MOAT_WHERE_INSIDE, 0, 0 },
    { 0x1f, MOAT_KIND_SEGV, 1, MOAT_WHERE_INSIDE, 31, 0x1f },
    { 0x53, MOAT_KIND_SEGV, 2, MOAT_WHERE_INSIDE, 19, 0x33 },
};

START_TEST(a_place_in_a_living_arena_is_told_by_the_nearest_block)
{
    fault_at(base() + (uintptr_t)places[_i].offset);
    ck_assert_int_eq(finding.kind, places[_i].kind);
    ck_assert_uint_eq(finding.block.number, places[_i].number);
    ck_assert_int_eq(finding.distance.where, places[_i].where);
    ck_assert_uint_eq(finding.distance.bytes, places[_i].distance);
    ck_assert_int_eq(finding.arena.offset, places[_i].arena_offset);
    ck_assert_str_eq(finding.arena.name, "first");
    ck_assert_uint_eq(finding.arena.capacity, CAPACITY);
    ck_assert_int_eq(finding.access, MOAT_ACCESS_READ);
    ck_assert_int_eq(finding.seen, MOAT_SEEN_AT_ACCESS);
    ck_assert_ptr_eq(finding.stacks.alloc.frame[0], (void *)0xaaaa);
    ck_assert_str_eq(finding.block.allocated_by.name, "one");
    ck_assert_int_eq(finding.block.allocated_by.pid, 42);
}
END_TEST

START_TEST(a_guard_page_goes_to_the_nearer_of_two_neighbours)
{
    fault_at(other_base() - 1);
    ck_assert_str_eq(finding.arena.name, "second");
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_UNDERFLOW);
    ck_assert_uint_eq(finding.distance.bytes, 1);
    fault_at(region_start + REGION_GRANULE - 1);
    ck_assert_str_eq(finding.arena.name, "second");
    ck_assert_uint_eq(finding.distance.bytes, PAGE + 1);
    fault_at(base() + 0x90 + PAGE);
    ck_assert_str_eq(finding.arena.name, "first");
}
END_TEST

START_TEST(a_destroyed_arena_is_use_after_unmap_wherever_it_is_touched)
{
    arenas[FIRST_ARENA].state = ARENA_DESTROYED;
    arenas[FIRST_ARENA].destroy_site = 3;
    arenas[FIRST_ARENA].destroy_actor = 2;
    static const long offsets[] = { 0, 5, 0x20, -1, PAGE };
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        fault_at(base() + (uintptr_t)offsets[i]);
        ck_assert_int_eq(finding.kind, MOAT_KIND_USE_AFTER_UNMAP);
        ck_assert(finding.arena.is_destroyed);
        ck_assert_uint_eq(finding.arena.destroyed_by.thread, 7);
        ck_assert_ptr_eq(finding.stacks.create.frame[0], (void *)0xaaaa);
        ck_assert_ptr_eq(finding.stacks.destroy.frame[0], (void *)0xbbbb);
    }
}
END_TEST

START_TEST(an_arena_without_block_records_is_still_named)
{
    arenas[FIRST_ARENA].state = ARENA_DESTROYED;
    arenas[FIRST_ARENA].has_blocks = false;
    fault_at(base() + 5);
    ck_assert_int_eq(finding.kind, MOAT_KIND_USE_AFTER_UNMAP);
    ck_assert_uint_eq(finding.block.number, 0);
    ck_assert_str_eq(finding.arena.name, "first");
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_INSIDE);
    ck_assert_uint_eq(finding.distance.bytes, 5);
}
END_TEST

START_TEST(an_arena_without_blocks_is_told_by_its_bounds)
{
    arenas[FIRST_ARENA].block_count = 0;
    arenas[FIRST_ARENA].armed_bytes = 0;
    fault_at(base() + 3);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_INSIDE);
    fault_at(base() - 3);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_UNDERFLOW);
    ck_assert_uint_eq(finding.distance.bytes, 3);
    fault_at(base() + CAPACITY);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_AFTER);
    ck_assert_uint_eq(finding.distance.bytes, 0);
}
END_TEST

START_TEST(a_freed_fenced_block_is_use_after_free)
{
    arenas[FIRST_ARENA].layout = ARENA_FENCED;
    blocks[1].state = BLOCK_REVOKED;
    blocks[1].free_site = 3;
    blocks[1].free_actor = 2;
    fault_at(base() + 0x40);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_USE_AFTER_FREE);
    ck_assert(finding.block.is_freed);
    ck_assert_uint_eq(finding.block.freed_by.thread, 7);
    ck_assert_ptr_eq(finding.stacks.free.frame[0], (void *)0xbbbb);
    fault_at(base() + 0x55);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_USE_AFTER_FREE);
    fault_at(base() + 0x20);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
}
END_TEST

START_TEST(a_place_far_behind_an_arena_goes_to_it)
{
    fault_at(other_base() + (1 << 20));
    ck_assert_str_eq(finding.arena.name, "second");
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_uint_eq(finding.distance.bytes, (1 << 20) - 64);
    fault_at(region_start + region_bytes - 1);
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
    ck_assert_ptr_null(finding.arena.base);
}
END_TEST

START_TEST(a_record_that_is_no_arena_is_not_followed)
{
    arenas[FIRST_ARENA].state = ARENA_UNUSED;
    arenas[SECOND_ARENA].state = ARENA_UNUSED;
    fault_at(base());
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
    granules[0] = 1000;
    fault_at(base());
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
}
END_TEST

START_TEST(addresses_outside_are_null_or_not_ours)
{
    fault_at(0);
    ck_assert_int_eq(finding.kind, MOAT_KIND_NULL_DEREFERENCE);
    fault_at(CLASSIFY_NULL_BYTES - 1);
    ck_assert_int_eq(finding.kind, MOAT_KIND_NULL_DEREFERENCE);
    fault_at(CLASSIFY_NULL_BYTES);
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
    fault_at(region_start - 1);
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
    fault_at(region_start + region_bytes);
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
    fault_at(UINTPTR_MAX);
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
}
END_TEST

START_TEST(an_address_that_is_not_told_is_not_null)
{
    struct classify_fault fault = { .address = 0, .has_address = false };
    classify_fault(&state, &fault, &finding);
    ck_assert_int_eq(finding.kind, MOAT_KIND_SEGV);
    ck_assert(!finding.has_address);
}
END_TEST

START_TEST(the_end_of_a_stack_is_a_stack_overflow_outside_only)
{
    struct classify_fault fault = { .address = 0x7ffc00000000,
                                    .has_address = true,
                                    .is_stack_end = true };
    classify_fault(&state, &fault, &finding);
    ck_assert_int_eq(finding.kind, MOAT_KIND_STACK_OVERFLOW);
    fault.address = base() - 1;
    classify_fault(&state, &fault, &finding);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_UNDERFLOW);
}
END_TEST

START_TEST(the_owner_of_an_address_is_told_without_a_kind)
{
    ck_assert(classify_owner(&state, base() + 4, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_NONE);
    ck_assert_uint_eq(finding.block.number, 1);
    ck_assert_uint_eq(finding.distance.bytes, 4);
    ck_assert(!classify_owner(&state, region_start - 1, &finding));
    ck_assert_uint_eq(finding.block.number, 0);
}
END_TEST

START_TEST(the_pages_of_a_live_block_are_its_own)
{
    state.page_bytes = 16;
    ck_assert(classify_is_of_live_block(&state, base()));
    ck_assert(classify_is_of_live_block(&state, base() + 31));
    ck_assert(!classify_is_of_live_block(&state, base() + 32));
    ck_assert(!classify_is_of_live_block(&state, base() - 1));
    ck_assert(classify_is_of_live_block(&state, base() + 0x40 + 31));
    ck_assert(!classify_is_of_live_block(&state, base() + 0x40 + 32));
    blocks[2].state = BLOCK_REVOKED;
    ck_assert(!classify_is_of_live_block(&state, base() + 0x80));
    arenas[FIRST_ARENA].state = ARENA_DESTROYED;
    ck_assert(!classify_is_of_live_block(&state, base()));
    ck_assert(!classify_is_of_live_block(&state, region_start - 1));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(
        tests, a_place_in_a_living_arena_is_told_by_the_nearest_block, 0,
        sizeof places / sizeof places[0]);
    tcase_add_test(tests, a_guard_page_goes_to_the_nearer_of_two_neighbours);
    tcase_add_test(
        tests, a_destroyed_arena_is_use_after_unmap_wherever_it_is_touched);
    tcase_add_test(tests, an_arena_without_block_records_is_still_named);
    tcase_add_test(tests, an_arena_without_blocks_is_told_by_its_bounds);
    tcase_add_test(tests, a_freed_fenced_block_is_use_after_free);
    tcase_add_test(tests, a_place_far_behind_an_arena_goes_to_it);
    tcase_add_test(tests, a_record_that_is_no_arena_is_not_followed);
    tcase_add_test(tests, addresses_outside_are_null_or_not_ours);
    tcase_add_test(tests, an_address_that_is_not_told_is_not_null);
    tcase_add_test(tests, the_end_of_a_stack_is_a_stack_overflow_outside_only);
    tcase_add_test(tests, the_owner_of_an_address_is_told_without_a_kind);
    tcase_add_test(tests, the_pages_of_a_live_block_are_its_own);
}

int main(void)
{
    return unit_run("diagnose/classify", add);
}
