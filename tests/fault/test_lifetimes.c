/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks and arenas that change: resizing, growing, rewinding, with good
 * arguments and with bad ones. As test_bad_input it runs with halt_on_error=0,
 * and a hook keeps the findings; the arguments "fenced" and "shared" make the
 * arenas such ones; bad_input.sh runs it on all ways.
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

static struct moat_arena *living;
static struct moat_arena *other;
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
    other = create("other", 4096);
    destroyed = create("destroyed", 4096);
    ck_assert_ptr_nonnull(living);
    ck_assert_ptr_nonnull(other);
    ck_assert_ptr_nonnull(destroyed);
    stale = moat_arena_alloc(destroyed, 32);
    moat_arena_destroy(destroyed);
    findings = 0;
    errno = 0;
}

/* Where the compiler does not see that it is too far. */
__attribute__((noinline)) static void write_to(volatile char *place)
{
    *place = '!';
}

static struct moat_stats stats_of(const struct moat_arena *arena)
{
    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    return stats;
}

/* The compiler knows what realloc() would do; this is not that. */
static void *resize(struct moat_arena *arena, void *block, size_t size)
{
    void *volatile hidden = block;
    return moat_arena_realloc(arena, hidden, size);
}

START_TEST(a_resized_block_moves_with_what_it_held)
{
    static const size_t sizes[] = { 33, 32, 31, 1, 0, 5, 1000 };
    char *block = moat_arena_realloc(living, NULL, 32);
    ck_assert_ptr_nonnull(block);
    memset(block, 'a', 32);
    size_t kept = 32;
    size_t used = 32;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = EDOM;
        char *moved = resize(living, block, sizes[i]);
        ck_assert_int_eq(errno, EDOM);
        ck_assert_ptr_nonnull(moved);
        ck_assert_ptr_ne(moved, block);
        kept = kept < sizes[i] ? kept : sizes[i];
        for (size_t byte = 0; byte < kept; byte++) {
            ck_assert_int_eq(moved[byte], 'a');
        }
        block = moved;
        used += sizes[i] == 0 ? 16 : (sizes[i] + 15) / 16 * 16;
        struct moat_stats stats = stats_of(living);
        ck_assert_uint_eq(stats.live_blocks, 1);
        ck_assert_uint_eq(stats.live_bytes, sizes[i]);
        ck_assert_uint_eq(stats.freed_blocks, i + 1);
        ck_assert_uint_eq(stats.used, used);
    }
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(a_block_that_cannot_be_resized_stays)
{
    char *block = moat_arena_alloc(living, 32);
    memset(block, 'a', 32);
    static const size_t sizes[]
        = { 4065, 4096, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = 0;
        ck_assert_ptr_null(resize(living, block, sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
    }
    ck_assert_mem_eq(block, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 32);
    ck_assert_uint_eq(stats_of(living).live_blocks, 1);
    ck_assert_uint_eq(stats_of(living).refused, 5);
    char *moved = resize(living, block, 4064);
    ck_assert_ptr_nonnull(moved);
    ck_assert_int_eq(moved[31], 'a');
    ck_assert_ptr_null(resize(living, moved, 1));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(resizing_what_is_no_block_is_reported)
{
    char *block = moat_arena_alloc(living, 32);
    char *foreign = moat_arena_alloc(other, 32);
    void *const bad[] = { block + 1, block + 16, block - 16, block + 32,
                          local, (void *)8, (void *)UINTPTR_MAX, stale,
                          foreign, living };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        findings = 0;
        errno = 0;
        ck_assert_ptr_null(resize(living, bad[i], 64));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert_int_eq(last.seen, MOAT_SEEN_AT_FREE);
        ck_assert_ptr_eq(last.address, bad[i]);
    }
    ck_assert_uint_eq(stats_of(living).used, 32);
    char *moved = resize(living, block, 64);
    ck_assert_ptr_nonnull(moved);
    findings = 0;
    ck_assert_ptr_null(resize(living, block, 64));
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_DOUBLE_FREE);
    ck_assert_uint_eq(last.block.number, 1);
}
END_TEST

START_TEST(resizing_in_no_arena_is_reported)
{
    char *block = moat_arena_alloc(living, 32);
    struct moat_arena *const wrong[]
        = { NULL, (struct moat_arena *)(void *)local, destroyed,
            (struct moat_arena *)UINTPTR_MAX };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        findings = 0;
        errno = 0;
        ck_assert_ptr_null(resize(wrong[i], block, 64));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, 1);
        ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
        ck_assert(last.requested.is_known);
        ck_assert_str_eq(last.arena.name, "living");
        /* Nothing to resize: as moat_arena_alloc(). */
        errno = 0;
        findings = 0;
        ck_assert_ptr_null(resize(wrong[i], NULL, 64));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(findings, wrong[i] == destroyed);
    }
    moat_arena_free(living, block);
}
END_TEST

