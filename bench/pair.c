/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fenced block costs: allocating, writing and freeing 64 bytes, against
 * the bare system calls of the way that is taken, in the same run.
 *
 * One block at a time, then with more of them live, freed last in first out
 * and in random order.
 */
#include "bench/measure.h"

#include <moat.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

enum { PAIRS = 20000, ROUNDS = 7, SIZE = 64, PAGE = 4096 };

static const char bytes[SIZE];

static bool has_markers(char *page)
{
    return madvise(page, PAGE, MADV_GUARD_INSTALL) == 0
           && madvise(page, PAGE, MADV_GUARD_REMOVE) == 0;
}

/* Nanoseconds for a page armed, touched and revoked by hand. */
static double bare(char *page, bool is_guard)
{
    struct measure measure = { 0 };
    for (int round = 0; round < ROUNDS; round++) {
        measure_begin(&measure);
        for (int i = 0; i < PAIRS; i++) {
            if (is_guard) {
                madvise(page, PAGE, MADV_GUARD_REMOVE);
                *(volatile char *)page = 1;
                madvise(page, PAGE, MADV_GUARD_INSTALL);
            } else {
                mprotect(page, PAGE, PROT_READ | PROT_WRITE);
                *(volatile char *)page = 1;
                mprotect(page, PAGE, PROT_NONE);
                madvise(page, PAGE, MADV_DONTNEED);
            }
        }
        measure_end(&measure);
        if (is_guard) {
            madvise(page, PAGE, MADV_GUARD_REMOVE);
        } else {
            mprotect(page, PAGE, PROT_READ | PROT_WRITE);
        }
    }
    return measure.fastest / PAIRS;
}

static void *copy(void)
{
    void *block = moat_guarded_copy(bytes, SIZE, MOAT_PLACEMENT_AFTER);
    if (block == NULL) {
        perror("moat_guarded_copy");
        exit(EXIT_FAILURE);
    }
    return block;
}

/* The same for blocks of Moat's. */
static double fenced(void)
{
    struct measure measure = { 0 };
    for (int round = 0; round < ROUNDS; round++) {
        measure_begin(&measure);
        for (int i = 0; i < PAIRS; i++) {
            moat_guarded_free(copy());
        }
        measure_end(&measure);
    }
    return measure.fastest / PAIRS;
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

/* A pair when COUNT blocks are allocated, then freed. */
static double burst(size_t count, bool is_random)
{
    void **blocks = malloc(count * sizeof *blocks);
    struct measure measure = { 0 };
    for (int round = 0; round < 3; round++) {
        double elapsed = measure_now();
        for (size_t i = 0; i < count; i++) {
            blocks[i] = copy();
        }
        elapsed = measure_now() - elapsed;
        if (is_random) {
            shuffle(blocks, count);
        }
        double began = measure_now();
        for (size_t i = count; i-- > 0;) {
            moat_guarded_free(blocks[i]);
        }
        elapsed += measure_now() - began;
        if (measure.fastest == 0 || elapsed < measure.fastest) {
            measure.fastest = elapsed;
        }
    }
    free(blocks);
    return measure.fastest / (double)count;
}

int main(int argument_count, char *arguments[])
{
    size_t most = argument_count > 1 ? strtoul(arguments[1], NULL, 10) : 10000;
    const char *options = getenv("MOAT_OPTIONS");
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        perror("mmap");
        return EXIT_FAILURE;
    }
    bool is_guard
        = has_markers(page)
          && (options == NULL || strstr(options, "backend=mprotect") == NULL);
    double base = bare(page, is_guard);
    double pair = fenced();
    printf("a pair of %d bytes, by %s\n%-26s %10s %8s\n", SIZE,
           is_guard ? "guard markers" : "mprotect", "", "ns", "ratio");
    printf("%-26s %10.0f %8.2f\n", "bare system calls", base, 1.0);
    printf("%-26s %10.0f %8.2f\n", "one block at a time", pair, pair / base);
    for (size_t count = 1000; count <= most; count *= 10) {
        double last_first = burst(count, false);
        double random = burst(count, true);
        printf("%9zu, last in first out %10.0f %8.2f\n", count, last_first,
               last_first / base);
        printf("%9zu, random order      %10.0f %8.2f\n", count, random,
               random / base);
    }
    return EXIT_SUCCESS;
}
