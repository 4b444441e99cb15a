/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/moat: reading reports, and putting those of several passes together. */
#include "tools/moat/defect.h"

#include "tests/support/unit.h"

#include <string.h>

/* A write behind 21-byte block #N, at access, by PROGRAM+PLACE. */
#define AT_ACCESS(distance, place)                                             \
    "==12==ERROR: moat: heap-buffer-overflow on address 0x7000 at pc 0x55c9, " \
    "seen at access\n"                                                         \
    "WRITE at 0x7000, " distance " bytes after the end of 21-byte block #7 "   \
    "[0x6feb,0x7000)\n"                                                        \
    "    #0 0x55c9 /bin/program+" place "\n"                                   \
    "    #1 0x55f0 /bin/program+0x9999\n"                                      \
    "in thread T0 (pid 12, \"program\")\n"                                     \
    "block #7 was allocated by thread T0 (pid 12, \"program\") here:\n"        \
    "    #0 0x5583 /bin/program+0x1183\n"                                      \
    "SUMMARY: moat: heap-buffer-overflow /bin/program+" place "\n"

/* The same, at free; other addresses, as in another run. */
#define AT_FREE(size, number, bytes, distance)                                 \
    "==34==ERROR: moat: heap-buffer-overflow on address 0x6ff5 at pc 0x66aa, " \
    "seen at free\n"                                                           \
    "WRITE at 0x6ff5, " distance " bytes after the end of " size               \
    "-byte block #" number " [0x6fe0,0x6ff5)\n"                                \
    "    #0 0x66aa /bin/program+0x2222\n"                                      \
    "in thread T0 (pid 34, \"program\")\n"                                     \
    "damage: " bytes " bytes at [0x6ff5,0x6ff6), " distance                    \
    " bytes after the end of the block: 78 \"x\"\n"                            \
    "block #" number " was allocated by thread T0 (pid 34, \"program\") "      \
    "here:\n"                                                                  \
    "    #0 0x6683 /bin/program+0x1183\n"                                      \
    "SUMMARY: moat: heap-buffer-overflow /bin/program+0x2222\n"

#define WILD(address, place)                                                   \
    "==12==ERROR: moat: segv on address " address " at pc 0x55c9, "            \
    "seen at access\n"                                                         \
    "READ at " address ", which no arena holds\n"                              \
    "    #0 0x55c9 " place "\n"                                                \
    "in thread T0 (pid 12, \"program\")\n"                                     \
    "SUMMARY: moat: segv " place "\n"

static struct defects defects;

static void tear_down(void)
{
    defect_forget_all(&defects);
}

static bool is(struct piece piece, const char *text)
{
    return piece.length == strlen(text)
           && memcmp(piece.start, text, piece.length) == 0;
}

START_TEST(a_report_is_read)
{
    static const char text[] = "noise\n" AT_FREE("21", "7", "2", "3") "noise\n";
    struct sighting found;
    const char *behind = sighting_read(text, &found);
    ck_assert_str_eq(behind, "noise\n");
    ck_assert(is(found.kind, "heap-buffer-overflow"));
    ck_assert(is(found.seen, "free"));
    ck_assert(is(found.access, "WRITE"));
    ck_assert(is(found.arena, ""));
    ck_assert(found.has_block);
    ck_assert_uint_eq(found.block_bytes, 21);
    ck_assert_uint_eq(found.block_number, 7);
    ck_assert_int_eq(found.damages, 1);
    ck_assert(found.damage[0].is_after);
    ck_assert_int_eq(found.damage[0].first, 3);
    ck_assert_int_eq(found.damage[0].end, 5);
    ck_assert_int_eq(found.fault.frames, 1);
    ck_assert(is(found.fault.frame[0], "/bin/program+0x2222"));
    ck_assert_int_eq(found.allocation.frames, 1);
    ck_assert(is(found.allocation.frame[0], "/bin/program+0x1183"));
    ck_assert_ptr_null(sighting_read(behind, &found));
}
END_TEST

START_TEST(an_arena_has_a_name)
{
    struct sighting found;
    sighting_read("==1==ERROR: moat: heap-buffer-underflow on address 0x1 at "
                  "pc 0x2, seen at access\033[0m\n"
                  "READ at 0x1, 8 bytes before the start of 32-byte block #3 "
                  "[0x1,0x2) in arena \"some words\" (arena offset -0x8 of "
                  "0x100)\n", &found);
    ck_assert(is(found.seen, "access"));
    ck_assert(is(found.arena, "some words"));
    ck_assert(found.has_distance && !found.distance.is_after);
    ck_assert_int_eq(found.distance.first, -8);
}
END_TEST

START_TEST(what_is_no_report_is_left_alone)
{
    static const char *const texts[] = {
        "", "\n", "==ERROR: moat: segv on\n", "==12==ERROR: asan: segv\n",
        "== 12==ERROR: moat: segv\n", "moat: 12==ERROR: moat: segv",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_uint_eq(defect_add_all(&defects, 0, texts[i]), 0);
    }
    ck_assert_uint_eq(defects.count, 0);
}
END_TEST

/* Each prefix of two reports: none is lost, none is read beyond its end. */
START_TEST(a_report_that_was_cut_off_counts)
{
    static const char whole[] = AT_FREE("21", "7", "1", "0") AT_ACCESS("0",
                                                                       "0x1");
    for (size_t length = 0; length < sizeof whole; length++) {
        char *text = strndup(whole, length);
        size_t reports = defect_add_all(&defects, 0, text);
        ck_assert_uint_le(reports, 2);
        ck_assert(length < 100 || reports > 0);
        defect_forget_all(&defects);
        free(text);
    }
    ck_assert_uint_eq(defect_add_all(&defects, 0, whole), 2);
}
END_TEST

