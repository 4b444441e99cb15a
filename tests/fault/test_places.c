/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where arenas may be put and what is said of addresses; sizes and streams that
 * are odd. As test_bad_input it runs with halt_on_error=0, and a hook keeps the
 * findings; the arguments "fenced" and "shared" make the arenas such ones;
 * bad_input.sh runs it on all ways.
 */
#include <moat.h>

#include "tests/support/form.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct moat_finding last;
static unsigned findings;

static bool keep(const struct moat_finding *finding, void *context)
{
    (void)context;
    last = *finding;
    findings++;
    return false;
}

static struct moat_arena *living;
static size_t page;

static struct moat_arena *create_at(const char *name, void *place,
                                    size_t capacity)
{
    struct moat_arena_config config = { .name = name, .capacity = capacity,
                                        .at = place, .layout = layout,
                                        .sharing = sharing };
    return moat_arena_create_with(&config);
}

static void set_up(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    moat_set_report_hook(keep, NULL);
    /* So that there is room of Moat's in front. */
    struct moat_arena *first = create_at("first", NULL, 64);
    living = create_at("living", NULL, 64 * 1024);
    ck_assert_ptr_nonnull(living);
    moat_arena_destroy(first);
    findings = 0;
    errno = 0;
}

static void must_overlap(char *place, size_t capacity)
{
    findings = 0;
    errno = 0;
    ck_assert_ptr_null(create_at("over", place, capacity));
    ck_assert_int_eq(errno, EEXIST);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_ARENA_OVERLAP);
    ck_assert_int_eq(last.access, MOAT_ACCESS_CREATE);
    ck_assert_str_eq(last.arena.name, "living");
    ck_assert_str_eq(last.requested.name, "over");
    ck_assert_ptr_eq(last.requested.base, place);
}

static void must_be_no_place(void *place)
{
    findings = 0;
    errno = 0;
    ck_assert_ptr_null(create_at("nowhere", place, 64));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(findings, 0);
}

START_TEST(no_part_of_a_living_arena_is_free)
{
    char *base = moat_arena_base(living);
    moat_arena_alloc(living, 100);
    must_overlap(base, 64);
    /* What it has not reached yet is its own all the same. */
    must_overlap(base + page, 64);
    must_overlap(base + 15 * page, 64);
    /* Its front guard page, and from in front into it. */
    must_overlap(base - page, 64);
    must_overlap(base - page, 1024 * 1024);
    ck_assert_ptr_nonnull(moat_arena_alloc(living, 100));
    ck_assert_uint_eq(moat_arena_check(living), 0);
}
END_TEST

START_TEST(places_outside_of_the_region_are_none)
{
    char *own = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(own, MAP_FAILED);
    strcpy(own + page, "as it was");
    must_be_no_place(own + page);
    must_be_no_place((void *)page);
    must_be_no_place((void *)(UINTPTR_MAX - page + 1));
    must_be_no_place((char *)moat_arena_base(living) + 8);
    ck_assert_str_eq(own + page, "as it was");
}
END_TEST

/* Neither while they live nor when they are freed. */
START_TEST(where_copies_lie_is_no_place_for_an_arena)
{
    static const char bytes[1024 * 1024];
    const size_t sizes[] = { 1, sizeof bytes };
    for (size_t i = 0; i < 2; i++) {
        char *copy
            = moat_guarded_copy(bytes, sizes[i], MOAT_PLACEMENT_BEFORE);
        ck_assert_ptr_nonnull(copy);
        must_be_no_place(copy);
        ck_assert_int_eq(memcmp(copy, bytes, sizes[i]), 0);
        moat_guarded_free(copy);
    }
}
END_TEST

START_TEST(where_an_arena_was_is_a_place)
{
    char *base = moat_arena_base(living);
    char *old = moat_arena_alloc(living, 64);
    moat_arena_destroy(living);
    living = create_at("second", base, 4096);
    ck_assert_ptr_nonnull(living);
    ck_assert_ptr_eq(moat_arena_base(living), base);
    char *block = moat_arena_alloc(living, 64);
    memset(block, 'x', 64);
    ck_assert_uint_eq(findings, 0);
    /* The old one is forgotten; the pointer is one into the second. */
    ck_assert(moat_describe(old, &last));
    ck_assert_str_eq(last.arena.name, "second");
}
END_TEST

