/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's program that goes through the API and prints what it sees: the same
 * in the packed and the fenced layout, with every option, and with MOAT_OFF.
 * It is compiled as C and as C++. It does nothing that a report would follow
 * on.
 *
 *     conformance packed|fenced
 */
#include <moat.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum moat_layout layout;

static struct moat_arena *create(const char *name, size_t capacity,
                                 size_t max_capacity)
{
    struct moat_arena_config config;
    memset(&config, 0, sizeof config);
    config.name = name;
    config.capacity = capacity;
    config.max_capacity = max_capacity;
    config.layout = layout;
    return moat_arena_create_with(&config);
}

/* What the compiler must not know, or it warns. */
static size_t much(size_t less)
{
    static volatile size_t most = SIZE_MAX;
    return most - less;
}

static const char *error_name(int error)
{
    switch (error) {
    case 0:
        return "0";
    case EINVAL:
        return "EINVAL";
    case ENOMEM:
        return "ENOMEM";
    case EEXIST:
        return "EEXIST";
    default:
        return strerror(error);
    }
}

/* What the call before left in errno, and whether it gave anything. */
static void say(const char *what, const void *result)
{
    printf("%s: %s, errno %s\n", what, result != NULL ? "something" : "NULL",
           error_name(errno));
    errno = 0;
}

static void say_used(const char *what, const struct moat_arena *arena)
{
    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    printf("%s: %lu used of %lu, at most %lu, refused %lu\n", what,
           (unsigned long)stats.used, (unsigned long)stats.capacity,
           (unsigned long)stats.max_capacity, (unsigned long)stats.refused);
    /* These MOAT_OFF does not know; what is unknown is 0. */
    printf("counts in bounds: %d %d %d\n", stats.largest_hole <= stats.used,
           stats.live_bytes + stats.freed_bytes + stats.slack_bytes
               <= stats.used,
           stats.used != 0
               || (stats.largest_hole == 0 && stats.canary_bytes == 0));
}

/* Numbers that are the same everywhere. */
static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245U + 12345U;
    return *state >> 16;
}

/* At which call is an arena of CAPACITY full, by calls chosen by SEED? */
static void fill(size_t capacity, unsigned seed)
{
    struct moat_arena *arena = create("filled", capacity, 0);
    unsigned state = seed;
    unsigned long calls = 0;
    unsigned long sum = 0;
    void *block = arena;
    while (block != NULL) {
        unsigned choice = next_random(&state) % 8;
        size_t size = next_random(&state) % 300;
        calls++;
        if (choice == 0) {
            block = moat_arena_aligned_alloc(
                arena, (size_t)1 << next_random(&state) % 13, size);
        } else if (choice == 1) {
            block = moat_arena_calloc(arena, size, 3);
            for (size_t i = 0; block != NULL && i < 3 * size; i++) {
                sum += ((unsigned char *)block)[i];
            }
        } else if (choice == 2) {
            block = moat_arena_strdup(arena, "This is not malloc");
        } else if (choice == 3) {
            /* What natural alignment would align the most. */
            block = moat_arena_alloc(arena, (size_t)1 << size % 12);
        } else if (choice == 4) {
            block = moat_arena_alloc(arena, size);
            if (block != NULL) {
                block = moat_arena_realloc(arena, block, size + 10);
                calls++;
            }
        } else {
            block = moat_arena_alloc(arena, size);
            if (block != NULL) {
                memset(block, (int)size, size);
            }
            if (choice == 5) {
                moat_arena_free(arena, block);
            }
        }
    }
    printf("capacity %lu, seed %u: full at call %lu, sum %lu, errno %s, ",
           (unsigned long)capacity, seed, calls, sum, error_name(errno));
    errno = 0;
    say_used("then", arena);
    moat_arena_destroy(arena);
}

