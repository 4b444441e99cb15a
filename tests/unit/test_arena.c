/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/arena, arena_damage and arena_pages: allocating, freeing and sweeping,
 * in both layouts, with each way of revoking.
 */
#include "alloc/arena.h"

#include "alloc/arena_inspect.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>

/* Each test runs in all of these. */
static const struct setting {
    const struct revoke_way *way;
    enum arena_layout layout;
} settings[] = {
    { &revoke_mprotect, ARENA_PACKED },
    { &revoke_mprotect, ARENA_FENCED },
    { &revoke_guard, ARENA_PACKED },
    { &revoke_guard, ARENA_FENCED },
    { &revoke_drop, ARENA_FENCED },
    { &revoke_move, ARENA_PACKED },
    { &revoke_move, ARENA_FENCED },
};

static struct moat_state state;
static struct moat_finding finding;
static enum arena_layout layout;

/* Returns whether this kernel has the way. */
static bool set_up(int number)
{
    struct arena_settings chosen = { .way = settings[number].way,
                                     .quarantine = 100,
                                     .alignment = 16 };
    layout = settings[number].layout;
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 32), 0);
    arena_start(&state, &chosen);
    return chosen.way->probe() == 0;
}

static struct moat_arena *create(size_t capacity)
{
    struct arena_request request = { .name = "test",
                                     .capacity = capacity,
                                     .layout = layout,
                                     .site = 1 };
    struct moat_arena *arena = NULL;
    ck_assert_int_eq(arena_create(&request, &arena, &finding), 0);
    return arena;
}

static unsigned char *allocate(struct moat_arena *arena, size_t bytes)
{
    int error;
    return arena_allocate(arena, ARENA_ALIGNMENT_DEFAULT, bytes, 1, &error);
}

static size_t sweep(struct moat_arena *arena)
{
    struct arena_sweep walk = { .gap = 0 };
    struct moat_finding found;
    size_t count = 0;
    while (arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &found)) {
        finding = found;
        count++;
    }
    return count;
}

static bool is_accessible(const void *address)
{
    char byte;
    return pages_peek((uintptr_t)address, 1, &byte);
}

START_TEST(the_capacity_is_what_a_bump_allocator_would_have)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(100);
    ck_assert_uint_eq(arena->capacity, 112);
    ck_assert_ptr_nonnull(allocate(arena, 1));
    ck_assert_ptr_nonnull(allocate(arena, 0));
    ck_assert_ptr_nonnull(allocate(arena, 80));
    int error = 0;
    ck_assert_ptr_null(arena_allocate(arena, 16, 1, 1, &error));
    ck_assert_int_eq(error, ENOMEM);
    struct moat_stats stats;
    arena_stats(arena, &stats);
    ck_assert_uint_eq(stats.used, 112);
    ck_assert_uint_eq(stats.live_blocks, 3);
    ck_assert_uint_eq(stats.live_bytes, 81);
    ck_assert_uint_eq(stats.slack_bytes, 31);
    ck_assert_uint_eq(stats.refused, 1);
}
END_TEST

START_TEST(blocks_can_be_filled_and_do_not_touch)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(1 << 20);
    unsigned char *blocks[400];
    for (size_t i = 0; i < 400; i++) {
        int error;
        blocks[i] = arena_allocate(arena, (size_t)16 << i % 9, i * 5, 1,
                                   &error);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % ((size_t)16 << i % 9), 0);
        memset(blocks[i], (int)i, i * 5);
    }
    ck_assert_uint_eq(sweep(arena), 0);
    for (size_t i = 0; i < 400; i++) {
        for (size_t byte = 0; byte < i * 5; byte++) {
            ck_assert_int_eq(blocks[i][byte], i & 0xff);
        }
        ck_assert(!arena_free(arena, (uintptr_t)blocks[i], 1, &finding));
    }
    ck_assert_uint_eq(sweep(arena), 0);
    ck_assert_int_eq(arena_end(arena, 1), 0);
}
END_TEST

START_TEST(the_guards_are_where_the_arena_ends)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    ck_assert(!is_accessible((void *)arena->base));
    unsigned char *block = allocate(arena, 4096);
    ck_assert_uint_eq((uintptr_t)block, arena->base);
    ck_assert(!is_accessible(block - 1));
    ck_assert(is_accessible(block));
    ck_assert(is_accessible(block + 4095));
    ck_assert(!is_accessible(block + 4096));
    ck_assert_int_eq(arena_end(arena, 1), 0);
    ck_assert(!is_accessible(block));
    ck_assert(!is_accessible(block + 4095));
}
END_TEST

