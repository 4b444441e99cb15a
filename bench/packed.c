/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an allocation in a packed arena costs, against a bare bump pointer that
 * keeps a header of the same size before each block: 32 bytes of canary and a
 * record of 48 bytes in the one, 80 bytes written in the other.
 *
 * Both start on fresh memory, as an arena does, so that both pay the kernel
 * for their pages.
 */
#include "bench/measure.h"

#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCKS = 20000, ROUNDS = 25, HEADER_BYTES = 80, ALIGNMENT = 16 };

struct bump {
    char *start;
    size_t bytes;
    size_t cursor;
};

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static __attribute__((noinline)) void *bump_alloc(struct bump *bump,
                                                  size_t size)
{
    size_t end = bump->cursor + HEADER_BYTES + round_up(size);
    if (end > bump->bytes) {
        return NULL;
    }
    char *header = bump->start + bump->cursor;
    uint64_t words[HEADER_BYTES / sizeof(uint64_t)];
    for (size_t i = 0; i < HEADER_BYTES / sizeof(uint64_t); i++) {
        words[i] = size + i;
    }
    memcpy(header, words, sizeof words);
    bump->cursor = end;
    return header + HEADER_BYTES;
}

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void bump_run(struct measure *measure, size_t size)
{
    struct bump bump = { .bytes = BLOCKS * (HEADER_BYTES + round_up(size)) };
    bump.start = mmap(NULL, bump.bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bump.start == MAP_FAILED) {
        fail("mmap");
    }
    madvise(bump.start, bump.bytes, MADV_NOHUGEPAGE);
    measure_begin(measure);
    for (int i = 0; i < BLOCKS; i++) {
        if (bump_alloc(&bump, size) == NULL) {
            fail("bump_alloc");
        }
    }
    measure_end(measure);
    munmap(bump.start, bump.bytes);
}

static void moat_run(struct measure *measure, size_t size)
{
    struct moat_arena *arena
        = moat_arena_create("bench", BLOCKS * round_up(size) + ALIGNMENT);
    if (arena == NULL) {
        fail("moat_arena_create");
    }
    measure_begin(measure);
    for (int i = 0; i < BLOCKS; i++) {
        if (moat_arena_alloc(arena, size) == NULL) {
            fail("moat_arena_alloc");
        }
    }
    measure_end(measure);
    moat_arena_destroy(arena);
}

int main(void)
{
    static const size_t sizes[] = { 16, 64, 256, 1024 };
    printf("packed allocation against a bare bump pointer with %d bytes of "
           "header\n%8s %10s %10s %8s\n",
           HEADER_BYTES, "size", "bump ns", "moat ns", "ratio");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct measure bump = { 0 };
        struct measure moat = { 0 };
        for (int round = 0; round < ROUNDS; round++) {
            bump_run(&bump, sizes[i]);
            moat_run(&moat, sizes[i]);
        }
        printf("%8zu %10.1f %10.1f %8.2f\n", sizes[i],
               bump.fastest / BLOCKS, moat.fastest / BLOCKS,
               moat.fastest / bump.fastest);
    }
    return EXIT_SUCCESS;
}