START_TEST(damage_around_a_resized_block_is_reported)
{
    char *block = moat_arena_alloc(living, 20);
    memset(block, 'a', 20);
    write_to(block + 20);
    char *moved = resize(living, block, 40);
    ck_assert_ptr_nonnull(moved);
    ck_assert_mem_eq(moved, "aaaaaaaaaaaaaaaaaaaa", 20);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    ck_assert_int_eq(last.seen, MOAT_SEEN_AT_FREE);
    ck_assert_uint_eq(last.block.number, 1);
    ck_assert_uint_eq(moat_arena_check(living), 0);
}
END_TEST

static struct moat_arena *create_growing(size_t capacity, size_t most)
{
    struct moat_arena_config config = { .name = "growing",
                                        .capacity = capacity,
                                        .max_capacity = most,
                                        .layout = layout, .sharing = sharing };
    struct moat_arena *arena = moat_arena_create_with(&config);
    ck_assert_ptr_nonnull(arena);
    return arena;
}

/* Whether a read of ADDRESS would fault. */
static bool is_guarded(const void *address)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    bool has_failed = write(ends[1], address, 1) != 1;
    close(ends[0]);
    close(ends[1]);
    return has_failed;
}

static size_t fill_up(struct moat_arena *arena, size_t size)
{
    size_t blocks = 0;
    char *block;
    while ((block = moat_arena_alloc(arena, size)) != NULL) {
        memset(block, 'a', size);
        blocks++;
    }
    ck_assert_int_eq(errno, ENOMEM);
    return blocks;
}

START_TEST(an_arena_grows_in_place)
{
    struct moat_arena *arena = create_growing(64, 64000);
    struct moat_arena *next = create("next", 4096);
    char *beside = moat_arena_alloc(next, 4096);
    memset(beside, 'b', 4096);
    void *base = moat_arena_base(arena);
    char *first = moat_arena_alloc(arena, 32);
    memset(first, 'a', 32);
    size_t used = 32;
    for (size_t capacity = 64; capacity <= 64000; capacity *= 10) {
        errno = EDOM;
        ck_assert_int_eq(moat_arena_grow(arena, capacity), 0);
        ck_assert_int_eq(errno, EDOM);
        ck_assert_ptr_null(moat_arena_alloc(arena, capacity - used + 1));
        char *block = moat_arena_alloc(arena, capacity - used);
        ck_assert_ptr_nonnull(block);
        memset(block, 'a', capacity - used);
        /* It fills the capacity, and so it ends at the guard page. */
        ck_assert(is_guarded(block + (capacity - used)));
        ck_assert_ptr_eq(moat_arena_limit(arena), block + (capacity - used));
        used = capacity;
        ck_assert_ptr_null(moat_arena_alloc(arena, 0));
        ck_assert_ptr_eq(moat_arena_base(arena), base);
        ck_assert_uint_eq(stats_of(arena).capacity, capacity);
        ck_assert_uint_eq(stats_of(arena).max_capacity, 64000);
        ck_assert_int_eq(first[31], 'a');
        ck_assert_uint_eq(moat_arena_check(arena), 0);
    }
    ck_assert_int_eq(beside[0], 'b');
    ck_assert_int_eq(beside[4095], 'b');
    ck_assert_uint_eq(findings, 0);
    moat_arena_destroy(arena);
    ck_assert(is_guarded(first));
}
END_TEST

