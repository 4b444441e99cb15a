/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass of `moat check`: the program runs once, with a placement and an
 * alignment, its reports are collected, and afterwards there is a verdict.
 */
#ifndef PASS_H
#define PASS_H

#include "input.h"
#include "launch.h"

enum pass_verdict {
    /* It was not made, or not to its end. */
    PASS_OPEN,
    PASS_REPORTED,
    PASS_CLEAN,
    /* The program itself fails in it, as it does not without Moat. */
    PASS_UNUSABLE
};

struct pass {
    const char *name;
    /* Added to MOAT_OPTIONS; NULL: this is a run without Moat. */
    const char *options;
    enum pass_verdict verdict;
    bool has_run;
    /* Whether moat was asked to stop meanwhile. */
    bool is_stopped;
    struct ending ending;
    /* The file of its reports, and the text once it is read. */
    int log;
    char *reports;
    /* The file with what the program wrote; -1: it was not kept. */
    int output;
};

/*
 * Run the PROGRAM with LIBRARY and with the OPTIONS that hold for all passes,
 * as pass NUMBER of COUNT. The first pass has our standard output and error;
 * what the program writes in the others is kept in a file. Returns 0 or a
 * positive errno value.
 */
int pass_make(struct pass *pass, char *const *program, const char *library,
              const char *options, struct input *input, int number, int count);

/* Read what has been reported in PASS by now. Returns 0 or an errno value. */
int pass_read_reports(struct pass *pass);

/* Print the verdict, as a line; WITHOUT is the run without Moat, be it made
 * or not. */
void pass_say(const struct pass *pass, const struct pass *without);

/* Print the last lines of what the program wrote, if that was kept. */
void pass_show_output(const struct pass *pass);

#endif
