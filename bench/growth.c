/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What growing a buffer costs, from 64 KiB to 32 MiB by steps of 64 KiB, each
 * step written to: realloc() against the heap of Moat, which moves the buffer
 * each time so that a stale pointer is caught.
 */
#include "api/heap.h"
#include "bench/measure.h"
#include "bench/ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7 };

#define STEP_BYTES ((size_t)64 << 10)
#define LAST_BYTES ((size_t)32 << 20)

static void *grow_plain(void *buffer, size_t bytes)
{
    return realloc(buffer, bytes);
}

static void *grow_fenced(void *buffer, size_t bytes)
{
    return heap_reallocate(buffer, bytes, NULL);
}

static void *grow(void *(*reallocate)(void *, size_t))
{
    char *buffer = NULL;
    for (size_t bytes = STEP_BYTES; bytes <= LAST_BYTES;
         bytes += STEP_BYTES) {
        buffer = reallocate(buffer, bytes);
        if (buffer == NULL) {
            perror("growth");
            exit(EXIT_FAILURE);
        }
        memset(buffer + bytes - STEP_BYTES, 1, STEP_BYTES);
    }
    return buffer;
}

static int row(const char *way)
{
    struct measure plain = { 0 };
    struct measure fenced = { 0 };
    for (int round = 0; round < ROUNDS; round++) {
        measure_begin(&plain);
        void *buffer = grow(grow_plain);
        measure_end(&plain);
        free(buffer);
        measure_begin(&fenced);
        buffer = grow(grow_fenced);
        measure_end(&fenced);
        heap_free(buffer, MOAT_FAMILY_MALLOC, NULL);
    }
    printf("| %s | %.1f | %.1f | %.1f |\n", way, plain.fastest / 1e6,
           fenced.fastest / 1e6, fenced.fastest / plain.fastest);
    return EXIT_SUCCESS;
}

int main(int count, char *arguments[])
{
    if (count == 4) {
        return row(arguments[2]);
    }
    printf("| way | realloc, ms | Moat, ms | ratio |\n"
           "| --- | --- | --- | --- |\n");
    return ways_run("growth", "");
}
