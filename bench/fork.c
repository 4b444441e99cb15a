/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fork [COUNT]: what a fork() costs, until the child has ended, with COUNT live
 * blocks, against one with as many pages of plain memory. Where each block is a
 * mapping of its own, each plain page is one too, with an inaccessible one
 * behind it: the kernel copies mapping by mapping.
 */
#include "bench/measure.h"
#include "bench/ways.h"

#include <moat.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ROUNDS = 15, SIZE = 64 };

static const char bytes[SIZE];

static void fork_once(struct measure *measure)
{
    int status;
    measure_begin(measure);
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    measure_end(measure);
}

static void measure_plain(size_t count, bool is_split, struct measure *plain)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t step = is_split ? 2 * page_bytes : page_bytes;
    int access = is_split ? PROT_NONE : PROT_READ | PROT_WRITE;
    char *pages = mmap(NULL, count * step, access,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
    madvise(pages, count * step, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < count; i++) {
        if (is_split
            && mprotect(pages + i * step, page_bytes, PROT_READ | PROT_WRITE)
                   != 0) {
            perror("mprotect");
            exit(EXIT_FAILURE);
        }
        memset(pages + i * step, 1, page_bytes);
    }
    fork_once(plain);
    munmap(pages, count * step);
}

static void measure_fenced(size_t count, void **blocks,
                           struct measure *fenced)
{
    for (size_t i = 0; i < count; i++) {
        blocks[i] = moat_guarded_copy(bytes, SIZE, MOAT_PLACEMENT_AFTER);
    }
    fork_once(fenced);
    for (size_t i = 0; i < count; i++) {
        moat_guarded_free(blocks[i]);
    }
}

static int row(const char *way, size_t count)
{
    struct measure plain = { 0 };
    struct measure fenced = { 0 };
    void **blocks = malloc(count * sizeof *blocks);
    if (blocks == NULL) {
        perror("malloc");
        return EXIT_FAILURE;
    }
    for (int round = 0; round < ROUNDS; round++) {
        measure_plain(count, strcmp(way, "mprotect") == 0, &plain);
        measure_fenced(count, blocks, &fenced);
    }
    printf("| %s | %.2f | %.2f | %.2f |\n", way, plain.fastest / 1e6,
           fenced.fastest / 1e6, fenced.fastest / plain.fastest);
    free(blocks);
    return EXIT_SUCCESS;
}

int main(int count, char *arguments[])
{
    if (count == 4) {
        return row(arguments[2], strtoul(arguments[3], NULL, 10));
    }
    printf("| way | plain, ms | with live blocks, ms | ratio |\n"
           "| --- | --- | --- | --- |\n");
    return ways_run("fork", count > 1 ? arguments[1] : "10000");
}
