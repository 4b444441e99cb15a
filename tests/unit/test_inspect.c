/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/arena_inspect, arena_dump and arena_snapshot, through the public
 * functions: what a user sees of an arena.
 */
#include <moat.h>

#include "tests/support/unit.h"

#include <string.h>

static char text[8192];
static struct moat_arena *arena;

static void set_up(void)
{
    struct moat_arena_config config = { .name = "letters", .capacity = 256,
                                        .layout = MOAT_LAYOUT_PACKED };
    arena = moat_arena_create_with(&config);
    ck_assert_ptr_nonnull(arena);
    memset(text, 0, sizeof text);
}

static char *allocate(size_t size, const char *contents)
{
    char *block = moat_arena_calloc(arena, 1, size);
    ck_assert_ptr_nonnull(block);
    strcpy(block, contents);
    return block;
}

static const char *dump(void)
{
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    moat_arena_dump(arena, out, MOAT_DUMP_TEXT);
    fclose(out);
    return text;
}

START_TEST(a_dump_shows_an_arena_as_a_bump_allocator_would_hold_it)
{
    allocate(32, "Hello arena");
    char *freed = allocate(20, "gone");
    allocate(16, "fits");
    moat_arena_free(arena, freed);
    ck_assert_str_eq(
        dump(), "arena \"letters\", 80 of 256 bytes used\n"
                "  0x0000  Hello arena....................................."
                "................\n"
                "  0x0040  fits............\n"
                "  2 live, 1 freed, 176 bytes never used\n");
}
END_TEST

START_TEST(a_dump_of_nothing_is_two_lines)
{
    ck_assert_str_eq(dump(), "arena \"letters\", 0 of 256 bytes used\n"
                             "  0 live, 0 freed, 256 bytes never used\n");
}
END_TEST

START_TEST(gaps_of_alignment_are_in_the_dump)
{
    allocate(16, "first");
    char *block = moat_arena_aligned_alloc(arena, 128, 16);
    memset(block, 'x', 16);
    ck_assert_ptr_nonnull(strstr(dump(), "  0x0040  ....."));
    ck_assert_ptr_nonnull(strstr(text, "\n  0x0080  xxxxxxxxxxxxxxxx\n"));
}
END_TEST

struct walk {
    unsigned count;
    struct moat_block blocks[8];
};

static int note(const struct moat_block *block, void *context)
{
    struct walk *walk = context;
    walk->blocks[walk->count++] = *block;
    return 0;
}

START_TEST(a_walk_meets_every_block_in_order)
{
    struct walk walk = { .count = 0 };
    char *first = allocate(32, "one");
    char *second = allocate(20, "two");
    moat_arena_free(arena, first);
    ck_assert_int_eq(moat_arena_walk(arena, note, &walk), 0);
    ck_assert_uint_eq(walk.count, 2);
    ck_assert_uint_eq(walk.blocks[0].number, 1);
    ck_assert_ptr_eq(walk.blocks[0].start, first);
    ck_assert_uint_eq(walk.blocks[0].size, 32);
    ck_assert(!walk.blocks[0].is_live);
    ck_assert_uint_eq(walk.blocks[1].number, 2);
    ck_assert_ptr_eq(walk.blocks[1].start, second);
    ck_assert_uint_eq(walk.blocks[1].size, 20);
    ck_assert_uint_eq(walk.blocks[1].arena_offset, 32);
    ck_assert(walk.blocks[1].is_live);
}
END_TEST

START_TEST(counts_add_up)
{
    struct moat_stats stats;
    char *freed = allocate(20, "gone");
    allocate(32, "stays");
    moat_arena_free(arena, freed);
    ck_assert_ptr_null(moat_arena_alloc(arena, 1000));
    moat_arena_stats(arena, &stats);
    ck_assert_uint_eq(stats.capacity, 256);
    ck_assert_uint_eq(stats.used, 64);
    ck_assert_uint_eq(stats.live_blocks, 1);
    ck_assert_uint_eq(stats.live_bytes, 32);
    ck_assert_uint_eq(stats.freed_blocks, 1);
    ck_assert_uint_eq(stats.freed_bytes, 20);
    ck_assert_uint_eq(stats.slack_bytes, 12);
    ck_assert_uint_eq(stats.refused, 1);
    ck_assert_uint_gt(stats.accessible_bytes, 0);
    ck_assert_uint_eq(stats.used, stats.live_bytes + stats.freed_bytes
                                      + stats.slack_bytes);
}
END_TEST

static int diff(const struct moat_snapshot *before,
                const struct moat_snapshot *after)
{
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    int differences = moat_snapshot_diff(before, after, out);
    fclose(out);
    return differences;
}

START_TEST(a_diff_says_what_appeared_went_and_changed)
{
    char *changed = allocate(32, "before");
    char *freed = allocate(32, "gone");
    allocate(32, "the same");
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    memcpy(changed + 2, "go", 2);
    changed[31] = '!';
    moat_arena_free(arena, freed);
    allocate(16, "new");
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    ck_assert_int_eq(diff(before, after), 3);
    ck_assert_str_eq(text,
                     "~ block #1 +2 (arena offset 0x2): \"f\" -> \"g\"\n"
                     "~ block #1 +31 (arena offset 0x1f): \".\" -> \"!\"\n"
                     "- block #2, 32 bytes at arena offset 0x20, was freed\n"
                     "+ block #4, 16 bytes at arena offset 0x60, appeared\n");
    ck_assert_int_eq(moat_snapshot_diff(before, after, NULL), 3);
    ck_assert_int_eq(moat_snapshot_diff(after, after, NULL), 0);
    moat_snapshot_free(before);
    moat_snapshot_free(after);
}
END_TEST

START_TEST(a_snapshot_outlives_its_arena)
{
    allocate(32, "text");
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    allocate(32, "more");
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    moat_arena_destroy(arena);
    ck_assert_int_eq(diff(before, after), 1);
    moat_snapshot_free(before);
    moat_snapshot_free(after);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests,
                   a_dump_shows_an_arena_as_a_bump_allocator_would_hold_it);
    tcase_add_test(tests, a_dump_of_nothing_is_two_lines);
    tcase_add_test(tests, gaps_of_alignment_are_in_the_dump);
    tcase_add_test(tests, a_walk_meets_every_block_in_order);
    tcase_add_test(tests, counts_add_up);
    tcase_add_test(tests, a_diff_says_what_appeared_went_and_changed);
    tcase_add_test(tests, a_snapshot_outlives_its_arena);
}

int main(void)
{
    return unit_run("inspect", add);
}
