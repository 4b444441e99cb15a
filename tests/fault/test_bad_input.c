/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every public function with every bad argument: the behaviour that its header
 * documents. Runs with halt_on_error=0; a hook keeps the findings. The
 * arguments "fenced" and "shared" make the arenas such ones; bad_input.sh runs
 * it on all ways.
 */
#include <moat.h>

#include "tests/support/form.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
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

/* Where the compiler does not see that it is too far. */
__attribute__((noinline)) static void write_to(volatile char *place)
{
    *place = '!';
}

/* Pointers that are no arena, each in its own way. */
static struct moat_arena *wrong[6];
static struct moat_arena *living;
static struct moat_arena *destroyed;
static char *stale;
static char local[64];

static struct moat_arena *create(const char *name, size_t capacity)
{
    struct moat_arena_config config = { .name = name, .capacity = capacity,
                                        .layout = layout, .sharing = sharing };
    return moat_arena_create_with(&config);
}

static void set_up(void)
{
    moat_set_report_hook(keep, NULL);
    living = create("living", 4096);
    destroyed = create("destroyed", 4096);
    ck_assert_ptr_nonnull(living);
    ck_assert_ptr_nonnull(destroyed);
    stale = moat_arena_alloc(destroyed, 32);
    moat_arena_destroy(destroyed);
    wrong[0] = NULL;
    wrong[1] = (struct moat_arena *)(void *)local;
    wrong[2] = (struct moat_arena *)8;
    wrong[3] = (struct moat_arena *)UINTPTR_MAX;
    wrong[4] = (struct moat_arena *)((char *)living + 8);
    wrong[5] = moat_arena_base(living);
    findings = 0;
    errno = 0;
}