START_TEST(growing_by_one_block_at_a_time_uses_all_of_it)
{
    struct moat_arena *arena = create_growing(16, 8000);
    for (size_t capacity = 16; capacity <= 8000; capacity += 16) {
        ck_assert_int_eq(moat_arena_grow(arena, capacity), 0);
        ck_assert_uint_eq(fill_up(arena, 16), 1);
    }
    ck_assert_uint_eq(moat_arena_check(arena), 0);
    ck_assert_uint_eq(stats_of(arena).used, 8000);
}
END_TEST

START_TEST(a_capacity_stays_grown_after_a_reset)
{
    struct moat_arena *arena = create_growing(160, 1600);
    ck_assert_uint_eq(fill_up(arena, 16), 10);
    ck_assert_int_eq(moat_arena_grow(arena, 320), 0);
    moat_arena_reset(arena);
    ck_assert_uint_eq(fill_up(arena, 16), 20);
    ck_assert_int_eq(moat_arena_grow(arena, 1600), 0);
    ck_assert_uint_eq(fill_up(arena, 16), 80);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(growing_to_what_cannot_be_is_refused)
{
    struct moat_arena *arena = create_growing(100, 1000);
    static const struct {
        size_t capacity;
        int result;
    } trials[] = { { 0, EINVAL }, { 96, EINVAL }, { 97, 0 }, { 112, 0 },
                   { 1009, ENOMEM }, { SIZE_MAX, ENOMEM },
                   { SIZE_MAX - 15, ENOMEM }, { 1008, 0 }, { 1000, 0 },
                   { 112, EINVAL } };
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        errno = EDOM;
        ck_assert_int_eq(moat_arena_grow(arena, trials[i].capacity),
                         trials[i].result);
        ck_assert_int_eq(errno, EDOM);
    }
    ck_assert_uint_eq(stats_of(arena).capacity, 1008);
    /* One that was not to grow. */
    ck_assert_int_eq(moat_arena_grow(living, 4096), 0);
    ck_assert_int_eq(moat_arena_grow(living, 4097), ENOMEM);
    ck_assert_int_eq(moat_arena_grow(NULL, 4096), EINVAL);
    ck_assert_int_eq(moat_arena_grow((struct moat_arena *)(void *)local, 1),
                     EINVAL);
    ck_assert_uint_eq(findings, 0);
    errno = EDOM;
    ck_assert_int_eq(moat_arena_grow(destroyed, 8192), EINVAL);
    ck_assert_int_eq(errno, EDOM);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_USE_AFTER_UNMAP);
}
END_TEST