static void create_wrongly(void)
{
    struct moat_arena_config config;
    memset(&config, 0, sizeof config);
    say("a capacity of 0", moat_arena_create("none", 0));
    say("no config", moat_arena_create_with(NULL));
    say("nothing in it", moat_arena_create_with(&config));
    say("too much", create("none", SIZE_MAX, 0));
    say("a little less", create("none", SIZE_MAX - 15, 0));
    say("more than there is", create("none", (size_t)1 << 50, 0));
    say("a maximum too low", create("none", 64, 32));
    say("a maximum too high", create("none", 64, SIZE_MAX));
    config.capacity = 64;
    config.layout = (enum moat_layout)(much(0) - much(3));
    say("no such layout", moat_arena_create_with(&config));
    config.layout = layout;
    config.sharing = (enum moat_sharing)(much(0) - much(3));
    say("no such sharing", moat_arena_create_with(&config));
    config.sharing = MOAT_SHARING_NONE;
    config.at = (void *)&config;
    say("no place", moat_arena_create_with(&config));
    config.at = (void *)4096;
    say("the first page", moat_arena_create_with(&config));
    config.at = (void *)(UINTPTR_MAX - 4095);
    say("the last page", moat_arena_create_with(&config));
}

static void place(void)
{
    struct moat_arena *arena = create("first", 64, 0);
    struct moat_arena_config config;
    memset(&config, 0, sizeof config);
    config.capacity = 64;
    config.layout = layout;
    config.at = moat_arena_base(arena);
    moat_arena_destroy(arena);
    struct moat_arena *placed = moat_arena_create_with(&config);
    printf("placed: %d\n", moat_arena_base(placed) == config.at);
    say("placed", moat_arena_alloc(placed, 64));
    say("full", moat_arena_alloc(placed, 1));
    moat_arena_reset(placed);
    printf("after a reset: %d\n", moat_arena_base(placed) == config.at);
    moat_arena_destroy(placed);
}

static void call_with_nothing(void)
{
    struct moat_arena *arena = create("letters", 256, 0);
    struct moat_stats stats;
    struct moat_mark none = moat_arena_mark(NULL);
    struct moat_finding finding;
    say("mark", none.arena);
    say("alloc", moat_arena_alloc(NULL, 1));
    say("calloc", moat_arena_calloc(NULL, 1, 1));
    say("aligned", moat_arena_aligned_alloc(NULL, 64, 1));
    say("strdup", moat_arena_strdup(NULL, "text"));
    say("strdup of nothing", moat_arena_strdup(arena, NULL));
    say("realloc", moat_arena_realloc(NULL, NULL, 1));
    say("base", moat_arena_base(NULL));
    say("limit", moat_arena_limit(NULL));
    say("snapshot", moat_arena_snapshot(NULL));
    moat_arena_stats(NULL, &stats);
    printf("stats: %lu, errno %s\n", (unsigned long)stats.capacity,
           error_name(errno));
    moat_arena_stats(arena, NULL);
    printf("check: %lu, errno %s\n", (unsigned long)moat_arena_check(NULL),
           error_name(errno));
    errno = 0;
    printf("grow: %s\n", error_name(moat_arena_grow(NULL, 64)));
    printf("walk: %s\n", error_name(moat_arena_walk(NULL, NULL, NULL)));
    printf("walk: %s\n", error_name(moat_arena_walk(arena, NULL, NULL)));
    printf("diff: %d, errno %s\n", moat_snapshot_diff(NULL, NULL, NULL),
           error_name(errno));
    errno = 0;
    moat_arena_dump(NULL, stdout, MOAT_DUMP_TEXT);
    printf("dump: errno %s\n", error_name(errno));
    errno = 0;
    moat_arena_dump(arena, stdout, (enum moat_dump)(much(0) - much(3)));
    printf("dump: errno %s\n", error_name(errno));
    errno = 0;
    moat_arena_dump(arena, NULL, MOAT_DUMP_TEXT);
    moat_arena_rewind(NULL, none);
    moat_arena_reset(NULL);
    moat_arena_destroy(NULL);
    moat_arena_free(arena, NULL);
    moat_snapshot_free(NULL);
    moat_guarded_free(NULL);
    printf("described: %d, %d, errno %s\n", moat_describe(NULL, NULL),
           moat_describe(&arena, &finding), error_name(errno));
    moat_arena_destroy(arena);
}

static void allocate_wrongly(void)
{
    static const size_t alignments[] = { 0, 3, 17, 4095, 8192, SIZE_MAX };
    struct moat_arena *arena = create("letters", 256, 0);
    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
        say("no alignment", moat_arena_aligned_alloc(arena, alignments[i], 1));
    }
    say("too much", moat_arena_alloc(arena, much(0)));
    say("a little less", moat_arena_alloc(arena, much(15)));
    say("half of that", moat_arena_alloc(arena, much(SIZE_MAX / 2)));
    say("one too many", moat_arena_alloc(arena, 257));
    say("a product", moat_arena_calloc(arena, much(0) / 2, 3));
    say_used("nothing", arena);
    say("all of it", moat_arena_alloc(arena, 256));
    say("no byte more", moat_arena_alloc(arena, 0));
    say("aligned", moat_arena_aligned_alloc(arena, 4096, 0));
    say_used("full", arena);
    moat_arena_destroy(arena);
}

