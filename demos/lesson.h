/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a demo check itself: claims, and crimes. Moat ends the process
 * that it reports, so a demo commits each crime in a process of its own: it
 * runs itself again, with the name of the crime as its argument.
 */
#ifndef LESSON_H
#define LESSON_H

#include <stdbool.h>

struct crime {
    const char *name;
    /* Makes its own arena, so that it needs nothing from the demo. */
    void (*commit)(void);
    /* What Moat must say, in the words of its report. */
    const char *kind;
    const char *seen_at;
};

/*
 * Start a demo with the arguments of main(). When they name one of CRIMES,
 * which ends with an empty one, commit it and end the process.
 */
void lesson_start(int argument_count, char *const arguments[],
                  const struct crime crimes[]);

/*
 * Commit CRIME in a new process and show, indented, what Moat wrote. Claim
 * that this was one report, as CRIME says, and that the process ended with
 * exit status 99.
 */
void lesson_crime(const struct crime *crime);

/*
 * Note that the lesson says CLAIM, and whether it HELD. One that did not is
 * printed, and lesson_end() will say so.
 */
void lesson_claim(bool held, const char *claim);

/* Return the exit status for main(): success when all claims held. */
int lesson_end(void);

#endif
