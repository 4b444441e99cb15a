/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that use one arena, for threads.sh.
 *
 *     threads SCENE packed|fenced
 */
#include <moat.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, BLOCKS = 500, BLOCK_BYTES = 48 };

static struct moat_arena *arena;
static enum moat_layout layout;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool is_over;

static void create(enum moat_sharing sharing)
{
    struct moat_arena_config config
        = { .name = "letters",
            .capacity = (size_t)2 * THREADS * BLOCKS * BLOCK_BYTES,
            .layout = layout,
            .sharing = sharing };
    arena = moat_arena_create_with(&config);
    if (arena == NULL) {
        perror("moat_arena_create_with");
        exit(2);
    }
}

static void demand(bool is_so, const char *what)
{
    if (!is_so) {
        fprintf(stderr, "not so: %s\n", what);
        exit(3);
    }
}

static void run(void *(*body)(void *), size_t count)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < count; i++) {
        pthread_create(&threads[i], NULL, body, (void *)i);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Without an end but a report, unless no two calls ever meet. */
static void *allocate_until_reported(void *unused)
{
    (void)unused;
    for (long i = 0; i < 100000000 && !is_over; i++) {
        if (moat_arena_alloc(arena, 16) == NULL) {
            moat_arena_reset(arena);
        }
    }
    return NULL;
}

static bool note(const struct moat_finding *finding, void *unused)
{
    (void)unused;
    if (finding->kind == MOAT_KIND_DATA_RACE && finding->other.is_known
        && finding->other.thread != finding->actor.thread) {
        is_over = true;
    }
    return true;
}

/* Reports, by chance but nearly at once. */
static int collide(void)
{
    create(MOAT_SHARING_NONE);
    moat_set_report_hook(note, NULL);
    run(allocate_until_reported, 2);
    /* Only with halt_on_error=0: the records are whole. */
    demand(is_over, "two threads met");
    moat_arena_reset(arena);
    demand(moat_arena_alloc(arena, 16) != NULL, "there is an arena left");
    moat_arena_destroy(arena);
    return 0;
}

static void *allocate_once(void *unused)
{
    (void)unused;
    moat_arena_alloc(arena, 16);
    return NULL;
}

static void *look(void *unused)
{
    struct moat_stats stats;
    (void)unused;
    moat_arena_stats(arena, &stats);
    demand(stats.live_blocks == 1, "a second reader reads");
    return NULL;
}

static int call_from_another_thread(const struct moat_block *block, void *body)
{
    (void)block;
    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    run(*(void *(**)(void *))body, 1);
    return 0;
}

static void walk_meanwhile(void *(*body)(void *))
{
    create(MOAT_SHARING_NONE);
    moat_arena_alloc(arena, 16);
    moat_arena_walk(arena, call_from_another_thread, &body);
    moat_arena_destroy(arena);
}

/* Reports, for certain. */
static int change_while_another_walks(void)
{
    walk_meanwhile(allocate_once);
    return 0;
}

static void *end_it(void *unused)
{
    (void)unused;
    moat_arena_destroy(arena);
    return NULL;
}

static int destroy_while_another_walks(void)
{
    create(MOAT_SHARING_NONE);
    moat_arena_alloc(arena, 16);
    void *(*body)(void *) = end_it;
    moat_arena_walk(arena, call_from_another_thread, &body);
    demand(moat_arena_base(arena) != NULL, "it was an arena");
    errno = 0;
    create(MOAT_SHARING_NONE);
    demand(moat_arena_alloc(arena, 16) != NULL, "there are others");
    return 0;
}

static int look_while_another_looks(void)
{
    walk_meanwhile(look);
    return 0;
}

/* Blocks of THREADS threads: all apart, and each still its owner's. */
static unsigned char *blocks[THREADS][BLOCKS];

static void *fill(void *number)
{
    size_t own = (size_t)number;
    for (int i = 0; i < BLOCKS; i++) {
        unsigned char *block = moat_arena_alloc(arena, 20);
        demand(block != NULL, "it fits");
        memset(block, (int)own + 1, 20);
        if (i % 3 == 0) {
            block = moat_arena_realloc(arena, block, 33);
            demand(block != NULL, "it fits");
            memset(block, (int)own + 1, 33);
        }
        if (i % 5 == 0) {
            moat_arena_free(arena, block);
            block = moat_arena_calloc(arena, 1, 20);
            demand(block != NULL, "it fits");
            memset(block, (int)own + 1, 20);
        }
        if (i % 50 == 0) {
            struct moat_stats stats;
            moat_arena_stats(arena, &stats);
            demand(moat_arena_check(arena) == 0, "nothing is damaged");
        }
        blocks[own][i] = block;
    }
    return NULL;
}

static void demand_all(void)
{
    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    demand(stats.live_blocks == (size_t)THREADS * BLOCKS, "all are live");
    for (size_t own = 0; own < THREADS; own++) {
        for (int i = 0; i < BLOCKS; i++) {
            for (int byte = 0; byte < 20; byte++) {
                demand(blocks[own][i][byte] == own + 1, "blocks are apart");
            }
        }
    }
}

static int share(void)
{
    create(MOAT_SHARING_LOCKED);
    run(fill, THREADS);
    demand_all();
    moat_arena_destroy(arena);
    return 0;
}

static int count_blocks(const struct moat_block *block, void *context)
{
    struct moat_stats stats;
    /* The thread is in the arena already. */
    moat_arena_stats(arena, &stats);
    *(size_t *)context += block->is_live;
    return 0;
}

/* One at a time, each where the one before stopped. */
static int join(void)
{
    create(MOAT_SHARING_NONE);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, fill, (void *)i);
        pthread_join(thread, NULL);
    }
    size_t count = 0;
    moat_arena_walk(arena, count_blocks, &count);
    demand(count == (size_t)THREADS * BLOCKS, "the walk sees all");
    demand_all();
    moat_arena_destroy(arena);
    return 0;
}

