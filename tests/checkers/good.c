/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that does nothing wrong, in which AddressSanitizer and Valgrind
 * must find nothing, whatever Moat itself touches: it goes through the whole
 * API, with memory that was another block's, or another arena's, before. It is
 * compiled as C and as C++, with Moat and with MOAT_OFF.
 *
 *     good packed|fenced [expect|damage]
 *
 * expect: a fault at a guard page, which is Moat's to see. damage: canaries
 * that code which nobody checks has written over. Both not with MOAT_OFF.
 */
#include <moat.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum moat_layout layout;
static FILE *nowhere;

static void must(bool is_so, const char *what)
{
    if (!is_so) {
        fprintf(stderr, "not so: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static struct moat_arena *create(size_t capacity, size_t max_capacity,
                                 void *at, enum moat_sharing sharing)
{
    struct moat_arena_config config;
    memset(&config, 0, sizeof config);
    config.name = "good";
    config.capacity = capacity;
    config.max_capacity = max_capacity;
    config.layout = layout;
    config.at = at;
    config.sharing = sharing;
    return moat_arena_create_with(&config);
}

/* Every byte of a block is the program's. */
static void *use(void *block, size_t size)
{
    must(block != NULL, "a block");
    memset(block, 'u', size);
    for (size_t i = 0; i < size; i++) {
        must(((volatile char *)block)[i] == 'u', "its bytes");
    }
    return block;
}

static int visit(const struct moat_block *block, void *bytes)
{
    if (block->is_live) {
        use(block->start, block->size);
        *(size_t *)bytes += block->size;
    }
    return 0;
}

static void look(const struct moat_arena *arena)
{
    struct moat_stats stats;
    size_t bytes = 0;
    struct moat_snapshot *before = moat_arena_snapshot(arena);
    moat_arena_stats(arena, &stats);
    moat_arena_dump(arena, nowhere, MOAT_DUMP_TEXT);
    moat_arena_dump(arena, nowhere, MOAT_DUMP_HEX);
    if (stats.live_blocks + stats.freed_blocks < 100) {
        /* Of a fenced arena it is long. */
        moat_arena_dump(arena, nowhere, MOAT_DUMP_MAP);
    }
    must(moat_arena_check(arena) == 0, "no damage");
    must(moat_arena_walk(arena, visit, &bytes) == 0, "a walk");
    must(bytes == stats.live_bytes, "live bytes");
    struct moat_snapshot *after = moat_arena_snapshot(arena);
    must(moat_snapshot_diff(before, after, nowhere) >= 0, "a difference");
    moat_snapshot_free(before);
    moat_snapshot_free(after);
    fflush(nowhere);
}

/* Blocks that nobody has written to, among others. */
static void fill(struct moat_arena *arena, unsigned seed)
{
    void *last = NULL;
    size_t last_size = 0;
    for (unsigned i = 0; i < 60; i++) {
        size_t size = (seed * 131 + i * 29) % 150;
        switch ((seed + i) % 6) {
        case 0:
            moat_arena_alloc(arena, size);
            break;
        case 1:
            last = use(moat_arena_alloc(arena, size), size);
            last_size = size;
            break;
        case 2:
            use(moat_arena_calloc(arena, 1, size), size);
            break;
        case 3:
            use(moat_arena_aligned_alloc(arena, (size_t)1 << i % 10, size),
                size);
            break;
        case 4:
            must(strlen(moat_arena_strdup(arena, "a string")) == 8, "a copy");
            break;
        default:
            if (last != NULL && i % 12 == 5) {
                moat_arena_free(arena, last);
            } else if (last != NULL) {
                char *moved
                    = (char *)moat_arena_realloc(arena, last, size + 1);
                must(moved != NULL, "a block that moved");
                must(last_size == 0 || moved[0] == 'u', "what it held");
                use(moved, size + 1);
            }
            last = NULL;
        }
    }
}

static void live(unsigned seed)
{
    struct moat_arena *arena
        = create(16384, 65536, NULL, MOAT_SHARING_NONE);
    fill(arena, seed);
    look(arena);
    struct moat_mark mark = moat_arena_mark(arena);
    fill(arena, seed + 1);
    moat_arena_rewind(arena, mark);
    look(arena);
    fill(arena, seed + 2);
    moat_arena_rewind(arena, mark);
    moat_arena_grow(arena, 65536);
    fill(arena, seed + 3);
    look(arena);
    moat_arena_reset(arena);
    look(arena);
    fill(arena, seed + 4);
    use(moat_arena_alloc(arena, 30000), 30000);
    look(arena);
    void *place = moat_arena_base(arena);
    must((char *)moat_arena_limit(arena) > (char *)place, "a limit");
    moat_arena_destroy(arena);
    /* With MOAT_OFF another mapping may have come there. */
    arena = create(8192, 0, place, MOAT_SHARING_NONE);
    if (arena != NULL) {
        fill(arena, seed + 5);
        moat_arena_reset(arena);
        use(moat_arena_alloc(arena, 8192), 8192);
        look(arena);
        moat_arena_destroy(arena);
    }
}

static void copy(size_t size, enum moat_placement placement)
{
    char *input = (char *)malloc(size + 1);
    memset(input, 'i', size + 1);
    char *guarded = (char *)moat_guarded_copy(input, size, placement);
    must(memcmp(input, guarded, size) == 0, "a copy");
    use(guarded, size);
    moat_guarded_free(guarded);
    free(input);
}

static void *share(void *arena)
{
    for (int i = 0; i < 200; i++) {
        void *block = use(
            moat_arena_alloc((struct moat_arena *)arena, 24), 24);
        if (i % 3 == 0) {
            moat_arena_free((struct moat_arena *)arena, block);
        }
    }
    return NULL;
}

static void go_on_in_threads(void)
{
    struct moat_arena *arena
        = create(1 << 20, 0, NULL, MOAT_SHARING_LOCKED);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        must(pthread_create(&threads[i], NULL, share, arena) == 0, "threads");
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    moat_arena_destroy(arena);
}

static void go_on_in_a_child(struct moat_arena *arena)
{
    pid_t child = fork();
    if (child == 0) {
        struct moat_mark mark = moat_arena_mark(arena);
        fill(arena, 7);
        moat_arena_rewind(arena, mark);
        live(7);
        exit(EXIT_SUCCESS);
    }
    int status = 1;
    must(waitpid(child, &status, 0) == child && status == 0, "a child");
}

#ifndef MOAT_OFF
/* With variables that AddressSanitizer surrounds, in a frame that is left. */
static __attribute__((noinline)) void touch(char *volatile place, int depth)
{
    volatile char around[64];
    around[depth] = 'x';
    if (depth > 0) {
        touch(place, depth - 1);
    }
    place[around[depth] - 'x'] = 'x';
}

/* Where that frame was. */
static __attribute__((noinline)) void use_the_stack(void)
{
    volatile char bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 'x';
    }
}

static void expect(void)
{
    struct moat_arena *arena = create(4096, 0, NULL, MOAT_SHARING_NONE);
    use(moat_arena_alloc(arena, 4096), 4096);
    char *volatile end = (char *)moat_arena_limit(arena);
    for (int i = 0; i < 100; i++) {
        struct moat_finding finding;
        MOAT_EXPECT_FAULT(&finding) {
            touch(end, 10);
        }
        use_the_stack();
        must(finding.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW, "a fault");
    }
    moat_arena_destroy(arena);
}

/* As code would that was not compiled with the sanitizer. */
__attribute__((noinline, no_sanitize_address)) static void spill(void *place)
{
    *(volatile char *)place = 'x';
}

static void damage(void)
{
    struct moat_arena *arena = create(4096, 0, NULL, MOAT_SHARING_NONE);
    char *freed = (char *)moat_arena_alloc(arena, 20);
    char *checked = (char *)moat_arena_alloc(arena, 20);
    char *left = (char *)moat_arena_alloc(arena, 20);
    spill(freed + 20);
    moat_arena_free(arena, freed);
    spill(checked + 21);
    moat_arena_dump(arena, nowhere, MOAT_DUMP_MAP);
    must(moat_arena_check(arena) == 1, "damage");
    must(moat_arena_check(arena) == 0, "damage that was repaired");
    spill(left + 22);
    moat_arena_destroy(arena);
}
#else
#define expect() (void)0
#define damage() (void)0
#endif

int main(int count, char **arguments)
{
    layout = count > 1 && strcmp(arguments[1], "fenced") == 0
                 ? MOAT_LAYOUT_FENCED
                 : MOAT_LAYOUT_PACKED;
    const char *what = count > 2 ? arguments[2] : "";
    nowhere = fopen("/dev/null", "w");
    must(nowhere != NULL, "/dev/null");
    if (strcmp(what, "expect") == 0) {
        expect();
    } else if (strcmp(what, "damage") == 0) {
        damage();
    } else {
        moat_thread_prepare();
        for (unsigned seed = 0; seed < 2; seed++) {
            live(seed);
            /* Where arenas were before, if nothing is kept out of use. */
            for (size_t size = 0; size < 40; size += 7) {
                copy(size, MOAT_PLACEMENT_AFTER);
                copy(size, MOAT_PLACEMENT_BEFORE);
            }
            copy(300000, MOAT_PLACEMENT_AFTER);
            copy(60000, MOAT_PLACEMENT_BEFORE);
        }
        go_on_in_threads();
        /* What malloc() gave, only a block refers to, at the end too. */
        static void **block;
        struct moat_arena *kept
            = create(16384, 0, NULL, MOAT_SHARING_NONE);
        block = (void **)moat_arena_alloc(kept, sizeof *block);
        *block = malloc(100);
        must(*block != NULL, "malloc()");
        go_on_in_a_child(kept);
        must(moat_describe(block, NULL) == false, "no finding");
    }
    fclose(nowhere);
    puts("good");
    return EXIT_SUCCESS;
}