START_TEST(creating_without_capacity_is_refused)
{
    ck_assert_ptr_null(moat_arena_create("none", 0));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(moat_arena_create_with(NULL));
    ck_assert_int_eq(errno, EINVAL);
    struct moat_arena_config config = { .name = "none" };
    ck_assert_ptr_null(moat_arena_create_with(&config));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(creating_with_an_unknown_layout_is_refused)
{
    struct moat_arena_config config = { .capacity = 64,
                                        .layout = (enum moat_layout)2 };
    ck_assert_ptr_null(moat_arena_create_with(&config));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(creating_with_an_unknown_sharing_is_refused)
{
    struct moat_arena_config config = { .capacity = 64,
                                        .layout = layout,
                                        .sharing = (enum moat_sharing)2 };
    ck_assert_ptr_null(moat_arena_create_with(&config));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(creating_beyond_the_region_is_refused)
{
    static const size_t capacities[]
        = { SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, (size_t)1 << 50 };
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        errno = 0;
        ck_assert_ptr_null(create("none", capacities[i]));
        ck_assert_int_eq(errno, ENOMEM);
    }
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(an_arena_without_a_name_is_unnamed)
{
    struct moat_arena *arena = create(NULL, 64);
    char *block = moat_arena_alloc(arena, 16);
    moat_arena_free(arena, block + 1);
    ck_assert_str_eq(last.arena.name, "unnamed");
}
END_TEST

START_TEST(a_long_name_is_cut)
{
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct moat_arena *arena = create(name, 64);
    moat_arena_free(arena, (char *)moat_arena_alloc(arena, 16) + 1);
    ck_assert_uint_eq(strlen(last.arena.name), 63);
}
END_TEST

START_TEST(a_place_that_is_no_place_is_refused)
{
    char *base = moat_arena_base(living);
    char *const places[] = { base + 1, base + 2048, local, (char *)4096,
                             (char *)(UINTPTR_MAX - 4095) };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct moat_arena_config config = { .capacity = 64,
                                            .at = places[i],
                                            .layout = layout };
        errno = 0;
        ck_assert_ptr_null(moat_arena_create_with(&config));
        ck_assert_int_eq(errno, EINVAL);
    }
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(a_place_that_is_taken_is_refused_and_reported)
{
    struct moat_arena_config config = { .name = "over", .capacity = 64,
                                        .at = moat_arena_base(living),
                                        .layout = layout };
    ck_assert_ptr_null(moat_arena_create_with(&config));
    ck_assert_int_eq(errno, EEXIST);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_ARENA_OVERLAP);
    ck_assert_str_eq(last.arena.name, "living");
    ck_assert_str_eq(last.requested.name, "over");
    ck_assert_int_eq(last.seen, MOAT_SEEN_AT_ACCESS);
}
END_TEST

START_TEST(allocating_from_no_arena_is_refused)
{
    for (size_t i = 0; i < 6; i++) {
        errno = 0;
        ck_assert_ptr_null(moat_arena_alloc(wrong[i], 16));
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_ptr_null(moat_arena_calloc(wrong[i], 1, 16));
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_ptr_null(moat_arena_aligned_alloc(wrong[i], 64, 16));
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_ptr_null(moat_arena_strdup(wrong[i], "text"));
        ck_assert_int_eq(errno, EINVAL);
    }
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(allocating_from_a_destroyed_arena_is_refused_and_reported)
{
    ck_assert_ptr_null(moat_arena_alloc(destroyed, 16));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_ptr_null(moat_arena_calloc(destroyed, 1, 16));
    ck_assert_ptr_null(moat_arena_aligned_alloc(destroyed, 64, 16));
    ck_assert_ptr_null(moat_arena_strdup(destroyed, "text"));
    ck_assert_uint_eq(findings, 4);
    ck_assert_int_eq(last.kind, MOAT_KIND_USE_AFTER_UNMAP);
    ck_assert_int_eq(last.access, MOAT_ACCESS_ALLOC);
    ck_assert_str_eq(last.arena.name, "destroyed");
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
    static const size_t sizes[]
        = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX / 2, 4097 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = 0;
        ck_assert_ptr_null(moat_arena_alloc(living, sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
        errno = 0;
        ck_assert_ptr_null(moat_arena_aligned_alloc(living, 4096, sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
        errno = 0;
        ck_assert_ptr_null(moat_arena_calloc(living, sizes[i], 1));
        ck_assert_int_eq(errno, ENOMEM);
    }
    errno = 0;
    /* The compiler must not see the overflow, or it would warn of it. */
    volatile size_t half = SIZE_MAX / 2 + 1;
    volatile size_t root = (size_t)1 << 32;
    ck_assert_ptr_null(moat_arena_calloc(living, half, 2));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(moat_arena_calloc(living, root, root));
    struct moat_stats stats;
    moat_arena_stats(living, &stats);
    ck_assert_uint_eq(stats.used, 0);
    ck_assert_uint_eq(stats.refused, 17);
    ck_assert_ptr_nonnull(moat_arena_alloc(living, 4096));
}
END_TEST

START_TEST(a_full_arena_refuses_and_keeps_what_it_has)
{
    char *block = moat_arena_alloc(living, 4000);
    memset(block, 'x', 4000);
    ck_assert_ptr_null(moat_arena_alloc(living, 100));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_nonnull(moat_arena_alloc(living, 96));
    ck_assert_ptr_null(moat_arena_alloc(living, 0));
    ck_assert_ptr_null(moat_arena_strdup(living, ""));
    ck_assert_int_eq(block[3999], 'x');
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(blocks_of_no_bytes_are_blocks)
{
    void *first = moat_arena_alloc(living, 0);
    void *second = moat_arena_calloc(living, 0, 8);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(second);
    ck_assert_ptr_ne(first, second);
    moat_arena_free(living, first);
    moat_arena_free(living, second);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(alignments_that_are_none_are_refused)
{
    static const size_t alignments[] = { 0, 3, 24, 8192, SIZE_MAX };
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
        errno = 0;
        ck_assert_ptr_null(
            moat_arena_aligned_alloc(living, alignments[i], 16));
        ck_assert_int_eq(errno, EINVAL);
    }
    for (size_t alignment = 1; alignment <= MOAT_ALIGNMENT_MAX;
         alignment *= 2) {
        struct moat_arena *arena = create("aligned", 8192);
        moat_arena_alloc(arena, 1);
        char *block = moat_arena_aligned_alloc(arena, alignment, 10);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % alignment, 0);
        ck_assert(layout == MOAT_LAYOUT_FENCED || (uintptr_t)block % 16 == 0);
        moat_arena_destroy(arena);
    }
}
END_TEST

START_TEST(copying_no_text_is_refused)
{
    ck_assert_ptr_null(moat_arena_strdup(living, NULL));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_str_eq(moat_arena_strdup(living, "text"), "text");
}
END_TEST

START_TEST(calloc_gives_zeroes_where_something_was)
{
    char *block = moat_arena_alloc(living, 100);
    memset(block, 'x', 100);
    moat_arena_free(living, block);
    char *zeroes = moat_arena_calloc(living, 10, 10);
    for (size_t i = 0; i < 100; i++) {
        ck_assert_int_eq(zeroes[i], 0);
    }
}
END_TEST

START_TEST(freeing_nothing_is_nothing)
{
    for (size_t i = 0; i < 6; i++) {
        moat_arena_free(wrong[i], NULL);
    }
    moat_arena_free(destroyed, NULL);
    moat_arena_destroy(NULL);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(freeing_what_is_no_block_is_reported)
{
    char *block = moat_arena_alloc(living, 32);
    void *const bad[] = { block + 1, block + 16, block - 16, block + 32,
                          local, (void *)8, (void *)UINTPTR_MAX, stale,
                          living, moat_arena_limit(living) };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        findings = 0;
        errno = EDOM;
        moat_arena_free(living, bad[i]);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(last.seen, MOAT_SEEN_AT_FREE);
        ck_assert_ptr_eq(last.address, bad[i]);
        ck_assert_int_eq(errno, EDOM);
    }
    findings = 0;
    moat_arena_free(living, block);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(freeing_into_no_arena_is_reported)
{
    char *block = moat_arena_alloc(living, 32);
    for (size_t i = 0; i < 6; i++) {
        findings = 0;
        moat_arena_free(wrong[i], block);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert(last.requested.is_known);
        ck_assert(!last.requested.is_arena);
        ck_assert_str_eq(last.arena.name, "living");
    }
    moat_arena_free(destroyed, stale);
    ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
    ck_assert(last.arena.is_destroyed);
    ck_assert(last.requested.is_arena);
    struct moat_stats stats;
    moat_arena_stats(living, &stats);
    ck_assert_uint_eq(stats.live_blocks, 1);
}
END_TEST

START_TEST(freeing_twice_is_reported_each_time)
{
    char *block = moat_arena_alloc(living, 32);
    moat_arena_free(living, block);
    for (int i = 0; i < 3; i++) {
        moat_arena_free(living, block);
    }
    ck_assert_uint_eq(findings, 3);
    ck_assert_int_eq(last.kind, MOAT_KIND_DOUBLE_FREE);
}
END_TEST

START_TEST(destroying_what_is_no_arena_is_reported)
{
    for (size_t i = 1; i < 6; i++) {
        findings = 0;
        errno = EDOM;
        moat_arena_destroy(wrong[i]);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(last.seen, MOAT_SEEN_AT_DESTROY);
        ck_assert_int_eq(errno, EDOM);
    }
    moat_arena_destroy(destroyed);
    ck_assert_int_eq(last.kind, MOAT_KIND_DOUBLE_FREE);
    ck_assert_str_eq(last.arena.name, "destroyed");
}
END_TEST

static int visit(const struct moat_block *block, void *context)
{
    (void)block;
    (*(int *)context)++;
    return *(int *)context == 2 ? 77 : 0;
}

START_TEST(resetting_what_is_no_arena_is_reported)
{
    for (size_t i = 1; i < 6; i++) {
        findings = 0;
        errno = EDOM;
        moat_arena_reset(wrong[i]);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(last.seen, MOAT_SEEN_AT_RESET);
        ck_assert_int_eq(errno, EDOM);
    }
    findings = 0;
    moat_arena_reset(destroyed);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_USE_AFTER_UNMAP);
    ck_assert_int_eq(last.seen, MOAT_SEEN_AT_RESET);
    ck_assert_str_eq(last.arena.name, "destroyed");
    ck_assert_int_eq(errno, EDOM);
    findings = 0;
    moat_arena_reset(NULL);
    moat_arena_reset(living);
    ck_assert_uint_eq(findings, 0);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

/* To the same call, and what was before is told from what is now. */
START_TEST(an_arena_that_was_reset_is_as_new)
{
    for (int is_placed = 0; is_placed < 2; is_placed++) {
        struct moat_arena_config config
            = { .name = "again", .capacity = 1000, .layout = layout,
                .sharing = sharing,
                .at = is_placed ? moat_arena_base(destroyed) : NULL };
        struct moat_arena *arena = moat_arena_create_with(&config);
        ck_assert_ptr_nonnull(arena);
        void *base = moat_arena_base(arena);
        char *old = NULL;
        for (int round = 0; round < 4; round++) {
            struct moat_snapshot *before = moat_arena_snapshot(arena);
            int filled = 0;
            char *block;
            char *one = NULL;
            while ((block = moat_arena_alloc(arena, 50)) != NULL) {
                memset(block, round, 50);
                one = block;
                filled++;
            }
            ck_assert_int_eq(filled, 15);
            findings = 0;
            errno = EDOM;
            moat_arena_reset(arena);
            ck_assert_uint_eq(findings, 0);
            ck_assert_int_eq(errno, EDOM);
            moat_arena_free(arena, one);
            ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
            ck_assert(!is_placed || moat_arena_base(arena) == base);
            ck_assert(is_placed || one != old);
            ck_assert(is_placed || last.arena.is_reset);
            ck_assert_ptr_eq(moat_arena_limit(arena), moat_arena_base(arena));
            old = one;
            struct moat_snapshot *after = moat_arena_snapshot(arena);
            ck_assert_int_eq(moat_snapshot_diff(before, after, NULL), -1);
            moat_snapshot_free(before);
            moat_snapshot_free(after);
            struct moat_stats stats;
            moat_arena_stats(arena, &stats);
            ck_assert_uint_eq(stats.used + stats.live_blocks + stats.live_bytes
                                  + stats.freed_blocks + stats.slack_bytes
                                  + stats.refused + stats.accessible_bytes,
                              0);
            int blocks = 0;
            ck_assert_int_eq(moat_arena_walk(arena, visit, &blocks), 0);
            ck_assert_int_eq(blocks, 0);
        }
        moat_arena_destroy(arena);
        struct moat_finding finding;
        ck_assert(moat_describe(old, &finding));
        ck_assert(is_placed || finding.arena.is_reset);
        ck_assert_str_eq(finding.arena.name, "again");
    }
}
END_TEST

START_TEST(damage_seen_at_reset_is_reported_once)
{
    char *block = moat_arena_alloc(living, 30);
    write_to(block + 30);
    moat_arena_reset(living);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(last.seen, MOAT_SEEN_AT_RESET);
    moat_arena_reset(living);
    moat_arena_destroy(living);
    ck_assert_uint_eq(findings, 1);
}
END_TEST

START_TEST(looking_into_no_arena_is_refused)
{
    for (size_t i = 0; i < 7; i++) {
        struct moat_arena *arena = i < 6 ? wrong[i] : destroyed;
        struct moat_stats stats = { .capacity = 1 };
        char text[64] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        int calls = 0;
        errno = 0;
        moat_arena_stats(arena, &stats);
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(stats.capacity, 0);
        ck_assert_int_eq(moat_arena_walk(arena, visit, &calls), EINVAL);
        ck_assert_int_eq(calls, 0);
        for (int style = MOAT_DUMP_TEXT; style <= MOAT_DUMP_MAP; style++) {
            errno = 0;
            moat_arena_dump(arena, out, (enum moat_dump)style);
            ck_assert_int_eq(errno, EINVAL);
        }
        fclose(out);
        ck_assert_str_eq(text, "");
        errno = 0;
        ck_assert_ptr_null(moat_arena_snapshot(arena));
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_uint_eq(moat_arena_check(arena), 0);
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        if (i < 6) {
            ck_assert_ptr_null(moat_arena_base(arena));
            ck_assert_int_eq(errno, EINVAL);
            ck_assert_ptr_null(moat_arena_limit(arena));
        } else {
            ck_assert_ptr_nonnull(moat_arena_base(arena));
            ck_assert_ptr_nonnull(moat_arena_limit(arena));
        }
    }
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(looking_into_an_empty_arena_is_fine)
{
    struct moat_stats stats;
    char text[4096] = "";
    int calls = 0;
    moat_arena_stats(living, &stats);
    ck_assert_uint_eq(stats.capacity, 4096);
    ck_assert_uint_eq(stats.used, 0);
    ck_assert_int_eq(moat_arena_walk(living, visit, &calls), 0);
    ck_assert_int_eq(calls, 0);
    ck_assert_uint_eq(moat_arena_check(living), 0);
    for (int style = MOAT_DUMP_TEXT; style <= MOAT_DUMP_MAP; style++) {
        FILE *out = fmemopen(text, sizeof text, "w");
        moat_arena_dump(living, out, (enum moat_dump)style);
        fclose(out);
        ck_assert_ptr_nonnull(strstr(text, "arena \"living\", 0 of 4096"));
    }
    struct moat_snapshot *empty = moat_arena_snapshot(living);
    ck_assert_ptr_nonnull(empty);
    ck_assert_int_eq(moat_snapshot_diff(empty, empty, NULL), 0);
    moat_snapshot_free(empty);
    moat_arena_rewind(living, moat_arena_mark(living));
    ck_assert_int_eq(errno, 0);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(changing_no_arena_is_refused_and_reported_where_it_must)
{
    char *block = moat_arena_alloc(living, 32);
    struct moat_mark mark = moat_arena_mark(living);
    for (size_t i = 0; i < 6; i++) {
        errno = EDOM;
        ck_assert_int_eq(moat_arena_grow(wrong[i], 8192), EINVAL);
        ck_assert_int_eq(errno, EDOM);
        ck_assert_ptr_null(moat_arena_mark(wrong[i]).arena);
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_ptr_null(moat_arena_realloc(wrong[i], NULL, 8));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, 0);

        errno = 0;
        ck_assert_ptr_null(moat_arena_realloc(wrong[i], block, 8));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        findings = 0;
        moat_arena_rewind(wrong[i], mark);
        ck_assert_uint_eq(findings, i > 0);
        ck_assert(i == 0 || last.kind == MOAT_KIND_BAD_FREE);
        findings = 0;
    }
    /* All that is as it was. */
    ck_assert_ptr_nonnull(moat_arena_realloc(living, block, 8));
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(a_mark_that_nobody_made_is_refused_and_reported)
{
    struct moat_mark none = { .arena = NULL };
    struct moat_mark torn = moat_arena_mark(living);
    torn.blocks = SIZE_MAX;
    struct moat_mark wild = moat_arena_mark(living);
    wild.place = (void *)UINTPTR_MAX;
    wild.era = UINT64_MAX;
    const struct moat_mark marks[] = { none, torn, wild };
    moat_arena_alloc(living, 32);
    for (size_t i = 0; i < 3; i++) {
        findings = 0;
        errno = 0;
        moat_arena_rewind(living, marks[i]);
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(last.seen, MOAT_SEEN_AT_RESET);
    }
    ck_assert_uint_eq(moat_arena_check(living), 0);
}
END_TEST

START_TEST(an_expectation_may_have_no_finding)
{
    MOAT_EXPECT_FAULT(NULL) {
        write_to(moat_arena_limit(living));
        ck_abort_msg("the guard page can be written to");
    }
    MOAT_EXPECT_FAULT(NULL) {
        write_to(local);
    }
    ck_assert_int_eq(local[0], '!');
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(looking_with_nothing_to_look_with_is_refused)
{
    int calls = 0;
    moat_arena_alloc(living, 1);
    moat_arena_alloc(living, 1);
    moat_arena_alloc(living, 1);
    moat_arena_stats(living, NULL);
    moat_arena_dump(living, NULL, MOAT_DUMP_TEXT);
    ck_assert_int_eq(errno, 0);
    moat_arena_dump(living, stderr, (enum moat_dump)99);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(moat_arena_walk(living, NULL, NULL), EINVAL);
    ck_assert_int_eq(moat_arena_walk(living, visit, &calls), 77);
    ck_assert_int_eq(calls, 2);
    struct moat_snapshot *snapshot = moat_arena_snapshot(living);
    errno = 0;
    ck_assert_int_eq(moat_snapshot_diff(NULL, snapshot, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(moat_snapshot_diff(snapshot, NULL, NULL), -1);
    struct moat_arena *other = moat_arena_create("other", 64);
    struct moat_snapshot *foreign = moat_arena_snapshot(other);
    errno = 0;
    ck_assert_int_eq(moat_snapshot_diff(snapshot, foreign, NULL), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(moat_snapshot_diff(snapshot, snapshot, NULL), 0);
    moat_snapshot_free(snapshot);
    moat_snapshot_free(foreign);
    moat_snapshot_free(NULL);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(what_is_no_snapshot_is_refused_and_reported)
{
    struct moat_snapshot *good = moat_arena_snapshot(living);
    struct moat_snapshot *freed = moat_arena_snapshot(living);
    struct moat_snapshot *later = moat_arena_snapshot(living);
    moat_snapshot_free(freed);
    void *const bad[] = { freed, (char *)good + 8, local, (void *)8,
                          (void *)UINTPTR_MAX, living, destroyed, stale,
                          moat_arena_base(living) };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct moat_snapshot *none = bad[i];
        findings = 0;
        errno = 0;
        ck_assert_int_eq(moat_snapshot_diff(good, none, NULL), -1);
        ck_assert_int_eq(errno, EINVAL);
        errno = 0;
        ck_assert_int_eq(moat_snapshot_diff(none, good, NULL), -1);
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, 0);
        errno = EDOM;
        moat_snapshot_free(none);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(last.access, MOAT_ACCESS_FREE);
        ck_assert_int_eq(last.seen, MOAT_SEEN_AT_FREE);
        ck_assert_ptr_eq(last.address, bad[i]);
        ck_assert_int_eq(errno, EDOM);
    }
    /* The good ones are as they were. */
    ck_assert_int_eq(moat_snapshot_diff(good, later, NULL), 0);
    findings = 0;
    moat_snapshot_free(good);
    moat_snapshot_free(later);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(guarded_copies_of_nothing_are_refused)
{
    ck_assert_ptr_null(moat_guarded_copy(NULL, 1, MOAT_PLACEMENT_AFTER));
    ck_assert_int_eq(errno, EINVAL);
    errno = 0;
    ck_assert_ptr_null(
        moat_guarded_copy("text", 4, (enum moat_placement)2));
    ck_assert_int_eq(errno, EINVAL);
    volatile size_t sizes[] = { SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 50 };
    for (size_t i = 0; i < 3; i++) {
        errno = 0;
        ck_assert_ptr_null(
            moat_guarded_copy("text", sizes[i], MOAT_PLACEMENT_AFTER));
        ck_assert_int_eq(errno, ENOMEM);
    }
    errno = EDOM;
    void *nothing = moat_guarded_copy(NULL, 0, MOAT_PLACEMENT_BEFORE);
    ck_assert_ptr_nonnull(nothing);
    ck_assert_int_eq(errno, EDOM);
    moat_guarded_free(nothing);
    moat_guarded_free(NULL);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(freeing_what_is_no_copy_is_reported)
{
    char *copy = moat_guarded_copy("text", 4, MOAT_PLACEMENT_BEFORE);
    char *block = moat_arena_alloc(living, 32);
    void *const bad[] = { copy + 1, copy - 1, copy + 4096, block, local,
                          (void *)8, (void *)UINTPTR_MAX, stale, living };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        findings = 0;
        errno = EDOM;
        moat_guarded_free(bad[i]);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(errno, EDOM);
    }
    findings = 0;
    moat_guarded_free(copy);
    ck_assert_uint_eq(findings, 0);
    moat_guarded_free(copy);
    ck_assert_int_eq(last.kind, MOAT_KIND_DOUBLE_FREE);
}
END_TEST

START_TEST(every_size_ends_exactly_at_its_guard)
{
    static const char bytes[9000];
    size_t page = (size_t)getpagesize();
    for (size_t size = 0; size < sizeof bytes; size += size < 400 ? 1 : 331) {
        char *after = moat_guarded_copy(bytes, size, MOAT_PLACEMENT_AFTER);
        char *before = moat_guarded_copy(bytes, size, MOAT_PLACEMENT_BEFORE);
        ck_assert_uint_eq((uintptr_t)(after + size) % page, 0);
        ck_assert_uint_eq((uintptr_t)before % page, 0);
        moat_guarded_free(after);
        moat_guarded_free(before);
    }
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(an_address_is_described_or_not)
{
    struct moat_finding finding = { .pid = 1 };
    char *block = moat_arena_alloc(living, 32);
    ck_assert(moat_describe(block + 4, &finding));
    ck_assert_int_eq(finding.kind, MOAT_KIND_NONE);
    ck_assert_uint_eq(finding.block.number, 1);
    ck_assert_uint_eq(finding.distance.bytes, 4);
    ck_assert(moat_describe(stale, &finding));
    ck_assert(finding.arena.is_destroyed);
    ck_assert(!moat_describe(local, &finding));
    ck_assert_uint_eq(finding.block.number, 0);
    ck_assert_ptr_null(finding.address);
    ck_assert(!moat_describe(NULL, &finding));
    ck_assert(!moat_describe((void *)UINTPTR_MAX, &finding));
    ck_assert(!moat_describe(living, &finding));
    ck_assert(!moat_describe(block, NULL));
    ck_assert(moat_describe((char *)moat_arena_base(living) - 1, &finding));
    ck_assert_str_eq(finding.arena.name, "living");
    ck_assert_int_eq(finding.distance.where, MOAT_WHERE_BEFORE);
    ck_assert(moat_describe(moat_arena_limit(living), &finding));
    ck_assert_str_eq(finding.arena.name, "living");
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(every_damaged_block_is_counted_and_reported_once)
{
    char *blocks[5];
    for (int i = 0; i < 5; i++) {
        blocks[i] = moat_arena_alloc(living, 20);
        write_to(blocks[i] + 20);
    }
    ck_assert_uint_eq(moat_arena_check(living), 5);
    ck_assert_uint_eq(findings, 5);
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 5);
}
END_TEST

START_TEST(setting_a_hook_returns_the_one_before)
{
    ck_assert(moat_set_report_hook(NULL, NULL) == keep);
    ck_assert(moat_set_report_hook(keep, NULL) == NULL);
    ck_assert_int_eq(moat_catch_faults(), 0);
    ck_assert_int_eq(moat_thread_prepare(), 0);
    ck_assert_int_eq(moat_thread_prepare(), 0);
    ck_assert_str_eq(moat_version(), MOAT_VERSION);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, creating_without_capacity_is_refused);
    tcase_add_test(tests, creating_with_an_unknown_layout_is_refused);
    tcase_add_test(tests, creating_with_an_unknown_sharing_is_refused);
    tcase_add_test(tests, creating_beyond_the_region_is_refused);
    tcase_add_test(tests, an_arena_without_a_name_is_unnamed);
    tcase_add_test(tests, a_long_name_is_cut);
    tcase_add_test(tests, a_place_that_is_no_place_is_refused);
    tcase_add_test(tests, a_place_that_is_taken_is_refused_and_reported);
    tcase_add_test(tests, allocating_from_no_arena_is_refused);
    tcase_add_test(tests,
                   allocating_from_a_destroyed_arena_is_refused_and_reported);
    tcase_add_test(tests, sizes_that_overflow_are_refused);
    tcase_add_test(tests, a_full_arena_refuses_and_keeps_what_it_has);
    tcase_add_test(tests, blocks_of_no_bytes_are_blocks);
    tcase_add_test(tests, alignments_that_are_none_are_refused);
    tcase_add_test(tests, copying_no_text_is_refused);
    tcase_add_test(tests, calloc_gives_zeroes_where_something_was);
    tcase_add_test(tests, freeing_nothing_is_nothing);
    tcase_add_test(tests, freeing_what_is_no_block_is_reported);
    tcase_add_test(tests, freeing_into_no_arena_is_reported);
    tcase_add_test(tests, freeing_twice_is_reported_each_time);
    tcase_add_test(tests, destroying_what_is_no_arena_is_reported);
    tcase_add_test(tests, resetting_what_is_no_arena_is_reported);
    tcase_add_test(tests, an_arena_that_was_reset_is_as_new);
    tcase_add_test(tests, damage_seen_at_reset_is_reported_once);
    tcase_add_test(tests, looking_into_no_arena_is_refused);
    tcase_add_test(tests, looking_into_an_empty_arena_is_fine);
    tcase_add_test(tests,
                   changing_no_arena_is_refused_and_reported_where_it_must);
    tcase_add_test(tests, a_mark_that_nobody_made_is_refused_and_reported);
    tcase_add_test(tests, an_expectation_may_have_no_finding);
    tcase_add_test(tests, looking_with_nothing_to_look_with_is_refused);
    tcase_add_test(tests, what_is_no_snapshot_is_refused_and_reported);
    tcase_add_test(tests, guarded_copies_of_nothing_are_refused);
    tcase_add_test(tests, freeing_what_is_no_copy_is_reported);
    tcase_add_test(tests, every_size_ends_exactly_at_its_guard);
    tcase_add_test(tests, an_address_is_described_or_not);
    tcase_add_test(tests, every_damaged_block_is_counted_and_reported_once);
    tcase_add_test(tests, setting_a_hook_returns_the_one_before);
}

int main(int argument_count, char *arguments[])
{
    return form_run("bad input", add, argument_count, arguments);
}
