/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * startup [LIBRARY [PROGRAM]]: what the preload library adds to a program that
 * does nothing, from its start to its end: the medians of runs without the
 * library and with it on each way of revoking, in turns. The library is that
 * of the build tree, of which this is to be run at the top.
 */
#include "bench/measure.h"

#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 200, KINDS = 6, PLAIN = 0 };

static const char *const names[KINDS]
    = { "plain", "auto", "move", "drop", "guard", "mprotect" };
static double elapsed[KINDS][RUNS];
static char preload[PATH_MAX + 16];
static char options[KINDS][64];

static void run_once(char *program, int kind, int run)
{
    char *words[] = { program, NULL };
    char *plain[] = { NULL };
    char *fenced[] = { preload, options[kind], NULL };
    pid_t child;
    int status;
    double began = measure_now();
    int error = posix_spawn(&child, program, NULL, NULL, words,
                            kind == PLAIN ? plain : fenced);
    if (error != 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "startup: %s, %s: %s\n", program, names[kind],
                error != 0 ? strerror(error) : "it failed");
        exit(EXIT_FAILURE);
    }
    elapsed[kind][run] = measure_now() - began;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one;
    double b = *(const double *)other;
    return (a > b) - (a < b);
}

static double median(int kind)
{
    qsort(elapsed[kind], RUNS, sizeof elapsed[kind][0], compare);
    return (elapsed[kind][RUNS / 2 - 1] + elapsed[kind][RUNS / 2]) / 2;
}

int main(int count, char *arguments[])
{
    char library[PATH_MAX];
    char *program = count > 2 ? arguments[2] : (char[]){ "/bin/true" };
    const char *path = count > 1 ? arguments[1] : ".libs/libmoat-preload.so";
    if (realpath(path, library) == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    for (int kind = 1; kind < KINDS; kind++) {
        snprintf(options[kind], sizeof options[kind],
                 "MOAT_OPTIONS=backend=%s", names[kind]);
    }
    for (int run = 0; run < RUNS; run++) {
        for (int kind = 0; kind < KINDS; kind++) {
            run_once(program, kind, run);
        }
    }
    double plain = median(PLAIN);
    printf("| way | plain, ms | with Moat, ms | more, ms |\n"
           "| --- | --- | --- | --- |\n");
    for (int kind = 1; kind < KINDS; kind++) {
        double fenced = median(kind);
        printf("| %s | %.3f | %.3f | %.3f |\n", names[kind], plain / 1e6,
               fenced / 1e6, (fenced - plain) / 1e6);
    }
    return EXIT_SUCCESS;
}
