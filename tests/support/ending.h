/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a program ended: it is run with options of Moat's, and what it wrote to
 * standard error is kept and taken apart.
 */
#ifndef SUPPORT_ENDING_H
#define SUPPORT_ENDING_H

#include <stdbool.h>
#include <stddef.h>

struct ending {
    /* -1 when a signal ended it. */
    int exit_status;
    /* 0 when it exited. */
    int signal;
    int pid;
    /* What it wrote; cut when it is more. */
    char text[65536];
    /* How many lines start a report. */
    int reports;
    /* Of the first report. */
    int reporter;
    char kind[64];
    char seen[16];
    /* The second line, and all damage lines with "; " between them; each
     * address in them is a '*', a thread's and a process's number a '#'. */
    char relation[512];
    char damage[1024];
};

/*
 * Run the program ARGUMENTS[0], NULL behind the last argument, with
 * MOAT_OPTIONS set to OPTIONS. Ends the test when it cannot be run, or runs
 * for more than 60 seconds.
 */
struct ending ending_of(char *const arguments[], const char *options);

/*
 * The ways to revoke that this machine has, as "backend=NAME": mprotect first,
 * which all have. Says on standard output, for TAP, why others are not tested.
 * Returns how many there are. Also for outside of a test.
 */
enum { ENDING_BACKENDS = 4 };
extern const char *ending_backends[ENDING_BACKENDS];
int ending_find_backends(void);

/*
 * The path of PROGRAM, built in the same folder as the running test. Static.
 * Also for outside of a test.
 */
char *ending_program(const char *program);

#endif
