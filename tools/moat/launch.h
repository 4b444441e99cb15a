/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a program with libmoat-preload.so in place of its malloc(), and
 * waiting for it: what `moat run` and `moat check` have in common.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "record/tally.h"

#include <limits.h>
#include <stdbool.h>

struct launch {
    /* The program's name and arguments, ending with NULL. */
    char *const *arguments;
    /* The library's path; NULL: the program runs without Moat. */
    const char *library;
    /* What MOAT_OPTIONS is for it; unused without Moat. */
    const char *options;
    /* What it has as standard input, output and error; -1: what we have. */
    int standard[3];
    /* Called about once a second, with the seconds since the start; or NULL. */
    void (*tick)(double seconds, void *context);
    void *context;
};

/* How a program has ended. */
struct ending {
    /* As waitpid() gives it. */
    int status;
    double seconds;
    /* What its processes have said of themselves; NULL without Moat. */
    const struct tally *tally;
};

/*
 * Read the "--KEY=VALUE"s behind the command's name, arguments[0], and add them
 * to what MOAT_OPTIONS is; store the text in *OPTIONS, which lives as long as
 * moat, and the place of the program's name in *PROGRAM. Returns COMMAND_OK; or
 * what moat ends with, and has said why.
 */
int launch_options(char *const arguments[], const char **options,
                   int *program);

/*
 * Look whether PROGRAM can be run with Moat and store in LIBRARY, of PATH_MAX
 * bytes, the library's path. Returns COMMAND_OK; or what moat ends with, and
 * has said why.
 */
int launch_check(const char *program, char library[PATH_MAX]);

/*
 * Run the program and wait for its end. Signals that are meant for it are
 * passed on. Returns 0 and stores how it ended; EINTR, it was not started
 * because moat has been asked to stop; or why it could not be run, as an errno
 * value. That the program itself could not be executed is exit status 2, and
 * has been said on its standard error.
 */
int launch(const struct launch *launch, struct ending *ending);

/* By which signal moat has been asked to stop; 0: not at all. */
int launch_stopped_by(void);

/* The exit status as a shell has it, of a STATUS as waitpid() gives it. */
int launch_exit_status(int status);

#endif