START_TEST(a_max_capacity_that_cannot_be_is_refused)
{
    struct moat_arena_config config = { .capacity = 100, .max_capacity = 99,
                                        .layout = layout };
    errno = 0;
    ck_assert_ptr_null(moat_arena_create_with(&config));
    ck_assert_int_eq(errno, EINVAL);
    static const size_t most[] = { SIZE_MAX, SIZE_MAX - 15, (size_t)1 << 50 };
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        config.max_capacity = most[i];
        errno = 0;
        ck_assert_ptr_null(moat_arena_create_with(&config));
        ck_assert_int_eq(errno, ENOMEM);
    }
    config.max_capacity = 100;
    ck_assert_ptr_nonnull(moat_arena_create_with(&config));
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(a_rewind_ends_what_came_behind_the_mark)
{
    char *kept = moat_arena_alloc(living, 100);
    memset(kept, 'k', 100);
    moat_arena_free(living, moat_arena_alloc(living, 10));
    struct moat_mark mark = moat_arena_mark(living);
    struct moat_stats before = stats_of(living);
    for (int round = 0; round < 300; round++) {
        memset(moat_arena_alloc(living, 33), 'a', 33);
        char *freed = moat_arena_alloc(living, 50);
        memset(freed, 'b', 50);
        moat_arena_free(living, freed);
        ck_assert_uint_eq(fill_up(living, 100), 34);
        errno = EDOM;
        moat_arena_rewind(living, mark);
        ck_assert_int_eq(errno, EDOM);
        struct moat_stats now = stats_of(living);
        ck_assert_uint_eq(now.used, before.used);
        ck_assert_uint_eq(now.live_blocks, 1);
        ck_assert_uint_eq(now.live_bytes, 100);
        ck_assert_uint_eq(now.freed_blocks, 1);
        ck_assert_uint_eq(now.freed_bytes, 10);
        ck_assert_uint_eq(now.slack_bytes, before.slack_bytes);
        ck_assert_uint_eq(moat_arena_check(living), 0);
        ck_assert_int_eq(kept[0], 'k');
        ck_assert_int_eq(kept[99], 'k');
        /* With nothing behind the mark there is nothing to do. */
        moat_arena_rewind(living, mark);
    }
    ck_assert_uint_eq(findings, 0);
    moat_arena_free(living, kept);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

START_TEST(a_rewind_to_the_start_leaves_nothing)
{
    struct moat_mark mark = moat_arena_mark(living);
    for (int round = 0; round < 300; round++) {
        char *block = moat_arena_alloc(living, 4096);
        ck_assert_ptr_nonnull(block);
        memset(block, 'a', 4096);
        ck_assert(is_guarded(block + 4096));
        moat_arena_rewind(living, mark);
        ck_assert(is_guarded(block));
        ck_assert(is_guarded(block + 4095));
        ck_assert_ptr_eq(moat_arena_limit(living), moat_arena_base(living));
        ck_assert_uint_eq(stats_of(living).used, 0);
    }
    ck_assert_uint_eq(findings, 0);
}
END_TEST

/* New blocks come behind the old ones while there is room for that. */
START_TEST(what_was_taken_back_is_out_of_reach)
{
    memset(moat_arena_alloc(living, 32), 'a', 32);
    struct moat_mark mark = moat_arena_mark(living);
    char *old = moat_arena_alloc(living, 4064);
    memset(old, 'a', 4064);
    moat_arena_rewind(living, mark);
    char *block = moat_arena_alloc(living, 4064);
    ck_assert_ptr_nonnull(block);
    memset(block, 'b', 4064);
    ck_assert(block >= old + 4064);
    ck_assert(is_guarded(old + 4063));
    ck_assert(layout == MOAT_LAYOUT_PACKED || is_guarded(old));
    ck_assert_uint_eq(moat_arena_check(living), 0);
    ck_assert_uint_eq(findings, 0);
    moat_arena_free(living, old);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
    ck_assert_uint_eq(moat_arena_check(living), 0);
}
END_TEST

/* What a plain bump allocator would have, through any mix of calls. */
START_TEST(any_mix_of_marks_is_as_a_bump_allocator)
{
    enum { CAPACITY = 20000, MARKS = 12, BLOCKS = 2000 };
    struct moat_arena *arena = create_growing(CAPACITY / 2, CAPACITY);
    struct {
        struct moat_mark mark;
        size_t blocks;
        size_t cursor;
    } marks[MARKS];
    static struct {
        unsigned char *start;
        size_t size;
        unsigned char tag;
        bool is_freed;
    } blocks[BLOCKS];
    size_t capacity = CAPACITY / 2;
    size_t marked = 0;
    size_t count = 0;
    size_t cursor = 0;
    uint64_t seed = (uint64_t)_i + 1;
    for (int step = 0; step < 3000; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t chance = (size_t)(seed >> 33);
        if (chance % 16 == 0 && marked < MARKS) {
            marks[marked].mark = moat_arena_mark(arena);
            marks[marked].blocks = count;
            marks[marked++].cursor = cursor;
        } else if (chance % 16 == 1 && marked > 0) {
            marked = chance / 16 % marked;
            moat_arena_rewind(arena, marks[marked].mark);
            count = marks[marked].blocks;
            cursor = marks[marked].cursor;
            marked += chance % 3 == 0;
        } else if (chance % 16 == 2 && count > 0) {
            size_t which = chance / 16 % count;
            if (!blocks[which].is_freed) {
                moat_arena_free(arena, blocks[which].start);
                blocks[which].is_freed = true;
            }
        } else if (chance % 512 == 3) {
            capacity = CAPACITY;
            ck_assert_int_eq(moat_arena_grow(arena, capacity), 0);
        } else if (chance % 512 == 4) {
            moat_arena_reset(arena);
            marked = count = cursor = 0;
        } else {
            size_t size = chance / 16 % (step % 200 < 100 ? 60 : 3000);
            size_t alignment = (size_t)16 << chance % 5;
            size_t start = (cursor + alignment - 1) / alignment * alignment;
            size_t next = start + (size == 0 ? 16 : (size + 15) / 16 * 16);
            unsigned char *block
                = moat_arena_aligned_alloc(arena, alignment, size);
            ck_assert(next <= capacity ? block != NULL : block == NULL);
            if (block != NULL) {
                blocks[count].start = memset(block, step % 251, size);
                blocks[count].size = size;
                blocks[count].tag = (unsigned char)(step % 251);
                blocks[count++].is_freed = false;
                cursor = next;
            }
        }
        ck_assert_uint_eq(stats_of(arena).used, cursor);
        if (step % 16 == 0) {
            ck_assert_uint_eq(moat_arena_check(arena), 0);
        }
        for (size_t i = 0; i < count && step % 16 == 0; i++) {
            size_t size = blocks[i].is_freed ? 0 : blocks[i].size;
            ck_assert(size == 0
                      || (blocks[i].start[0] == blocks[i].tag
                          && blocks[i].start[size - 1] == blocks[i].tag));
        }
    }
    ck_assert_uint_eq(findings, 0);
    moat_arena_destroy(arena);
    ck_assert_uint_eq(findings, 0);
}
END_TEST

static void must_be_bad(struct moat_arena *arena, struct moat_mark mark)
{
    struct moat_stats before = stats_of(arena);
    findings = 0;
    errno = 0;
    moat_arena_rewind(arena, mark);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
    ck_assert_int_eq(last.seen, MOAT_SEEN_AT_RESET);
    ck_assert(last.requested.is_arena);
    struct moat_stats after = stats_of(arena);
    ck_assert_mem_eq(&before, &after, sizeof before);
    findings = 0;
}

START_TEST(a_mark_that_is_none_is_refused_and_reported)
{
    moat_arena_alloc(living, 32);
    struct moat_mark first = moat_arena_mark(living);
    moat_arena_alloc(living, 32);
    struct moat_mark second = moat_arena_mark(living);
    moat_arena_alloc(living, 32);
    struct moat_mark third = moat_arena_mark(living);
    must_be_bad(living, moat_arena_mark(other));
    must_be_bad(living, (struct moat_mark){ .arena = NULL });
    moat_arena_rewind(living, second);
    must_be_bad(living, third);
    for (int i = 0; i < 3; i++) {
        moat_arena_alloc(living, 32);
    }
    must_be_bad(living, third);
    moat_arena_rewind(living, second);
    moat_arena_rewind(living, first);
    moat_arena_alloc(living, 32);
    struct moat_mark fourth = moat_arena_mark(living);
    moat_arena_alloc(living, 32);
    must_be_bad(living, second);
    must_be_bad(living, third);
    moat_arena_rewind(living, fourth);
    must_be_bad(living, second);
    moat_arena_rewind(living, first);
    must_be_bad(living, fourth);
    moat_arena_reset(living);
    must_be_bad(living, first);
    moat_arena_alloc(living, 32);
    must_be_bad(living, first);
    ck_assert_uint_eq(stats_of(living).live_blocks, 1);
}
END_TEST

START_TEST(a_mark_outlives_no_arena)
{
    void *place = moat_arena_base(living);
    struct moat_mark mark = moat_arena_mark(living);
    moat_arena_destroy(living);
    struct moat_arena_config config = { .name = "living", .capacity = 4096,
                                        .at = place, .layout = layout,
                                        .sharing = sharing };
    living = moat_arena_create_with(&config);
    ck_assert_ptr_nonnull(living);
    moat_arena_alloc(living, 32);
    must_be_bad(living, mark);
}
END_TEST

START_TEST(rewinding_what_is_no_arena_is_reported)
{
    struct moat_mark mark = moat_arena_mark(living);
    moat_arena_rewind(NULL, mark);
    ck_assert_uint_eq(findings, 0);
    moat_arena_rewind((struct moat_arena *)(void *)local, mark);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_BAD_FREE);
    ck_assert_int_eq(last.seen, MOAT_SEEN_AT_RESET);
    moat_arena_rewind(destroyed, mark);
    ck_assert_uint_eq(findings, 2);
    ck_assert_int_eq(last.kind, MOAT_KIND_USE_AFTER_UNMAP);
    findings = 0;
    errno = 0;
    ck_assert_ptr_null(moat_arena_mark(NULL).arena);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(findings, 0);
    errno = 0;
    ck_assert_ptr_null(moat_arena_mark(destroyed).arena);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_uint_eq(findings, 1);
    ck_assert_int_eq(last.kind, MOAT_KIND_USE_AFTER_UNMAP);
}
END_TEST

