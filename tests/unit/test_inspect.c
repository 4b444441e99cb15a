/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/arena_inspect, arena_dump and arena_snapshot, through the public
 * functions: what a user sees of an arena.
 */
#include <moat.h>

#include "alloc/arena_inspect.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

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

static const char *dump_as(enum moat_dump style)
{
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    moat_arena_dump(arena, out, style);
    fclose(out);
    return text;
}

static const char *dump(void)
{
    return dump_as(MOAT_DUMP_TEXT);
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

START_TEST(a_dump_in_hex_has_the_bounds_of_blocks)
{
    char *first = allocate(5, "Hell");
    char *freed = allocate(32, "gone");
    char *last = allocate(80, "and a long one");
    char expected[1024];
    moat_arena_free(arena, freed);
    snprintf(expected, sizeof expected,
             "arena \"letters\", 128 of 256 bytes used\n"
             "  block #1, 5 bytes [%p,%p), live\n"
             "  0x0000  48 65 6c 6c 00                                    "
             "|Hell.|\n"
             "  block #2, 32 bytes [%p,%p), freed\n"
             "  block #3, 80 bytes [%p,%p), live\n"
             "  0x0030  61 6e 64 20 61 20 6c 6f  6e 67 20 6f 6e 65 00 00  "
             "|and a long one..|\n"
             "  0x0040  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  "
             "|................|\n"
             "  *\n"
             "  0x0070  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  "
             "|................|\n"
             "  2 live, 1 freed, 128 bytes never used\n",
             (void *)first, (void *)(first + 5), (void *)freed,
             (void *)(freed + 32), (void *)last, (void *)(last + 80));
    ck_assert_str_eq(dump_as(MOAT_DUMP_HEX), expected);
}
END_TEST

START_TEST(a_map_shows_what_lies_where)
{
    char *damaged = allocate(32, "live");
    char *freed = allocate(64, "gone");
    allocate(16, "live");
    moat_arena_free(arena, freed);
    char canary = damaged[33];
    char canary_in_freed = freed[20];
    damaged[33] = '!';
    dump_as(MOAT_DUMP_MAP);
    static const char head[] = "arena \"letters\", 112 of 256 bytes used\n"
                               "  =##!|----||#|.........";
    static const char tail[] = ".=\n  . never used, | canary, - freed, "
                               "# live, ! damaged, = guard page; 16 bytes "
                               "each\n"
                               "  2 live, 1 freed, 144 bytes never used\n";
    ck_assert_int_eq(strncmp(text, head, strlen(head)), 0);
    ck_assert_str_eq(text + strlen(text) - strlen(tail), tail);
    freed[20] = '!';
    ck_assert_ptr_nonnull(strstr(dump_as(MOAT_DUMP_MAP), "=##!|-!--||#|."));
    setlocale(LC_ALL, "C.UTF-8");
    ck_assert_ptr_nonnull(strstr(dump_as(MOAT_DUMP_MAP),
                                 "▦██✖┃▒✖▒▒┃┃█┃·"));
    damaged[33] = canary;
    freed[20] = canary_in_freed;
}
END_TEST

START_TEST(a_map_in_colour_ends_each_colour)
{
    struct arena_map_look look = { .is_colorful = true };
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    allocate(32, "live");
    arena_dump_map(&moat_state, arena, out, look);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "  \033[36m=\033[0m\033[32m##"
                                       "\033[0m\033[34m|\033[0m"
                                       "\033[90m."));
}
END_TEST

START_TEST(a_map_of_fenced_blocks_shows_their_guards)
{
    struct moat_arena_config config = { .name = "fenced", .capacity = 8192,
                                        .layout = MOAT_LAYOUT_FENCED };
    arena = moat_arena_create_with(&config);
    moat_arena_free(arena, allocate(16, "gone"));
    allocate(16, "live");
    if (sysconf(_SC_PAGESIZE) == 4096) {
        /* 252 cells in front of the canary, which has 48 bytes. */
        ck_assert_ptr_nonnull(
            strstr(dump_as(MOAT_DUMP_MAP),
                   "  =---------------------------------------------------"
                   "------------\n"
                   "  ----------------------------------------------------"
                   "------------\n"
                   "  *\n"
                   "  -=~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"
                   "~~~~~~~~~~~~\n"));
        ck_assert_ptr_nonnull(strstr(text, "  |#=\n"));
    }
}
END_TEST

START_TEST(a_map_shows_what_was_taken_back)
{
    struct moat_arena_config config = { .name = "rewound",
                                        .capacity = 65536,
                                        .layout = _i == 0
                                                      ? MOAT_LAYOUT_PACKED
                                                      : MOAT_LAYOUT_FENCED };
    arena = moat_arena_create_with(&config);
    allocate(32, "kept");
    struct moat_mark mark = moat_arena_mark(arena);
    allocate(20000, "taken back");
    moat_arena_rewind(arena, mark);
    allocate(64, "new");
    dump_as(MOAT_DUMP_MAP);
    ck_assert_ptr_nonnull(strchr(text, '-'));
    ck_assert_ptr_nonnull(strchr(text, '#'));
    ck_assert_ptr_null(strchr(text, '!'));
}
END_TEST

START_TEST(an_unknown_style_is_an_error)
{
    errno = 0;
    ck_assert_str_eq(dump_as((enum moat_dump)3), "");
    ck_assert_int_eq(errno, EINVAL);
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
    tcase_add_test(tests, a_dump_in_hex_has_the_bounds_of_blocks);
    tcase_add_test(tests, a_map_shows_what_lies_where);
    tcase_add_test(tests, a_map_in_colour_ends_each_colour);
    tcase_add_test(tests, a_map_of_fenced_blocks_shows_their_guards);
    tcase_add_loop_test(tests, a_map_shows_what_was_taken_back, 0, 2);
    tcase_add_test(tests, an_unknown_style_is_an_error);
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