START_TEST(the_same_place_is_the_same_defect)
{
    defect_add_all(&defects, 0, AT_ACCESS("11", "0x1111"));
    defect_add_all(&defects, 1, AT_ACCESS("0", "0x1111"));
    defect_add_all(&defects, 2, AT_ACCESS("3", "0x1111"));
    ck_assert_uint_eq(defects.count, 1);
    /* Where it leaves the block. */
    ck_assert_uint_eq(defects.defect[0].best, 1);
    ck_assert_uint_eq(defect_add_all(&defects, 1, AT_ACCESS("0", "0x1112")),
                      1);
    ck_assert_uint_eq(defects.count, 2);
}
END_TEST

START_TEST(late_and_at_access_are_one_where_bytes_overlap)
{
    size_t seen;
    defect_add_all(&defects, 0, AT_FREE("21", "7", "4", "0"));
    defect_add_all(&defects, 1, AT_ACCESS("3", "0x1111"));
    defect_add_all(&defects, 2, AT_FREE("21", "7", "1", "3"));
    ck_assert_uint_eq(defects.count, 1);
    ck_assert_uint_eq(defects.defect[0].best, 1);
    ck_assert(defect_is_seen_by(&defects.defect[0], 2, &seen));
    ck_assert_uint_eq(seen, 1);
    defect_add_all(&defects, 2, AT_FREE("21", "7", "1", "4"));
    ck_assert_uint_eq(defects.count, 2);
}
END_TEST

START_TEST(another_block_is_another_defect)
{
    defect_add_all(&defects, 0, AT_ACCESS("0", "0x1111"));
    defect_add_all(&defects, 1, AT_FREE("21", "8", "1", "0"));
    defect_add_all(&defects, 1, AT_FREE("22", "7", "1", "0"));
    ck_assert_uint_eq(defects.count, 3);
}
END_TEST

START_TEST(faults_without_a_block_go_by_their_place)
{
    defect_add_all(&defects, 0, WILD("0x123", "/bin/program+0x1"));
    defect_add_all(&defects, 1, WILD("0x456", "/bin/program+0x1"));
    ck_assert_uint_eq(defects.count, 1);
    defect_add_all(&defects, 1, WILD("0x456", "/bin/program+0x2"));
    ck_assert_uint_eq(defects.count, 2);
}
END_TEST

/* A leak of NUMBER blocks, the first being of SIZE bytes, from PLACE. */
#define LEAK(number, size, place)                                              \
    "==12==ERROR: moat: memory-leak on address 0x6fe0, seen at exit\n"         \
    "LEAK of 0x6fe0, 0 bytes inside " size "-byte block #" number              \
    " [0x6fe0,0x7000)\n"                                                       \
    "in thread T0 (pid 12, \"program\")\n"                                     \
    "leaked: 2 blocks with 64 bytes, allocated at one place; no pointer "      \
    "remains\n"                                                                \
    "block #" number " was allocated by thread T0 (pid 12, \"program\") "      \
    "here:\n"                                                                  \
    "    #0 0x5583 /bin/program+" place "\n"                                   \
    "SUMMARY: moat: memory-leak /bin/program+" place "\n"

START_TEST(leaks_go_by_their_place_of_allocation)
{
    defect_add_all(&defects, 0, LEAK("7", "32", "0x1183"));
    defect_add_all(&defects, 1, LEAK("8", "40", "0x1183"));
    ck_assert_uint_eq(defects.count, 1);
    defect_add_all(&defects, 1, LEAK("7", "32", "0x1184"));
    ck_assert_uint_eq(defects.count, 2);
    defect_add_all(&defects, 2, AT_ACCESS("0", "0x1111"));
    ck_assert_uint_eq(defects.count, 3);
}
END_TEST

START_TEST(what_is_printed_has_the_passes_and_the_best_report)
{
    static const char *const names[] = { "first", "second" };
    char *printed = NULL;
    size_t bytes;
    FILE *out = open_memstream(&printed, &bytes);
    defect_add_all(&defects, 0, AT_FREE("21", "7", "1", "0")
                                    AT_FREE("21", "7", "1", "0"));
    defect_add_all(&defects, 1, AT_ACCESS("0", "0x1111"));
    defect_print_all(&defects, names, false, out);
    fclose(out);
    ck_assert_str_eq(printed,
                     "moat: defect 1 of 1, seen by first (at free, 2 times), "
                     "second (at access)\n" AT_ACCESS("0", "0x1111") "\n");
    free(printed);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, a_report_is_read);
    tcase_add_test(tests, an_arena_has_a_name);
    tcase_add_test(tests, what_is_no_report_is_left_alone);
    tcase_add_test(tests, a_report_that_was_cut_off_counts);
    tcase_add_test(tests, the_same_place_is_the_same_defect);
    tcase_add_test(tests, late_and_at_access_are_one_where_bytes_overlap);
    tcase_add_test(tests, another_block_is_another_defect);
    tcase_add_test(tests, faults_without_a_block_go_by_their_place);
    tcase_add_test(tests, leaks_go_by_their_place_of_allocation);
    tcase_add_test(tests, what_is_printed_has_the_passes_and_the_best_report);
}

int main(void)
{
    return unit_run("tools/moat/defect", add_tests);
}