static void look_at_blocks(void)
{
    struct moat_arena *arena = create("blocks", 64 * 1024, 0);
    for (size_t alignment = 1; alignment <= MOAT_ALIGNMENT_MAX;
         alignment *= 2) {
        char *block = (char *)moat_arena_aligned_alloc(arena, alignment, 33);
        memset(block, 'x', 33);
        printf("at a multiple of %lu: %d\n", (unsigned long)alignment,
               (uintptr_t)block % alignment == 0);
    }
    void *none = moat_arena_alloc(arena, 0);
    void *other = moat_arena_alloc(arena, 0);
    printf("blocks of no bytes: %d\n", none != NULL && none != other);
    char *text = moat_arena_strdup(arena, "Scoped allocator is born");
    char *longer = (char *)moat_arena_realloc(arena, text, 100);
    printf("longer: \"%s\", moved %d\n", longer, longer != text);
    char *shorter = (char *)moat_arena_realloc(arena, longer, 6);
    printf("shorter: \"%.6s\", moved %d\n", shorter, shorter != longer);
    say("beyond", moat_arena_realloc(arena, shorter, 64 * 1024));
    printf("as it was: \"%.6s\"\n", shorter);
    say("of nothing", moat_arena_realloc(arena, NULL, 10));
    errno = EPERM;
    moat_arena_free(arena, shorter);
    printf("errno after free: %d\n", errno == EPERM);
    errno = 0;
    printf("check: %lu\n", (unsigned long)moat_arena_check(arena));
    char *base = (char *)moat_arena_base(arena);
    char *limit = (char *)moat_arena_limit(arena);
    printf("inside: %d\n", base <= longer && longer < limit);
    say_used("blocks", arena);
    moat_arena_destroy(arena);
}

static void go_back(void)
{
    struct moat_arena *arena = create("marks", 1024, 0);
    struct moat_arena *other = create("others", 1024, 0);
    struct moat_mark start = moat_arena_mark(arena);
    char *kept = moat_arena_strdup(arena, "kept");
    struct moat_mark mark = moat_arena_mark(arena);
    for (int round = 0; round < 3; round++) {
        while (moat_arena_alloc(arena, 100) != NULL) {
        }
        say("filled", NULL);
        say_used("filled", arena);
        moat_arena_rewind(arena, mark);
        say_used("back", arena);
    }
    moat_arena_rewind(arena, mark);
    printf("kept: \"%s\", errno %s\n", kept, error_name(errno));
    moat_arena_rewind(arena, start);
    say_used("at the start", arena);
    say("zeroes", moat_arena_calloc(arena, 16, 16));
    moat_arena_reset(arena);
    say_used("reset", arena);
    say("all of it", moat_arena_alloc(arena, 1024));
    say("more", moat_arena_alloc(arena, 1));
    moat_arena_reset(arena);
    moat_arena_reset(arena);
    printf("zero: %d\n", *(char *)moat_arena_calloc(arena, 1024, 1));
    moat_arena_destroy(arena);
    moat_arena_destroy(other);
}

static void grow(void)
{
    struct moat_arena *arena = create("growing", 50, 1000);
    void *base = moat_arena_base(arena);
    say_used("small", arena);
    say("all of it", moat_arena_alloc(arena, 64));
    say("more", moat_arena_alloc(arena, 1));
    printf("less: %s\n", error_name(moat_arena_grow(arena, 48)));
    printf("more: %s\n", error_name(moat_arena_grow(arena, 100)));
    say("some", moat_arena_alloc(arena, 48));
    say("more", moat_arena_alloc(arena, 1));
    printf("most: %s\n", error_name(moat_arena_grow(arena, 1008)));
    printf("too much: %s\n", error_name(moat_arena_grow(arena, 1009)));
    printf("too much: %s\n", error_name(moat_arena_grow(arena, SIZE_MAX)));
    say_used("large", arena);
    say("the rest", moat_arena_alloc(arena, 1008 - 112));
    say("more", moat_arena_alloc(arena, 0));
    printf("in place: %d\n", moat_arena_base(arena) == base);
    moat_arena_destroy(arena);
}

