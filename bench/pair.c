/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pair [MOST]: what a fenced block costs on each way of revoking.
 *
 * First a pair, which is a guarded copy of 64 bytes made and freed, against
 * the bare system calls of the way in the same run, and what two threads get
 * done against one. For move the calls are also measured with a touch of the
 * page that was moved, as the others touch theirs: without nested page tables
 * a virtual machine traps on the first touch, which costs as much again. Then
 * with 1000 to MOST blocks live, allocated and freed last in first out or in
 * random order. Each row is a process of its own.
 */
#include "bench/bare.h"
#include "bench/measure.h"
#include "bench/ways.h"

#include <moat.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAIRS = 50000,
    ROUNDS = 9,
    SIZE = 64,
    /* On mprotect each live block is a mapping of its own. */
    MOST_MAPPINGS = 10000
};

static const char bytes[SIZE];

static void *copy(void)
{
    void *block = moat_guarded_copy(bytes, SIZE, MOAT_PLACEMENT_AFTER);
    if (block == NULL) {
        perror("moat_guarded_copy");
        exit(EXIT_FAILURE);
    }
    return block;
}

static void make_pairs(void)
{
    for (int i = 0; i < PAIRS; i++) {
        moat_guarded_free(copy());
    }
}

/* Set by the thread that is first to make PAIRS pairs. */
static _Atomic bool is_over;
static _Atomic long pairs_made;

static void *make_pairs_until_over(void *unused)
{
    long made = 0;
    while (!is_over) {
        moat_guarded_free(copy());
        made++;
        if (made == PAIRS) {
            is_over = true;
        }
    }
    pairs_made += made;
    return unused;
}

/* Nanoseconds a pair, as long as both threads are at it. */
static double two_threads(void)
{
    struct measure measure = { 0 };
    pthread_t other;
    is_over = false;
    pairs_made = 0;
    measure_begin(&measure);
    if (pthread_create(&other, NULL, make_pairs_until_over, NULL) != 0) {
        perror("pthread_create");
        exit(EXIT_FAILURE);
    }
    make_pairs_until_over(NULL);
    measure_end(&measure);
    pthread_join(other, NULL);
    return measure.fastest / (double)pairs_made;
}

static bool make_calls(struct bare *bare, struct measure *measure,
                       bool is_touched)
{
    measure_begin(measure);
    for (int i = 0; i < PAIRS; i++) {
        if (!(is_touched ? bare_touched(bare) : bare_pair(bare))) {
            return false;
        }
    }
    measure_end(measure);
    return true;
}

static int pair_row(const char *way)
{
    struct bare bare;
    struct measure calls = { 0 };
    struct measure touched = { 0 };
    struct measure one = { 0 };
    double two = 0;
    if (!bare_start(&bare, way)) {
        perror(way);
        return EXIT_FAILURE;
    }
    for (int round = 0; round < ROUNDS; round++) {
        if (!make_calls(&bare, &calls, false)
            || !make_calls(&bare, &touched, true)) {
            perror(way);
            return EXIT_FAILURE;
        }
        measure_begin(&one);
        make_pairs();
        measure_end(&one);
        double pair = two_threads();
        two = two == 0 || pair < two ? pair : two;
    }
    printf("| %s | %.0f | %.0f | %.0f | %.2f | %.2f | %.2f |\n", way,
           calls.fastest / PAIRS, touched.fastest / PAIRS, one.fastest / PAIRS,
           one.fastest / calls.fastest, one.fastest / touched.fastest,
           one.fastest / PAIRS / two);
    return EXIT_SUCCESS;
}

static void shuffle(void **blocks, size_t count)
{
    unsigned long seed = 1;
    for (size_t i = count - 1; i > 0; i--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t other = (size_t)(seed >> 33) % (i + 1);
        void *kept = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = kept;
    }
}

/* Nanoseconds for a pair when COUNT blocks are allocated, then freed. */
static double burst(void **blocks, size_t count, bool is_random)
{
    struct measure measure = { 0 };
    int rounds = count < 100000 ? ROUNDS : 3;
    for (int round = 0; round < rounds; round++) {
        double elapsed = -measure_now();
        for (size_t i = 0; i < count; i++) {
            blocks[i] = copy();
        }
        elapsed += measure_now();
        if (is_random) {
            shuffle(blocks, count);
        }
        elapsed -= measure_now();
        for (size_t i = count; i-- > 0;) {
            moat_guarded_free(blocks[i]);
        }
        elapsed += measure_now();
        if (measure.fastest == 0 || elapsed < measure.fastest) {
            measure.fastest = elapsed;
        }
    }
    return measure.fastest / (double)count;
}

static int live_row(const char *way, size_t most)
{
    bool is_limited = strcmp(way, "mprotect") == 0;
    void **blocks = malloc(most * sizeof *blocks);
    if (blocks == NULL) {
        perror("malloc");
        return EXIT_FAILURE;
    }
    double last_first_least = 0;
    double random_least = 0;
    for (size_t count = 1000; count <= most; count *= 10) {
        if (is_limited && count > MOST_MAPPINGS) {
            break;
        }
        double last_first = burst(blocks, count, false);
        double random = burst(blocks, count, true);
        if (count == 1000) {
            last_first_least = last_first;
            random_least = random;
        }
        printf("| %s | %zu | %.0f | %.2f | %.0f | %.2f |\n", way, count,
               last_first, last_first / last_first_least, random,
               random / random_least);
        if (count < most && count > most / 10) {
            count = most / 10;
        }
    }
    free(blocks);
    return EXIT_SUCCESS;
}

int main(int count, char *arguments[])
{
    if (count == 4 && strcmp(arguments[1], "pair") == 0) {
        return pair_row(arguments[2]);
    }
    if (count == 4) {
        return live_row(arguments[2], strtoul(arguments[3], NULL, 10));
    }
    const char *most = count > 1 ? arguments[1] : "100000";
    printf("| way | bare calls, ns | with a touch, ns | a pair, ns "
           "| by bare | by touched | two threads' throughput by one's |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n");
    int status = ways_run("pair", most);
    printf("\n| way | live | last in first out, ns | by 1000's "
           "| random order, ns | by 1000's |\n"
           "| --- | --- | --- | --- | --- | --- |\n");
    return status | ways_run("live", most);
}
