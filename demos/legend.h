/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The signs that the demos put in front of what happened, so that all of them
 * read alike. Where NO_COLOR is set, or the locale's characters are not UTF-8,
 * they are plain words.
 */
#ifndef LEGEND_H
#define LEGEND_H

enum legend {
    /* A normal allocation, or anything that went as it should. */
    LEGEND_OK,
    /* A block that nobody holds any more. */
    LEGEND_LEAK,
    /* Bytes that somebody overwrote who does not own them. */
    LEGEND_CORRUPT,
    /* A picture of what the heap holds. */
    LEGEND_HEAP,
    /* Memory that was given back. */
    LEGEND_UNMAPPED,
    /* A request, or an access, that was refused. */
    LEGEND_REFUSED
};

/* Choose between signs and words; once, before anything else here. */
void legend_start(void);

/* Print a heading, TITLE, with a blank line in front of it. */
void legend_title(const char *title);

/* Print SIGN and a line, as printf() would. */
void legend_say(enum legend sign, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