static void *fill_by_turns(void *number)
{
    size_t own = (size_t)number;
    for (int i = 0; i < BLOCKS; i++) {
        pthread_mutex_lock(&mutex);
        unsigned char *block = moat_arena_alloc(arena, 20);
        memset(block, (int)own + 1, 20);
        blocks[own][i] = block;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static int take_turns(void)
{
    create(MOAT_SHARING_NONE);
    run(fill_by_turns, THREADS);
    demand_all();
    moat_arena_destroy(arena);
    return 0;
}

static void *allocate_until_over(void *unused)
{
    (void)unused;
    while (!is_over) {
        if (moat_arena_alloc(arena, 16) == NULL) {
            moat_arena_reset(arena);
        }
    }
    return NULL;
}

/* A child gets the arena whole, and nobody in it. */
static int fork_meanwhile(void)
{
    create(MOAT_SHARING_LOCKED);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, allocate_until_over, NULL);
    }
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            size_t count = 0;
            struct moat_stats stats;
            moat_arena_walk(arena, count_blocks, &count);
            moat_arena_stats(arena, &stats);
            demand(count == stats.live_blocks, "the counts agree");
            moat_arena_reset(arena);
            demand(moat_arena_alloc(arena, 16) != NULL, "the child allocates");
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        demand(status == 0, "the child ends well");
    }
    is_over = true;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    moat_arena_destroy(arena);
    return 0;
}

static int fork_in_a_visit(const struct moat_block *block, void *context)
{
    (void)block;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        demand(moat_arena_alloc(arena, 16) != NULL, "the child allocates");
        if (*(int *)context == MOAT_SHARING_NONE) {
            /* The call is another process's now. */
            run(allocate_once, 1);
        }
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    demand(status == 0, "the child ends well");
    return 0;
}

/* The child of a thread that was in a call, and which is none of its own. */
static int fork_inside(void)
{
    for (int sharing = 0; sharing < 2; sharing++) {
        create((enum moat_sharing)sharing);
        moat_arena_alloc(arena, 16);
        moat_arena_walk(arena, fork_in_a_visit, &sharing);
        run(allocate_once, 1);
        moat_arena_destroy(arena);
    }
    return 0;
}

static int fault_in_a_visit(const struct moat_block *block, void *context)
{
    (void)block;
    *(volatile char *)context = 1;
    return 0;
}

/* A fault that is expected leaves the call. */
static int expect(void)
{
    for (int sharing = 0; sharing < 2; sharing++) {
        create((enum moat_sharing)sharing);
        moat_arena_alloc(arena, 16);
        struct moat_finding finding;
        MOAT_EXPECT_FAULT(&finding) {
            moat_arena_walk(arena, fault_in_a_visit,
                            (char *)moat_arena_limit(arena) + 8);
        }
        demand(finding.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW,
               "the fault was met");
        run(allocate_once, 1);
        moat_arena_destroy(arena);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*play)(void);
} scenes[] = {
    { "collide", collide },
    { "change_while_another_walks", change_while_another_walks },
    { "destroy_while_another_walks", destroy_while_another_walks },
    { "look_while_another_looks", look_while_another_looks },
    { "share", share },
    { "join", join },
    { "take_turns", take_turns },
    { "fork_meanwhile", fork_meanwhile },
    { "fork_inside", fork_inside },
    { "expect", expect },
};

int main(int count, char **arguments)
{
    if (count == 3) {
        layout = strcmp(arguments[2], "fenced") == 0 ? MOAT_LAYOUT_FENCED
                                                     : MOAT_LAYOUT_PACKED;
        for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
            if (strcmp(arguments[1], scenes[i].name) == 0) {
                return scenes[i].play();
            }
        }
    }
    fprintf(stderr, "usage: threads SCENE packed|fenced\n");
    return 2;
}