START_TEST(the_block_that_fills_an_arena_ends_at_the_guard)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(256);
    allocate(arena, 20);
    unsigned char *last = allocate(arena, 224);
    ck_assert(is_accessible(last + 223));
    ck_assert(!is_accessible(last + 224));
    ck_assert_uint_eq(sweep(arena), 0);
}
END_TEST

START_TEST(damage_behind_a_block_is_found_to_the_byte)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *block = allocate(arena, 20);
    allocate(arena, 20);
    block[20] = 'x';
    block[23] = 0;
    ck_assert_uint_eq(sweep(arena), 1);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(finding.seen, MOAT_SEEN_AT_CHECK);
    ck_assert_int_eq(finding.access, MOAT_ACCESS_WRITE);
    ck_assert_uint_eq(finding.block.number, 1);
    ck_assert_uint_eq(finding.damage_ranges, 2);
    ck_assert_ptr_eq(finding.damage[0].start, block + 20);
    ck_assert_uint_eq(finding.damage[0].bytes, 1);
    ck_assert_uint_eq(finding.damage[0].distance, 0);
    ck_assert_int_eq(finding.damage[0].found[0], 'x');
    ck_assert_ptr_eq(finding.damage[1].start, block + 23);
    ck_assert_uint_eq(finding.damage[1].distance, 3);
    ck_assert_int_eq(finding.damage[1].found[0], 0);
    /* What was reported is stamped anew. */
    ck_assert_uint_eq(sweep(arena), 0);
}
END_TEST

START_TEST(damage_in_front_of_a_block_is_an_underflow)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    allocate(arena, 32);
    unsigned char *block = allocate(arena, 32);
    allocate(arena, 32);
    block[-1] = 'x';
    ck_assert_uint_eq(sweep(arena), 1);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_UNDERFLOW);
    ck_assert_uint_eq(finding.block.number, 2);
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_BEFORE);
    ck_assert_uint_eq(finding.distance.bytes, 1);
}
END_TEST

START_TEST(both_sides_of_a_gap_are_two_errors)
{
    if (!set_up(_i) || layout == ARENA_FENCED) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *first = allocate(arena, 32);
    unsigned char *second = allocate(arena, 32);
    first[32] = 'x';
    second[-2] = 'y';
    ck_assert_uint_eq(sweep(arena), 2);
}
END_TEST