START_TEST(where_an_arena_was_before_a_reset_is_a_place)
{
    char *base = moat_arena_base(living);
    moat_arena_alloc(living, 64);
    moat_arena_reset(living);
    ck_assert_ptr_ne(moat_arena_base(living), base);
    struct moat_arena *second = create_at("second", base, 4096);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_eq(moat_arena_base(second), base);
    ck_assert_ptr_nonnull(moat_arena_alloc(second, 4096));
    ck_assert_ptr_nonnull(moat_arena_alloc(living, 64 * 1024));
    ck_assert_uint_eq(moat_arena_check(second), 0);
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(stale_addresses_are_described_as_such)
{
    struct moat_finding finding;
    char *block = moat_arena_alloc(living, 100);
    moat_arena_free(living, block);
    ck_assert(moat_describe(block + 3, &finding));
    ck_assert(finding.block.is_freed);
    ck_assert_uint_eq(finding.block.size, 100);
    ck_assert_uint_eq(finding.distance.bytes, 3);
    moat_arena_reset(living);
    ck_assert(moat_describe(block + 3, &finding));
    ck_assert(finding.arena.is_reset);
    char *copy = moat_guarded_copy("text", 4, MOAT_PLACEMENT_AFTER);
    ck_assert(moat_describe(copy + 1, &finding));
    ck_assert(!finding.block.is_freed);
    moat_guarded_free(copy);
    ck_assert(moat_describe(copy + 1, &finding));
    ck_assert(finding.block.is_freed);
    ck_assert_uint_eq(finding.block.size, 4);
    ck_assert_ptr_null(finding.arena.base);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(blocks_of_no_bytes_come_from_each_call)
{
    char *blocks[5] = { moat_arena_alloc(living, 0),
                        moat_arena_calloc(living, 0, 16),
                        moat_arena_calloc(living, 16, 0),
                        moat_arena_aligned_alloc(living, 1, 0),
                        moat_arena_aligned_alloc(living, 4096, 0) };
    for (int i = 0; i < 5; i++) {
        ck_assert_ptr_nonnull(blocks[i]);
        for (int j = 0; j < i; j++) {
            ck_assert_ptr_ne(blocks[i], blocks[j]);
        }
    }
    ck_assert_uint_eq((uintptr_t)blocks[4] % 4096, 0);
    for (int i = 0; i < 5; i++) {
        moat_arena_free(living, blocks[i]);
        ck_assert_uint_eq(findings, 0);
    }
    moat_arena_free(living, blocks[2]);
    ck_assert_int_eq(last.kind, MOAT_KIND_DOUBLE_FREE);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_refused)
{
    static char text[64 * 1024 + 1];
    struct moat_stats stats;
    memset(text, 't', sizeof text - 1);
    ck_assert_ptr_null(moat_arena_strdup(living, text));
    ck_assert_int_eq(errno, ENOMEM);
    moat_arena_stats(living, &stats);
    ck_assert_uint_eq(stats.refused, 1);
    ck_assert_uint_eq(stats.used, 0);
    text[sizeof text - 2] = '\0';
    char *copy = moat_arena_strdup(living, text);
    ck_assert_ptr_nonnull(copy);
    ck_assert_uint_eq(strlen(copy), sizeof text - 2);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

static int go_on(const struct moat_block *block, void *context)
{
    (void)block;
    (void)context;
    return 0;
}

START_TEST(looking_leaves_errno_alone)
{
    struct moat_stats stats;
    struct moat_finding finding;
    char *block = moat_arena_alloc(living, 20);
    moat_arena_free(living, moat_arena_alloc(living, 20));
    struct moat_snapshot *snapshot = moat_arena_snapshot(living);
    errno = EDOM;
    moat_arena_stats(living, &stats);
    ck_assert_int_eq(moat_arena_walk(living, go_on, NULL), 0);
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_ptr_nonnull(moat_arena_base(living));
    ck_assert_ptr_nonnull(moat_arena_limit(living));
    struct moat_mark mark = moat_arena_mark(living);
    ck_assert_int_eq(moat_arena_grow(living, 64 * 1024), 0);
    ck_assert(moat_describe(block, &finding));
    ck_assert_int_eq(moat_snapshot_diff(snapshot, snapshot, NULL), 0);
    moat_snapshot_free(snapshot);
    moat_arena_free(living, block);
    moat_arena_rewind(living, mark);
    moat_arena_reset(living);
    moat_arena_destroy(living);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

/* What it says of that is up to the stream. */
START_TEST(a_stream_that_takes_nothing_is_borne)
{
    FILE *closed = fopen("/dev/null", "r");
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(closed);
    char *block = moat_arena_calloc(living, 1, 1000);
    struct moat_snapshot *before = moat_arena_snapshot(living);
    block[1] = 'x';
    struct moat_snapshot *after = moat_arena_snapshot(living);
    for (int style = MOAT_DUMP_TEXT; style <= MOAT_DUMP_MAP; style++) {
        moat_arena_dump(living, closed, (enum moat_dump)style);
        if (full != NULL) {
            setvbuf(full, NULL, _IONBF, 0);
            moat_arena_dump(living, full, (enum moat_dump)style);
        }
    }
    ck_assert_int_eq(moat_snapshot_diff(before, after, closed), 1);
    ck_assert(ferror(closed));
    moat_snapshot_free(before);
    moat_snapshot_free(after);
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, no_part_of_a_living_arena_is_free);
    tcase_add_test(tests, places_outside_of_the_region_are_none);
    tcase_add_test(tests, where_copies_lie_is_no_place_for_an_arena);
    tcase_add_test(tests, where_an_arena_was_is_a_place);
    tcase_add_test(tests, where_an_arena_was_before_a_reset_is_a_place);
    tcase_add_test(tests, stale_addresses_are_described_as_such);
    tcase_add_test(tests, blocks_of_no_bytes_come_from_each_call);
    tcase_add_test(tests, a_text_that_is_too_long_is_refused);
    tcase_add_test(tests, looking_leaves_errno_alone);
    tcase_add_test(tests, a_stream_that_takes_nothing_is_borne);
}

int main(int argument_count, char *arguments[])
{
    return form_run("places", add, argument_count, arguments);
}