START_TEST(a_snapshot_tells_what_was_taken_back)
{
    moat_arena_alloc(living, 32);
    struct moat_mark mark = moat_arena_mark(living);
    moat_arena_alloc(living, 32);
    moat_arena_alloc(living, 32);
    struct moat_snapshot *before = moat_arena_snapshot(living);
    moat_arena_rewind(living, mark);
    struct moat_snapshot *between = moat_arena_snapshot(living);
    ck_assert_int_eq(moat_snapshot_diff(before, between, NULL), 2);
    moat_arena_alloc(living, 3000);
    struct moat_snapshot *after = moat_arena_snapshot(living);
    ck_assert_int_eq(moat_snapshot_diff(between, after, NULL), 1);
    ck_assert_int_eq(moat_snapshot_diff(before, after, NULL), 3);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_resized_block_moves_with_what_it_held);
    tcase_add_test(tests, a_block_that_cannot_be_resized_stays);
    tcase_add_test(tests, resizing_what_is_no_block_is_reported);
    tcase_add_test(tests, resizing_in_no_arena_is_reported);
    tcase_add_test(tests, damage_around_a_resized_block_is_reported);
    tcase_add_test(tests, an_arena_grows_in_place);
    tcase_add_test(tests, growing_by_one_block_at_a_time_uses_all_of_it);
    tcase_add_test(tests, a_capacity_stays_grown_after_a_reset);
    tcase_add_test(tests, growing_to_what_cannot_be_is_refused);
    tcase_add_test(tests, a_max_capacity_that_cannot_be_is_refused);
    tcase_add_test(tests, a_rewind_ends_what_came_behind_the_mark);
    tcase_add_test(tests, a_rewind_to_the_start_leaves_nothing);
    tcase_add_test(tests, what_was_taken_back_is_out_of_reach);
    tcase_add_loop_test(tests, any_mix_of_marks_is_as_a_bump_allocator, 0, 6);
    tcase_add_test(tests, a_mark_that_is_none_is_refused_and_reported);
    tcase_add_test(tests, a_mark_outlives_no_arena);
    tcase_add_test(tests, rewinding_what_is_no_arena_is_reported);
    tcase_add_test(tests, a_snapshot_tells_what_was_taken_back);
}

int main(int argument_count, char *arguments[])
{
    return form_run("lifetimes", add, argument_count, arguments);
}
