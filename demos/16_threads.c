/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 16: threads. Two threads share an arena, and nobody locks it. `used += size`
 * is two steps, a read and a write; when both threads read before either
 * writes, both get the same block. It happens once in a million times, and
 * not at home.
 *
 * Moat knows who is in a call on an arena, and reports the second one with the
 * names of both, though nothing has come of it yet. An arena that is made to
 * be shared locks instead.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 32, THREADS = 2 };

static pthread_barrier_t meeting;

struct worker {
    struct naive_arena *arena;
    int number;
    size_t seen;
    char *block;
    /* What it wrote to its block, and what it read there afterwards. */
    char wrote[BLOCK_BYTES];
    char read[BLOCK_BYTES];
};

static void meet(void)
{
    pthread_barrier_wait(&meeting);
}

/*
 * naive_alloc(), in steps that the threads take in turns. In a program the
 * scheduler does that; here they meet between the steps, so that it comes out
 * like this every day.
 */
static void *work_naively(void *argument)
{
    struct worker *worker = argument;
    struct naive_arena *arena = worker->arena;

    worker->seen = arena->used;
    worker->block = arena->base + worker->seen;
    meet();
    for (int turn = 0; turn < THREADS; turn++) {
        if (turn == worker->number) {
            arena->used = worker->seen + BLOCK_BYTES;
            strcpy(worker->block, worker->wrote);
        }
        meet();
    }
    memcpy(worker->read, worker->block, BLOCK_BYTES);
    return NULL;
}

/* Run FIRST and SECOND at once, each with its worker if WORKERS is not NULL.
 */
static void run_threads(void *(*first)(void *), void *(*second)(void *),
                        struct worker *workers)
{
    void *(*const works[THREADS])(void *) = { first, second };
    pthread_t threads[THREADS];

    pthread_barrier_init(&meeting, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        int error = pthread_create(&threads[i], NULL, works[i],
                                   workers != NULL ? &workers[i] : NULL);
        if (error != 0) {
            fprintf(stderr, "pthread_create: %s\n", strerror(error));
            exit(EXIT_FAILURE);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&meeting);
}

static void naive_threads(void)
{
    legend_title("A naive arena, and two threads that allocate 32 bytes");
    struct naive_arena arena = naive_create(CAPACITY);
    struct worker workers[THREADS] = {
        { .arena = &arena, .number = 0, .wrote = "the first thread's" },
        { .arena = &arena, .number = 1, .wrote = "the second thread's" },
    };

    run_threads(work_naively, work_naively, workers);
    for (int i = 0; i < THREADS; i++) {
        legend_say(LEGEND_OK, "thread %d read offset %zu, and wrote %zu",
                   i + 1, workers[i].seen, workers[i].seen + BLOCK_BYTES);
    }
    size_t handed_out = (size_t)THREADS * BLOCK_BYTES;
    lesson_claim(arena.used < handed_out, "an allocation is lost");
    legend_say(LEGEND_CORRUPT, "%zu bytes are handed out, %zu are counted",
               handed_out, arena.used);
    lesson_claim(workers[0].block == workers[1].block,
                 "both threads got one block");
    lesson_claim(strcmp(workers[0].read, workers[0].wrote) != 0,
                 "the first thread's block is written over");
    legend_say(LEGEND_CORRUPT, "thread 1 wrote \"%s\", and reads \"%s\"",
               workers[0].wrote, workers[0].read);
    naive_destroy(&arena);
}

static struct moat_arena *arena;

/* In the middle of a call on the arena, until the other thread has made its
 * own. */
static int be_inside(const struct moat_block *block, void *unused)
{
    (void)block;
    (void)unused;
    meet();
    meet();
    return 1;
}

static void *look_at_blocks(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "alice");
    moat_arena_walk(arena, be_inside, NULL);
    return NULL;
}

static void *allocate(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "bob");
    meet();
    moat_arena_alloc(arena, BLOCK_BYTES);
    meet();
    return NULL;
}

static void meet_in_the_arena(void)
{
    arena = lesson_need(moat_arena_create("desk", CAPACITY));
    lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
    run_threads(look_at_blocks, allocate, NULL);
}

enum { MEETING, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [MEETING]
    = { .name = "meeting",
        .commit = meet_in_the_arena,
        .kind = "data-race",
        .seen_at = "access",
        .facts = { "ALLOC from ", ", 0 bytes inside arena \"desk\" [",
                   ", \"bob\")\nthread T",
                   ", \"alice\") was in a call on the same arena" } },
};

enum { SHARED_BLOCKS = 1000 };

/* Each thread writes its number to blocks of its own. */
static void *fill_blocks(void *argument)
{
    struct worker *worker = argument;

    meet();
    for (int i = 0; i < SHARED_BLOCKS; i++) {
        int *block = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
        *block = worker->number;
    }
    return NULL;
}

static int count_block(const struct moat_block *block, void *context)
{
    int *blocks = context;

    blocks[*(const int *)block->start]++;
    return 0;
}

static void share(void)
{
    struct moat_arena_config config
        = { .name = "desk",
            .capacity = (size_t)THREADS * SHARED_BLOCKS * BLOCK_BYTES,
            .sharing = MOAT_SHARING_LOCKED };
    struct worker workers[THREADS] = { { .number = 0 }, { .number = 1 } };
    int blocks[THREADS] = { 0 };

    arena = lesson_need(moat_arena_create_with(&config));
    run_threads(fill_blocks, fill_blocks, workers);
    moat_arena_walk(arena, count_block, blocks);
    lesson_claim(blocks[0] == SHARED_BLOCKS && blocks[1] == SHARED_BLOCKS
                     && moat_arena_check(arena) == 0,
                 "each thread has the blocks that it asked for");
    legend_say(LEGEND_OK,
               "both allocate %d blocks at once: %d are thread 1's, %d are"
               " thread 2's",
               SHARED_BLOCKS, blocks[0], blocks[1]);
    moat_arena_destroy(arena);
}

static void moat_threads(void)
{
    legend_title("Two threads that meet in a Moat arena");
    legend_say(LEGEND_REFUSED,
               "alice looks at the blocks, bob allocates one:");
    lesson_crime(&crimes[MEETING]);

    legend_title("The same threads and an arena with MOAT_SHARING_LOCKED");
    share();
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_threads();
    moat_threads();
    return lesson_end();
}
