/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A benchmark once for each way of revoking, each time in a process of its own
 * that gets no other way than the one it is to measure.
 */
#ifndef BENCH_WAYS_H
#define BENCH_WAYS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Run this program with the arguments FIRST, WAY and SECOND in a child. A way
 * that does not work here is said. Returns an exit status.
 */
static inline int ways_run_one(const char *first, const char *way,
                               const char *second)
{
    char options[128];
    snprintf(options, sizeof options,
             "backend=%s:require=strict:max_memory=1000G", way);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setenv("MOAT_OPTIONS", options, 1);
        execl("/proc/self/exe", "bench", first, way, second, (char *)NULL);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "%s, %s: no result\n", first, way);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/*
 * The same on each way. Returns the exit status for main(): only when none
 * works a failure.
 */
static inline int ways_run(const char *first, const char *second)
{
    static const char *const ways[] = { "move", "drop", "guard", "mprotect" };
    int failures = 0;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        failures += ways_run_one(first, ways[i], second) != EXIT_SUCCESS;
    }
    return failures == 4 ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
