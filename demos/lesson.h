/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a demo check itself: claims, and crimes. Moat ends the process
 * that it reports, so a demo commits each crime in a process of its own: it
 * runs itself again, with the name of the crime as its argument.
 */
#ifndef LESSON_H
#define LESSON_H

#include <stdbool.h>

/* How many facts a crime can have. */
enum { LESSON_FACTS = 4 };

struct crime {
    const char *name;
    /* Makes its own arena, so that it needs nothing from the demo. */
    void (*commit)(void);
    /* What Moat must say, in the words of its report. */
    const char *kind;
    const char *seen_at;
    /* What else must be in it, such as the distance, the block, the arena. */
    const char *facts[LESSON_FACTS];
    /* How many reports there must be; 0 is one. */
    unsigned reports;
    /* Whether Moat is told to go on after a report (halt_on_error=0). Then the
     * process ends as its claims have it. */
    bool goes_on;
};

/*
 * Start a demo with the arguments of main(). When they name one of CRIMES,
 * which ends with an empty one, commit it and end the process as lesson_end()
 * says.
 */
void lesson_start(int argument_count, char *const arguments[],
                  const struct crime crimes[]);

/*
 * Commit CRIME in a new process and show, indented, what it and Moat wrote.
 * Claim that the reports were as CRIME says, the last of them by that process,
 * and that it ended with exit status 99, or 0 if it was to go on.
 */
void lesson_crime(const struct crime *crime);

/* What that process wrote, until the next one. */
const char *lesson_heard(void);

/* Return POINTER, which a demo cannot do without: NULL ends it, with what
 * errno says. */
void *lesson_need(void *pointer);

/*
 * Note that the lesson says CLAIM, and whether it HELD. One that did not is
 * printed, and lesson_end() will say so.
 */
void lesson_claim(bool held, const char *claim);

/* Return the exit status for main(): success when all claims held. */
int lesson_end(void);

#endif
