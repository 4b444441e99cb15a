/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that any thread may make at any time, by several at once; and what only
 * one of them can do. Prints TAP; concurrent.sh runs it on all ways.
 *
 *     at_once packed|fenced
 */
#include <moat.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 200 };

static enum moat_layout layout;
static int number;
static struct moat_arena *arena;
static pthread_barrier_t barrier;
static _Atomic unsigned findings;
static _Atomic unsigned wrong;
static _Atomic int last_kind;

static bool count_finding(const struct moat_finding *finding, void *unused)
{
    (void)unused;
    last_kind = (int)finding->kind;
    findings++;
    /* A fault ends the program; then it is best to know which. */
    return finding->seen == MOAT_SEEN_AT_ACCESS;
}

static void run(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    findings = 0;
    wrong = 0;
    moat_set_report_hook(count_finding, NULL);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, body, (void *)i);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&barrier);
}

static void demand(bool is_so)
{
    wrong += !is_so;
}

static void *create_and_destroy(void *number_of_thread)
{
    struct moat_arena_config config = { .name = "own", .capacity = 4096,
                                        .layout = layout };
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < ROUNDS; round++) {
        struct moat_arena *own = moat_arena_create_with(&config);
        struct moat_arena *other = moat_arena_create("other", 100);
        char *block = moat_arena_alloc(own, 100);
        demand(block != NULL && other != NULL);
        memset(block, (int)(size_t)number_of_thread + 1, 100);
        struct moat_snapshot *before = moat_arena_snapshot(own);
        demand(block[99] == (char)(size_t)number_of_thread + 1);
        block[50] = '!';
        struct moat_snapshot *after = moat_arena_snapshot(own);
        demand(moat_snapshot_diff(before, after, NULL) == 1);
        moat_snapshot_free(before);
        moat_snapshot_free(after);
        moat_arena_reset(own);
        moat_arena_destroy(own);
        moat_arena_destroy(other);
    }
    return NULL;
}

static void *copy_and_free(void *number_of_thread)
{
    char text[100];
    memset(text, (int)(size_t)number_of_thread + 1, sizeof text);
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < ROUNDS; round++) {
        size_t size = (size_t)round % sizeof text;
        char *copy = moat_guarded_copy(text, size,
                                       round % 2 == 0 ? MOAT_PLACEMENT_AFTER
                                                      : MOAT_PLACEMENT_BEFORE);
        demand(copy != NULL && memcmp(copy, text, size) == 0);
        moat_guarded_free(copy);
    }
    return NULL;
}

static void *ask(void *unused)
{
    (void)unused;
    struct moat_finding finding;
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < ROUNDS; round++) {
        struct moat_arena *own = moat_arena_create("own", 4096);
        char *block = moat_arena_alloc(own, 32);
        demand(moat_describe(block + 3, &finding)
               && finding.distance.bytes == 3 && finding.block.number == 1);
        moat_arena_destroy(own);
        demand(moat_describe(block, &finding) && finding.arena.is_destroyed);
        demand(strcmp(moat_kind_name(MOAT_KIND_SEGV), "segv") == 0);
        demand(strcmp(moat_version(), MOAT_VERSION) == 0);
        demand(moat_thread_prepare() == 0);
    }
    return NULL;
}

static void *set_hooks(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < ROUNDS; round++) {
        moat_report_hook before = moat_set_report_hook(count_finding, NULL);
        demand(before == NULL || before == count_finding);
    }
    return NULL;
}

static void *meet_faults(void *unused)
{
    (void)unused;
    struct moat_arena *own = moat_arena_create("own", 64);
    char *block = moat_arena_alloc(own, 64);
    pthread_barrier_wait(&barrier);
    for (int round = 0; round < ROUNDS; round++) {
        struct moat_finding finding;
        MOAT_EXPECT_FAULT(&finding) {
            *(volatile char *)(block + 64 + round) = 1;
        }
        demand(finding.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW
               && finding.distance.bytes == (size_t)round);
    }
    moat_arena_destroy(own);
    return NULL;
}

static void create_shared(void)
{
    struct moat_arena_config config
        = { .name = "letters", .capacity = 64 * 1024, .layout = layout,
            .sharing = MOAT_SHARING_LOCKED };
    arena = moat_arena_create_with(&config);
}

static void *volatile common;

static void *free_one_copy(void *number_of_thread)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (number_of_thread == NULL) {
            common = moat_guarded_copy("text", 4, MOAT_PLACEMENT_AFTER);
        }
        pthread_barrier_wait(&barrier);
        moat_guarded_free(common);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void *free_one_snapshot(void *number_of_thread)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (number_of_thread == NULL) {
            common = moat_arena_snapshot(arena);
        }
        pthread_barrier_wait(&barrier);
        moat_snapshot_free(common);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void *free_one_block(void *number_of_thread)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (number_of_thread == NULL) {
            common = moat_arena_alloc(arena, 20);
        }
        pthread_barrier_wait(&barrier);
        moat_arena_free(arena, common);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void *destroy_one_arena(void *number_of_thread)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (number_of_thread == NULL) {
            create_shared();
            moat_arena_alloc(arena, 20);
        }
        pthread_barrier_wait(&barrier);
        moat_arena_destroy(arena);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void do_at_once(const char *name, void *(*body)(void *),
                       unsigned expected, enum moat_kind kind)
{
    run(body);
    bool is_right = wrong == 0 && findings == expected
                    && (expected == 0 || last_kind == (int)kind);
    if (!is_right) {
        printf("# %u wrong, %u findings, the last %s\n", (unsigned)wrong,
               (unsigned)findings,
               moat_kind_name((enum moat_kind)last_kind));
    }
    printf("%sok %d - by %d threads at once: %s\n", is_right ? "" : "not ",
           ++number, THREADS, name);
    fflush(stdout);
}

static void do_all_at_once(void)
{
    /* Each round all but one come too late. */
    unsigned late = (THREADS - 1) * ROUNDS;
    do_at_once("create, snapshot, compare, reset, destroy",
               create_and_destroy, 0, MOAT_KIND_NONE);
    do_at_once("copy and free copies", copy_and_free, 0, MOAT_KIND_NONE);
    do_at_once("describe, name, prepare", ask, 0, MOAT_KIND_NONE);
    do_at_once("set hooks", set_hooks, 0, MOAT_KIND_NONE);
    do_at_once("expect faults", meet_faults, 0, MOAT_KIND_NONE);
    do_at_once("free one copy", free_one_copy, late, MOAT_KIND_DOUBLE_FREE);
    create_shared();
    do_at_once("free one snapshot", free_one_snapshot, late,
               MOAT_KIND_BAD_FREE);
    do_at_once("free one block", free_one_block, late, MOAT_KIND_DOUBLE_FREE);
    do_at_once("destroy one arena", destroy_one_arena, late,
               MOAT_KIND_DOUBLE_FREE);
}

int main(int count, char **arguments)
{
    /* Moat reads its options when the program starts: start again. */
    if (getenv("MOAT_OPTIONS") == NULL) {
        setenv("MOAT_OPTIONS", "halt_on_error=0", 1);
        execv("/proc/self/exe", arguments);
        return 99;
    }
    layout = count > 1 && strcmp(arguments[1], "fenced") == 0
                 ? MOAT_LAYOUT_FENCED
                 : MOAT_LAYOUT_PACKED;
    do_all_at_once();
    printf("1..%d\n", number);
    return 0;
}