START_TEST(a_flood_from_the_block_before_is_its_overflow)
{
    if (!set_up(_i) || layout == ARENA_FENCED) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *first = allocate(arena, 32);
    unsigned char *second = allocate(arena, 32);
    memset(first, 'x', (size_t)(second - first) + 5);
    ck_assert(arena_free(arena, (uintptr_t)second, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(finding.seen, MOAT_SEEN_AT_FREE);
    ck_assert_uint_eq(finding.block.number, 1);
    ck_assert_uint_eq(finding.damage_ranges, 1);
    ck_assert_uint_eq(finding.damage[0].bytes,
                      (size_t)(second - first) - 32);
}
END_TEST

/* Through the second and the third block, and behind that. */
START_TEST(a_flood_is_followed_from_block_to_block)
{
    if (!set_up(_i) || layout == ARENA_FENCED) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *blocks[5];
    for (int i = 0; i < 5; i++) {
        blocks[i] = allocate(arena, i == 2 ? 20 : 32);
    }
    memset(blocks[0] + 32, 'x', (size_t)(blocks[2] - blocks[0]) - 32 + 27);
    blocks[3][32 + 1] = 'x';
    static const unsigned long expected[][3] = {
        /* The block, the one reached, the one it may all have come from. */
        { 1, 2, 0 }, { 2, 3, 1 }, { 3, 0, 1 }, { 4, 0, 0 }
    };
    struct arena_sweep walk = { .gap = 0 };
    for (int i = 0; i < 4; i++) {
        ck_assert(
            arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
        ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
        ck_assert_uint_eq(finding.block.number, expected[i][0]);
        ck_assert_uint_eq(finding.reached.number, expected[i][1]);
        ck_assert_uint_eq(finding.reached_from, expected[i][2]);
        ck_assert_uint_eq(finding.damage_ranges, 1);
        if (i == 1) {
            ck_assert_ptr_eq(finding.reached.start, blocks[2]);
            ck_assert_uint_eq(finding.reached.size, 20);
            ck_assert_uint_eq(finding.damage[0].bytes, 32);
        }
    }
    ck_assert(
        !arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));

    /* A gap that is filled, and damage behind the block, but not from its end
     * on. */
    memset(blocks[0] + 32, 'x', 32);
    blocks[1][32 + 1] = 'x';
    ck_assert(
        arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
    ck_assert_uint_eq(finding.reached.number, 2);
    ck_assert(
        arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
    ck_assert_uint_eq(finding.block.number, 2);
    ck_assert_uint_eq(finding.reached_from, 0);
    ck_assert(
        !arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
}
END_TEST

START_TEST(a_flood_through_a_block_is_known_when_that_is_freed)
{
    if (!set_up(_i) || layout == ARENA_FENCED) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *first = allocate(arena, 32);
    unsigned char *second = allocate(arena, 32);
    unsigned char *third = allocate(arena, 32);
    memset(first + 32, 'x', (size_t)(second - first) + 3);
    ck_assert(arena_free(arena, (uintptr_t)second, 1, &finding));
    ck_assert_uint_eq(finding.block.number, 2);
    ck_assert_uint_eq(finding.damage[0].bytes, 3);
    ck_assert_uint_eq(finding.reached.number, 0);
    ck_assert_uint_eq(finding.reached_from, 1);
    third[32] = 'x';
    ck_assert(arena_free(arena, (uintptr_t)third, 1, &finding));
    ck_assert_uint_eq(finding.block.number, 3);
    ck_assert_uint_eq(finding.reached_from, 0);
}
END_TEST

START_TEST(more_damage_than_a_finding_holds_is_found_in_turns)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *block = allocate(arena, 32);
    int error;
    /* 4000 bytes of slack. */
    unsigned char *wide = arena_allocate(arena, 1024, 1, 1, &error);
    allocate(arena, 32);
    (void)block;
    for (int i = 0; i < 10; i++) {
        wide[-40 + 2 * i] = 'x';
    }
    struct arena_sweep walk = { .gap = 0 };
    ck_assert(
        arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
    ck_assert_uint_eq(finding.damage_ranges, MOAT_DAMAGE_MAX);
    ck_assert(finding.has_more_damage);
    ck_assert(
        arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
    ck_assert_uint_eq(finding.damage_ranges, 10 - MOAT_DAMAGE_MAX);
    ck_assert(!finding.has_more_damage);
    ck_assert(
        !arena_next_damage(arena, &walk, MOAT_SEEN_AT_CHECK, &finding));
    ck_assert_uint_eq(sweep(arena), 0);
}
END_TEST

START_TEST(a_freed_block_is_out_of_reach_or_watched)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *block = allocate(arena, 32);
    ck_assert(!arena_free(arena, (uintptr_t)block, 1, &finding));
    if (layout == ARENA_FENCED) {
        ck_assert(!is_accessible(block));
        ck_assert_uint_eq(sweep(arena), 0);
        return;
    }
    block[31] = 'x';
    ck_assert_uint_eq(sweep(arena), 1);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_USE_AFTER_FREE);
    ck_assert_uint_eq(finding.distance.bytes, 31);
    ck_assert(finding.block.is_freed);
}
END_TEST

START_TEST(bad_frees_are_told_apart_and_free_nothing)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    struct moat_arena *other = create(4096);
    unsigned char *block = allocate(arena, 32);
    unsigned char *foreign = allocate(other, 32);
    int local = 0;
    ck_assert(arena_free(arena, (uintptr_t)block + 1, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert_uint_eq(finding.distance.bytes, 1);
    ck_assert(!finding.requested.is_known);
    ck_assert(arena_free(arena, (uintptr_t)foreign, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert_ptr_eq(finding.arena.base, (void *)other->base);
    ck_assert_ptr_eq(finding.requested.base, (void *)arena->base);
    ck_assert(arena_free(arena, (uintptr_t)&local, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert_ptr_null(finding.arena.base);
    ck_assert(arena_free(NULL, (uintptr_t)block, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert_uint_eq(arena->live_blocks, 1);
    ck_assert(!arena_free(arena, (uintptr_t)block, 1, &finding));
    ck_assert(arena_free(arena, (uintptr_t)block, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_DOUBLE_FREE);
    ck_assert(arena_free(arena, (uintptr_t)block + 4, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert_int_eq(arena_end(other, 1), 0);
    ck_assert(arena_free(arena, (uintptr_t)foreign, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_BAD_FREE);
    ck_assert(finding.arena.is_destroyed);
}
END_TEST

START_TEST(an_arena_over_another_is_refused_and_both_are_named)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    struct moat_arena *over = NULL;
    struct arena_request request = { .name = "over", .capacity = 64,
                                     .at = arena->base, .layout = layout };
    ck_assert_int_eq(arena_create(&request, &over, &finding), EEXIST);
    ck_assert_ptr_null(over);
    ck_assert_int_eq(finding.kind, MOAT_KIND_ARENA_OVERLAP);
    ck_assert_str_eq(finding.arena.name, "test");
    ck_assert_str_eq(finding.requested.name, "over");
    request.at += 8;
    ck_assert_int_eq(arena_create(&request, &over, &finding), EINVAL);
    request.at = 4096;
    ck_assert_int_eq(arena_create(&request, &over, &finding), EINVAL);
    request.at = arena->base;
    ck_assert_int_eq(arena_end(arena, 1), 0);
    ck_assert_int_eq(arena_create(&request, &over, &finding), 0);
    ck_assert_uint_eq(over->base, request.at);
    unsigned char *block = allocate(over, 64);
    memset(block, 1, 64);
    ck_assert(!is_accessible(block + 64));
}
END_TEST

START_TEST(an_extent_that_is_used_again_starts_guarded)
{
    if (!set_up(_i)) {
        return;
    }
    uintptr_t first = 0;
    int met_again = 0;
    for (int i = 0; i < 300; i++) {
        struct moat_arena *arena = create(2000);
        if (i == 0) {
            first = arena->base;
        }
        met_again += i > 0 && arena->base == first;
        ck_assert(!is_accessible((void *)arena->base));
        unsigned char *block = allocate(arena, 1000);
        for (size_t byte = 0; byte < 1000; byte++) {
            ck_assert_int_eq(block[byte], 0);
        }
        memset(block, 'x', 1000);
        ck_assert_int_eq(arena_end(arena, 1), 0);
    }
    ck_assert_int_ge(met_again, 1);
}
END_TEST

enum { MANY = 2000, PATTERN = 251 };

/* A sequence that is the same in every run. */
static size_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*seed >> 33);
}

static struct {
    unsigned char *start;
    size_t bytes;
    bool is_freed;
} many[MANY];

static void fill(size_t i)
{
    for (size_t byte = 0; byte < many[i].bytes; byte++) {
        many[i].start[byte] = (unsigned char)((i + byte) % PATTERN);
    }
}

static void check_whole(size_t i)
{
    for (size_t byte = 0; byte < many[i].bytes; byte++) {
        ck_assert_msg(many[i].start[byte] == (i + byte) % PATTERN,
                      "byte %zu of block %zu", byte, i + 1);
    }
}

/* Returns false when the arena is full. */
static bool allocate_any(struct moat_arena *arena, size_t i, uint64_t *seed)
{
    size_t least = layout == ARENA_FENCED ? 1 : 16;
    size_t alignment = least << next_random(seed) % 9;
    size_t bytes = next_random(seed) % (i % 7 == 0 ? 3000 : 200);
    int error = 0;
    many[i].start = arena_allocate(arena, alignment, bytes, 1, &error);
    many[i].bytes = bytes;
    if (many[i].start == NULL) {
        ck_assert_int_eq(error, ENOMEM);
        return false;
    }
    uintptr_t start = (uintptr_t)many[i].start;
    ck_assert_uint_eq(start % alignment, 0);
    ck_assert_uint_ge(start, arena->base);
    ck_assert_uint_le(start + bytes, arena->base + arena->reach_bytes);
    if (i > 0) {
        ck_assert_uint_ge(start, (uintptr_t)many[i - 1].start
                                     + many[i - 1].bytes + 32);
    }
    fill(i);
    return true;
}

START_TEST(any_mix_of_blocks_stays_whole_and_apart)
{
    if (!set_up(_i)) {
        return;
    }
    uint64_t seed = 20260101;
    size_t count = 0;
    struct moat_arena *arena = create(1 << 20);
    while (count < MANY && allocate_any(arena, count, &seed)) {
        count++;
        size_t i = next_random(&seed) % (2 * count);
        if (i < count) {
            uintptr_t start = (uintptr_t)many[i].start;
            ck_assert(arena_free(arena, start, 1, &finding)
                      == many[i].is_freed);
            many[i].is_freed = true;
        }
    }
    ck_assert_uint_gt(count, 1000);
    ck_assert_uint_eq(sweep(arena), 0);
    for (size_t i = 0; i < count; i++) {
        if (!many[i].is_freed) {
            check_whole(i);
        }
    }
    /* Their records lie beside them, not beside the next arena. */
    ck_assert_uint_le(arena->block_count * sizeof(struct block_record),
                      arena->extent_bytes);
    ck_assert_int_eq(arena_end(arena, 1), 0);
}
END_TEST

START_TEST(damage_on_both_sides_of_a_block_is_not_lost)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    allocate(arena, 32);
    unsigned char *block = allocate(arena, 20);
    allocate(arena, 32);
    block[-1] = 'x';
    block[20] = 'y';
    ck_assert_uint_eq(sweep(arena), 2);
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_uint_eq(finding.block.number, 2);
    block[-1] = 'x';
    block[20] = 'y';
    ck_assert(arena_free(arena, (uintptr_t)block, 1, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(finding.seen, MOAT_SEEN_AT_FREE);
    ck_assert_uint_eq(finding.damage_ranges, 1);
    /* In the packed layout the other side is still there to look at. */
    ck_assert_uint_eq(sweep(arena), layout == ARENA_PACKED);
}
END_TEST

START_TEST(damage_at_exit_is_the_same_as_at_a_check)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    unsigned char *block = allocate(arena, 20);
    struct arena_sweep walk = { .gap = 0 };
    ck_assert(!arena_next_damage(arena, &walk, MOAT_SEEN_AT_EXIT, &finding));
    block[20] = 'x';
    ck_assert(arena_next_damage(arena, &walk, MOAT_SEEN_AT_EXIT, &finding));
    ck_assert_int_eq(finding.seen, MOAT_SEEN_AT_EXIT);
    ck_assert_uint_eq(finding.block.number, 1);
    ck_assert_uint_eq(finding.damage[0].distance, 0);
    ck_assert_uint_eq(finding.damage[0].bytes, 1);
    ck_assert(!arena_next_damage(arena, &walk, MOAT_SEEN_AT_EXIT, &finding));
}
END_TEST

START_TEST(ending_twice_is_told)
{
    if (!set_up(_i)) {
        return;
    }
    struct moat_arena *arena = create(4096);
    ck_assert_int_eq(arena_end(arena, 1), 0);
    ck_assert_int_eq(arena_end(arena, 1), EALREADY);
}
END_TEST

START_TEST(sizes_that_cannot_be_are_refused)
{
    if (!set_up(_i)) {
        return;
    }
    static const size_t capacities[]
        = { SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 60, (size_t)1 << 40 };
    for (size_t i = 0; i < 4; i++) {
        struct arena_request request = { .capacity = capacities[i],
                                         .layout = layout };
        struct moat_arena *arena = NULL;
        ck_assert_int_eq(arena_create(&request, &arena, &finding), ENOMEM);
    }
    struct moat_arena *arena = create(4096);
    ck_assert_ptr_null(allocate(arena, SIZE_MAX));
    ck_assert_ptr_null(allocate(arena, SIZE_MAX - 15));
    ck_assert_ptr_null(allocate(arena, 4097));
    ck_assert_ptr_nonnull(allocate(arena, 4096));
}
END_TEST

static void add(TCase *tests)
{
    int count = (int)(sizeof settings / sizeof settings[0]);
    const TTest *const all[] = {
        the_capacity_is_what_a_bump_allocator_would_have,
        blocks_can_be_filled_and_do_not_touch,
        the_guards_are_where_the_arena_ends,
        the_block_that_fills_an_arena_ends_at_the_guard,
        damage_behind_a_block_is_found_to_the_byte,
        damage_in_front_of_a_block_is_an_underflow,
        both_sides_of_a_gap_are_two_errors,
        a_flood_from_the_block_before_is_its_overflow,
        a_flood_is_followed_from_block_to_block,
        a_flood_through_a_block_is_known_when_that_is_freed,
        more_damage_than_a_finding_holds_is_found_in_turns,
        a_freed_block_is_out_of_reach_or_watched,
        bad_frees_are_told_apart_and_free_nothing,
        an_arena_over_another_is_refused_and_both_are_named,
        an_extent_that_is_used_again_starts_guarded,
        any_mix_of_blocks_stays_whole_and_apart,
        damage_on_both_sides_of_a_block_is_not_lost,
        damage_at_exit_is_the_same_as_at_a_check,
        ending_twice_is_told,
        sizes_that_cannot_be_are_refused,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        tcase_add_loop_test(tests, all[i], 0, count);
    }
}

int main(void)
{
    return unit_run("alloc/arena", add);
}
