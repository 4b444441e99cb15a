/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/arena_inspect, arena_dump and arena_snapshot, through the public
 * functions: what a user sees of an arena.
 */
#include <moat.h>

#include "alloc/arena_inspect.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
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
    memcpy(block, contents, size == 0 ? 0 : strlen(contents) + 1);
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
                "  2 live, 1 freed, largest hole 32 bytes, 176 bytes never "
                "used\n");
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
             "  2 live, 1 freed, largest hole 32 bytes, 128 bytes never used"
             "\n",
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
    static const char tail[]
        = ".=\n  16 bytes each: . never used, | canary, - freed, # live, "
          "! damaged;\n  a page: = guard\n"
          "  2 live, 1 freed, largest hole 64 bytes, 144 bytes never used\n"
          "  4096 bytes accessible, of which canaries take 80\n";
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

START_TEST(a_map_shows_slack_where_a_block_ends_in_a_cell)
{
    char *first = allocate(20, "live");
    char *freed = allocate(20, "gone");
    allocate(0, "");
    allocate(1, "");
    moat_arena_free(arena, freed);
    ck_assert_ptr_nonnull(
        strstr(dump_as(MOAT_DUMP_MAP), "\n  =#~||--||~||~|."));
    ck_assert_ptr_nonnull(strstr(
        text, "\n  16 bytes each: . never used, | canary, - freed, # live, "
              "~ live with slack;\n  a page: = guard\n"));
    char canary = first[31];
    first[31] = '!';
    ck_assert_ptr_nonnull(
        strstr(dump_as(MOAT_DUMP_MAP), "\n  =#!||--||~||~|."));
    setlocale(LC_ALL, "C.UTF-8");
    first[31] = canary;
    ck_assert_ptr_nonnull(
        strstr(dump_as(MOAT_DUMP_MAP), "\n  ▦█▌┃┃▒▒┃┃▌┃┃▌┃·"));
}
END_TEST

/* What a stream gets is up to it and to the environment. */
START_TEST(a_map_is_in_colour_on_a_terminal_that_can)
{
    static const struct {
        const char *terminal;
        const char *no_color;
        bool is_colorful;
    } cases[] = { { "xterm", NULL, true },  { "xterm", "", true },
                  { "xterm", "1", false },  { "dumb", NULL, false },
                  { NULL, NULL, false } };
    int control = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(control, 0);
    ck_assert_int_eq(grantpt(control), 0);
    ck_assert_int_eq(unlockpt(control), 0);
    FILE *out = fopen(ptsname(control), "r+");
    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsetenv("TERM");
        unsetenv("NO_COLOR");
        if (cases[i].terminal != NULL) {
            setenv("TERM", cases[i].terminal, 1);
        }
        if (cases[i].no_color != NULL) {
            setenv("NO_COLOR", cases[i].no_color, 1);
        }
        moat_arena_dump(arena, out, MOAT_DUMP_MAP);
        fflush(out);
        size_t filled = 0;
        do {
            ssize_t bytes
                = read(control, text + filled, sizeof text - 1 - filled);
            ck_assert_int_gt(bytes, 0);
            filled += (size_t)bytes;
            text[filled] = '\0';
        } while (strstr(text, "canaries take") == NULL);
        ck_assert_msg((strchr(text, '\033') != NULL) == cases[i].is_colorful,
                      "TERM number %zu: %s", i, text);
    }
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    ck_assert_ptr_null(strchr(dump_as(MOAT_DUMP_MAP), '\033'));
    fclose(out);
    close(control);
}
END_TEST

START_TEST(each_cell_of_a_map_looks_different)
{
    static char unicode[sizeof text];
    static char colorful[sizeof text];
    struct arena_map_look look = { .is_unicode = true };
    char *freed = allocate(20, "gone");
    allocate(20, "live");
    char *damaged = allocate(16, "live");
    moat_arena_free(arena, freed);
    char canary = damaged[16];
    damaged[16] = '!';
    dump_as(MOAT_DUMP_MAP);
    FILE *out = fmemopen(unicode, sizeof unicode - 1, "w");
    arena_dump_map(&moat_state, arena, out, look);
    fclose(out);
    look.is_unicode = false;
    look.is_colorful = true;
    out = fmemopen(colorful, sizeof colorful - 1, "w");
    arena_dump_map(&moat_state, arena, out, look);
    fclose(out);
    damaged[16] = canary;
    static const char ascii[] = "=-#~|!.";
    static const char *const signs[] = { "▦", "▒", "█", "▌", "┃", "✖", "·" };
    static const char *const colors[]
        = { "\033[36m=", "\033[37m-", "\033[32m#", "\033[33m~",
            "\033[34m|", "\033[1;31m!", "\033[90m." };
    for (size_t i = 0; i < sizeof ascii - 1; i++) {
        ck_assert_ptr_nonnull(strchr(text, ascii[i]));
        ck_assert_ptr_nonnull(strstr(unicode, signs[i]));
        ck_assert_ptr_nonnull(strstr(colorful, colors[i]));
    }
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
                   "  -=.................................................."
                   "............\n"));
        ck_assert_ptr_nonnull(strstr(text, "  |#=\n"));
        ck_assert_ptr_nonnull(strstr(
            text, "  4096 bytes accessible, of which canaries take 64\n"));
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
    memset(changed + 12, '-', 20);
    changed[12] = 1;
    moat_arena_free(arena, freed);
    allocate(16, "new");
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    ck_assert_int_eq(diff(before, after), 3);
    ck_assert_str_eq(text,
                     "~ block #1, 1 byte at +2 (arena offset 0x2), changed\n"
                     "    before: 66 \"f\"\n"
                     "    after:  67 \"g\"\n"
                     "~ block #1, 20 bytes at +12 (arena offset 0xc), changed\n"
                     "    before: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
                     "00 00 \"................\" ...\n"
                     "    after:  01 2d 2d 2d 2d 2d 2d 2d 2d 2d 2d 2d 2d 2d "
                     "2d 2d \".---------------\" ...\n"
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
    tcase_add_test(tests, a_map_shows_slack_where_a_block_ends_in_a_cell);
    tcase_add_test(tests, a_map_is_in_colour_on_a_terminal_that_can);
    tcase_add_test(tests, each_cell_of_a_map_looks_different);
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