enum { THREADS = 4, SHARES = 500, SHARE_BYTES = 32 };

static struct moat_arena *common;
static unsigned char *share[THREADS][SHARES];

static void *take_shares(void *number)
{
    unsigned char **own = share[(size_t)number];
    for (int i = 0; i < SHARES; i++) {
        own[i] = (unsigned char *)moat_arena_alloc(common, SHARE_BYTES - 3);
        memset(own[i], (int)(size_t)number, SHARE_BYTES - 3);
    }
    return NULL;
}

/* Several threads at once fill a shared arena exactly. */
static void share_among_threads(void)
{
    struct moat_arena_config config;
    pthread_t threads[THREADS];
    memset(&config, 0, sizeof config);
    config.capacity = (size_t)THREADS * SHARES * SHARE_BYTES;
    config.layout = layout;
    config.sharing = MOAT_SHARING_LOCKED;
    common = moat_arena_create_with(&config);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, take_shares, (void *)i);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    unsigned long right = 0;
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t j = 0; j < SHARES; j++) {
            for (size_t byte = 0; byte < SHARE_BYTES - 3; byte++) {
                right += share[i][j][byte] == i;
            }
        }
    }
    printf("bytes that are their owner's: %lu\n", right);
    say("more", moat_arena_alloc(common, 1));
    say_used("shared", common);
    moat_arena_destroy(common);
}

static void compare(void)
{
    struct moat_arena *arena = create("compared", 256, 0);
    char *text = moat_arena_strdup(arena, "before");
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    printf("nothing: %d\n", moat_snapshot_diff(before, before, NULL));
    text[0] = 'B';
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    printf("a byte: %d\n", moat_snapshot_diff(before, after, NULL));
    moat_arena_reset(arena);
    moat_arena_alloc(arena, 1);
    struct moat_snapshot *anew = moat_arena_snapshot(arena);
    printf("another life: %d, errno %s\n",
           moat_snapshot_diff(before, anew, NULL), error_name(errno));
    errno = 0;
    moat_snapshot_free(before);
    moat_snapshot_free(after);
    moat_snapshot_free(anew);
    moat_arena_destroy(arena);
}

static bool hook(const struct moat_finding *finding, void *context)
{
    (void)finding;
    (void)context;
    return true;
}

static void do_the_rest(void)
{
    struct moat_finding finding;
    char *copy
        = (char *)moat_guarded_copy("guarded", 7, MOAT_PLACEMENT_BEFORE);
    printf("a copy: %.7s\n", copy);
    moat_guarded_free(copy);
    say("a copy of nothing", moat_guarded_copy(NULL, 1, MOAT_PLACEMENT_AFTER));
    say("nowhere",
        moat_guarded_copy("", 1, (enum moat_placement)(much(0) - much(3))));
    copy = (char *)moat_guarded_copy(NULL, 0, MOAT_PLACEMENT_AFTER);
    say("no bytes", copy);
    moat_guarded_free(copy);
    for (int kind = 0; kind < 40; kind++) {
        printf("%s ", moat_kind_name((enum moat_kind)kind));
    }
    printf("\n%s %d %d\n", moat_version(), moat_thread_prepare(),
           moat_catch_faults());
    printf("hook: %d\n", moat_set_report_hook(hook, NULL) == NULL);
    moat_set_report_hook(NULL, NULL);
    MOAT_EXPECT_FAULT(&finding) {
        break;
    }
    printf("expected: %s\n", moat_kind_name(finding.kind));
    MOAT_EXPECT_FAULT(NULL) {
        break;
    }
}

int main(int count, char **arguments)
{
    layout = count > 1 && strcmp(arguments[1], "fenced") == 0
                 ? MOAT_LAYOUT_FENCED
                 : MOAT_LAYOUT_PACKED;
    create_wrongly();
    place();
    call_with_nothing();
    allocate_wrongly();
    look_at_blocks();
    go_back();
    grow();
    share_among_threads();
    compare();
    do_the_rest();
    for (unsigned seed = 0; seed < 20; seed++) {
        fill((size_t)1000 + 500 * seed, seed);
    }
    return EXIT_SUCCESS;
}
