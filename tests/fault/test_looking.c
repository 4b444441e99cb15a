/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into arenas that change: counts, and what differs between two
 * snapshots. As test_bad_input it runs with halt_on_error=0; the arguments
 * "fenced" and "shared" make the arenas such ones; bad_input.sh runs it on all
 * ways.
 */
#include <moat.h>

#include "tests/support/form.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { UNIT = 16 };

static struct moat_arena *arena;
static char text[16384];
static size_t page;

static struct moat_arena *create(const char *name, size_t capacity,
                                 size_t max_capacity)
{
    struct moat_arena_config config = { .name = name, .capacity = capacity,
                                        .layout = layout, .sharing = sharing,
                                        .max_capacity = max_capacity };
    return moat_arena_create_with(&config);
}

static void set_up(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    arena = create("letters", 64 * 1024, 0);
    ck_assert_ptr_nonnull(arena);
    errno = 0;
}

static char *allocate(size_t size)
{
    char *block = moat_arena_alloc(arena, size);
    ck_assert_ptr_nonnull(block);
    memset(block, 'x', size);
    return block;
}

static struct moat_stats stats(void)
{
    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    return stats;
}

START_TEST(a_hole_is_where_no_live_block_lies)
{
    char *blocks[6];
    for (int i = 0; i < 6; i++) {
        blocks[i] = allocate(20);
    }
    ck_assert_uint_eq(stats().largest_hole, 0);
    moat_arena_free(arena, blocks[1]);
    ck_assert_uint_eq(stats().largest_hole, 32);
    moat_arena_free(arena, blocks[3]);
    ck_assert_uint_eq(stats().largest_hole, 32);
    moat_arena_free(arena, blocks[2]);
    ck_assert_uint_eq(stats().largest_hole, 96);
    /* The last ones, up to what was never used; and the first one. */
    moat_arena_free(arena, blocks[5]);
    ck_assert_uint_eq(stats().largest_hole, 96);
    moat_arena_free(arena, blocks[4]);
    ck_assert_uint_eq(stats().largest_hole, 5 * 32);
    moat_arena_free(arena, blocks[0]);
    ck_assert_uint_eq(stats().largest_hole, 6 * 32);
    ck_assert_uint_eq(stats().used, 6 * 32);
    /* It is not given again. */
    allocate(20);
    ck_assert_uint_eq(stats().used, 7 * 32);
    ck_assert_uint_eq(stats().largest_hole, 6 * 32);
    moat_arena_reset(arena);
    ck_assert_uint_eq(stats().largest_hole, 0);
}
END_TEST

START_TEST(what_alignment_leaves_is_a_hole)
{
    allocate(16);
    ck_assert_ptr_nonnull(moat_arena_aligned_alloc(arena, 256, 16));
    ck_assert_uint_eq(stats().largest_hole, 240);
    ck_assert_uint_eq(stats().slack_bytes, 240);
}
END_TEST

START_TEST(what_a_rewind_takes_back_is_no_hole)
{
    allocate(32);
    struct moat_mark mark = moat_arena_mark(arena);
    char *freed = allocate(3000);
    allocate(64);
    moat_arena_free(arena, freed);
    ck_assert_uint_eq(stats().largest_hole, 3008);
    moat_arena_rewind(arena, mark);
    ck_assert_uint_eq(stats().largest_hole, 0);
    ck_assert_uint_eq(stats().used, 32);
    allocate(64);
    ck_assert_uint_eq(stats().largest_hole, 0);
}
END_TEST

START_TEST(canaries_are_counted)
{
    ck_assert_uint_eq(stats().canary_bytes, 0);
    char *first = allocate(20);
    allocate(32);
    if (layout == MOAT_LAYOUT_PACKED) {
        /* 16 behind each, and 16 in front of the second. */
        ck_assert_uint_eq(stats().canary_bytes, 48);
        moat_arena_free(arena, first);
        ck_assert_uint_eq(stats().canary_bytes, 48);
        ck_assert_uint_eq(stats().accessible_bytes, page);
    } else {
        /* 64 in front of each. What a block's page has is gone with it. */
        ck_assert_uint_eq(stats().canary_bytes, 128);
        ck_assert_uint_eq(stats().accessible_bytes, 2 * page);
        moat_arena_free(arena, first);
        ck_assert_uint_eq(stats().canary_bytes, 64);
        ck_assert_uint_eq(stats().accessible_bytes, page);
    }
    ck_assert_uint_eq(stats().slack_bytes, 12);
    moat_arena_reset(arena);
    ck_assert_uint_eq(stats().canary_bytes, 0);
    ck_assert_uint_eq(stats().accessible_bytes, 0);
}
END_TEST

