/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What moat_arena_check() costs, against memcpy() of the same blocks: as
 * bandwidth over the bytes of the blocks.
 */
#include "bench/measure.h"

#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOTAL_BYTES = 16 << 20, ROUNDS = 25 };

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

int main(void)
{
    static const size_t sizes[] = { 16, 64, 256, 1024, 4096 };
    char *from = malloc(TOTAL_BYTES);
    char *to = malloc(TOTAL_BYTES);
    if (from == NULL || to == NULL) {
        fail("malloc");
    }
    memset(from, 1, TOTAL_BYTES);
    memset(to, 2, TOTAL_BYTES);
    printf("sweep against memcpy over %d MiB of blocks\n"
           "%8s %14s %13s %18s\n",
           TOTAL_BYTES >> 20, "size", "memcpy GB/s", "sweep GB/s",
           "sweep / memcpy");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct moat_arena *arena = moat_arena_create("sweep", TOTAL_BYTES);
        if (arena == NULL) {
            fail("moat_arena_create");
        }
        for (size_t used = 0; used < TOTAL_BYTES; used += sizes[i]) {
            if (moat_arena_alloc(arena, sizes[i]) == NULL) {
                fail("moat_arena_alloc");
            }
        }
        struct measure copy = { 0 };
        struct measure sweep = { 0 };
        for (int round = 0; round < ROUNDS; round++) {
            measure_begin(&copy);
            memcpy(to, from, TOTAL_BYTES);
            __asm__ volatile("" : : "r"(to) : "memory");
            measure_end(&copy);
            measure_begin(&sweep);
            if (moat_arena_check(arena) != 0) {
                return EXIT_FAILURE;
            }
            measure_end(&sweep);
        }
        printf("%8zu %14.1f %13.1f %18.2f\n", sizes[i],
               TOTAL_BYTES / copy.fastest, TOTAL_BYTES / sweep.fastest,
               copy.fastest / sweep.fastest);
        moat_arena_destroy(arena);
    }
    free(from);
    free(to);
    return EXIT_SUCCESS;
}