/* The kernel reads for us, or cannot. */
static size_t readable_bytes(void)
{
    size_t bytes = 0;
    char *limit = moat_arena_limit(arena);
    for (char *at = moat_arena_base(arena); at < limit + page; at += page) {
        char byte;
        struct iovec here = { &byte, 1 };
        struct iovec there = { at, 1 };
        bytes += process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1
                     ? page
                     : 0;
    }
    return bytes;
}

/* By a map of the capacity: where live blocks lie. */
struct capacity {
    char is_live[64 * 1024 / UNIT];
};

static int enter(const struct moat_block *block, void *context)
{
    struct capacity *capacity = context;
    if (block->is_live) {
        memset(capacity->is_live + block->arena_offset / UNIT, 1,
               block->size == 0 ? 1 : (block->size + UNIT - 1) / UNIT);
    }
    return 0;
}

static size_t largest_hole(size_t used)
{
    static struct capacity capacity;
    size_t largest = 0;
    size_t here = 0;
    memset(&capacity, 0, sizeof capacity);
    moat_arena_walk(arena, enter, &capacity);
    for (size_t unit = 0; unit < used / UNIT; unit++) {
        here = capacity.is_live[unit] ? 0 : here + UNIT;
        largest = here > largest ? here : largest;
    }
    return largest;
}

/* In a map a cell of canary is 16 bytes; "*" stands for lines that repeat. */
static size_t canaries_in_map(void)
{
    size_t bytes = 0;
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    moat_arena_dump(arena, out, MOAT_DUMP_MAP);
    fclose(out);
    const char *legend = strstr(text, "  16 bytes each");
    ck_assert_ptr_nonnull(legend);
    for (const char *at = text; at < legend; at++) {
        bytes += *at == '|' ? UNIT : 0;
    }
    return bytes;
}

START_TEST(the_counts_are_what_is_there)
{
    unsigned state = (unsigned)_i;
    struct moat_mark mark = moat_arena_mark(arena);
    char *blocks[600];
    size_t count = 0;
    bool is_rewound = false;
    for (int step = 0; step < 150; step++) {
        state = state * 1103515245U + 12345U;
        unsigned choice = state >> 16;
        size_t size = (size_t)UNIT * (choice / 16 % 20);
        switch (choice % 8) {
        case 0:
            if (count > 0) {
                moat_arena_free(arena, blocks[--count]);
            }
            break;
        case 1:
            blocks[count++] = moat_arena_aligned_alloc(
                arena, (size_t)1 << choice / 32 % 9, size);
            ck_assert_ptr_nonnull(blocks[count - 1]);
            break;
        case 2:
            if (step % 3 == 0) {
                moat_arena_rewind(arena, mark);
                is_rewound = true;
                count = 0;
            }
            break;
        default:
            blocks[count++] = allocate(size);
        }
        struct moat_stats now = stats();
        ck_assert_uint_eq(now.used,
                          now.live_bytes + now.freed_bytes + now.slack_bytes);
        ck_assert_uint_eq(now.largest_hole, largest_hole(now.used));
        ck_assert_uint_eq(now.accessible_bytes, readable_bytes());
        ck_assert_uint_le(now.canary_bytes, now.accessible_bytes);
        if (step % 10 == 0 && !is_rewound && now.slack_bytes == 0) {
            ck_assert_uint_eq(now.canary_bytes, canaries_in_map());
        }
    }
}
END_TEST

static int diff(const struct moat_snapshot *before,
                const struct moat_snapshot *after)
{
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    memset(text, 0, sizeof text);
    int differences = moat_snapshot_diff(before, after, out);
    fclose(out);
    return differences;
}

START_TEST(a_diff_names_the_bytes_that_changed)
{
    char *block = allocate(40);
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    block[3] = 7;
    memcpy(block + 39, "!", 1);
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    ck_assert_int_eq(diff(before, after), 1);
    ck_assert_str_eq(text,
                     "~ block #1, 1 byte at +3 (arena offset 0x3), changed\n"
                     "    before: 78 \"x\"\n"
                     "    after:  07 \".\"\n"
                     "~ block #1, 1 byte at +39 (arena offset 0x27), changed\n"
                     "    before: 78 \"x\"\n"
                     "    after:  21 \"!\"\n");
    ck_assert_int_eq(diff(after, before), 1);
    ck_assert_ptr_nonnull(strstr(text, "    before: 07"));
    moat_snapshot_free(before);
    moat_snapshot_free(after);
}
END_TEST

/* By one call, of one size, and in the end in one place: it is another block
 * all the same. */
START_TEST(a_block_in_the_place_of_one_that_was_taken_back_is_another)
{
    arena = create("small", 4096 + 32, 0);
    allocate(32);
    struct moat_mark mark = moat_arena_mark(arena);
    struct moat_snapshot *before = NULL;
    char *first = NULL;
    int in_place = 0;
    for (int round = 0; round < 400; round++) {
        char *block = allocate(4096);
        in_place += block == first;
        struct moat_snapshot *after = moat_arena_snapshot(arena);
        if (before == NULL) {
            before = after;
            first = block;
        } else {
            ck_assert_int_eq(diff(before, after), 2);
            ck_assert_str_eq(
                text, "- block #2, 4096 bytes at arena offset 0x20, was "
                      "taken back\n"
                      "+ block #2, 4096 bytes at arena offset 0x20, "
                      "appeared\n");
            moat_snapshot_free(after);
        }
        moat_arena_rewind(arena, mark);
    }
    ck_assert_int_gt(in_place, 0);
    moat_snapshot_free(before);
}
END_TEST

START_TEST(blocks_before_the_mark_are_the_same_after_a_rewind)
{
    char *kept = allocate(32);
    struct moat_mark mark = moat_arena_mark(arena);
    allocate(32);
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    moat_arena_rewind(arena, mark);
    kept[0] = '!';
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    ck_assert_int_eq(diff(before, after), 2);
    ck_assert_str_eq(text,
                     "~ block #1, 1 byte at +0 (arena offset 0x0), changed\n"
                     "    before: 78 \"x\"\n"
                     "    after:  21 \"!\"\n"
                     "- block #2, 32 bytes at arena offset 0x20, was taken "
                     "back\n");
    moat_snapshot_free(before);
    moat_snapshot_free(after);
}
END_TEST

START_TEST(a_diff_goes_on_where_an_arena_has_grown)
{
    arena = create("growing", 64, 4096);
    char *first = allocate(64);
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    ck_assert_int_eq(moat_arena_grow(arena, 4096), 0);
    allocate(2000);
    moat_arena_free(arena, first);
    moat_arena_free(arena, allocate(100));
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    ck_assert_int_eq(diff(before, after), 3);
    ck_assert_str_eq(
        text, "- block #1, 64 bytes at arena offset 0x0, was freed\n"
              "+ block #2, 2000 bytes at arena offset 0x40, appeared\n"
              "+ block #3, 100 bytes at arena offset 0x810, appeared and was "
              "freed\n");
    moat_snapshot_free(before);
    moat_snapshot_free(after);
}
END_TEST

START_TEST(lives_of_an_arena_are_not_compared)
{
    allocate(32);
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    moat_arena_reset(arena);
    allocate(32);
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    ck_assert_int_eq(diff(before, after), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_str_eq(text, "");
    moat_snapshot_free(before);
    moat_snapshot_free(after);
}
END_TEST

/* Arenas by one call, in one place, one after another. */
START_TEST(an_arena_in_the_place_of_another_is_not_compared_with_it)
{
    struct moat_snapshot *snapshots[4];
    struct moat_arena_config config = { .capacity = 4096, .layout = layout,
                                        .sharing = sharing };
    for (int i = 0; i < 4; i++) {
        arena = moat_arena_create_with(&config);
        ck_assert_ptr_nonnull(arena);
        config.at = moat_arena_base(arena);
        allocate(32)[0] = (char)i;
        snapshots[i] = moat_arena_snapshot(arena);
        moat_arena_destroy(arena);
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            ck_assert_int_eq(diff(snapshots[i], snapshots[j]),
                             i == j ? 0 : -1);
        }
    }
    for (int i = 0; i < 4; i++) {
        moat_snapshot_free(snapshots[i]);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_hole_is_where_no_live_block_lies);
    tcase_add_test(tests, what_alignment_leaves_is_a_hole);
    tcase_add_test(tests, what_a_rewind_takes_back_is_no_hole);
    tcase_add_test(tests, canaries_are_counted);
    tcase_add_loop_test(tests, the_counts_are_what_is_there, 0, 4);
    tcase_add_test(tests, a_diff_names_the_bytes_that_changed);
    tcase_add_test(tests,
                   a_block_in_the_place_of_one_that_was_taken_back_is_another);
    tcase_add_test(tests, blocks_before_the_mark_are_the_same_after_a_rewind);
    tcase_add_test(tests, a_diff_goes_on_where_an_arena_has_grown);
    tcase_add_test(tests, lives_of_an_arena_are_not_compared);
    tcase_add_test(tests,
                   an_arena_in_the_place_of_another_is_not_compared_with_it);
}

int main(int argument_count, char *arguments[])
{
    return form_run("looking", add, argument_count, arguments);
}
