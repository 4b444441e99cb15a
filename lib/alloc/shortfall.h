/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shortfalls: where Moat runs weaker than was asked for. Each is counted, the
 * first of a kind is said on standard error, and with require=strict it ends
 * the process.
 *
 * Thread-safe; async-signal-safe.
 */
#ifndef ALLOC_SHORTFALL_H
#define ALLOC_SHORTFALL_H

#include <stdbool.h>
#include <stddef.h>

enum shortfall {
    /* Pages of an arena are armed and revoked by mprotect(). */
    SHORTFALL_UNPREPARED,
    SHORTFALL_REVOKED_BY_MPROTECT,
    SHORTFALL_ARMED_BY_MPROTECT,
    /* An allocation was refused. */
    SHORTFALL_REFUSED,
    /* A freed block is canary, and readable. */
    SHORTFALL_STAMPED,
    /* Neither that: the program has its own mapping or protection there. */
    SHORTFALL_NOT_STAMPED,
    /* The way said that a block was revoked, and it was not. */
    SHORTFALL_NOT_REVOKED,
    /* A destroyed arena is still accessible. */
    SHORTFALL_LEFT_OPEN,
    /* Blocks of a size come from a weaker way from now on. */
    SHORTFALL_WEAKER_WAY,
    /* At start the guard of a way, or of every way, did not hold. */
    SHORTFALL_UNPROVEN,
    SHORTFALL_NO_GUARDS,
    /* A block has canaries and no guard page. */
    SHORTFALL_OVER_MEMORY,
    SHORTFALL_OVER_MAPPINGS,
    /* A block of libc's own malloc() was given back to it. */
    SHORTFALL_PASSED_THROUGH,
    /* The program brings its own malloc(). */
    SHORTFALL_OWN_MALLOC,
    SHORTFALLS
};

/* Whether a shortfall ends the process, with EXIT_STATUS. */
void shortfall_start(bool is_strict, int exit_status);

void shortfall_note(enum shortfall what);

size_t shortfall_count(enum shortfall what);

/* What is said of WHAT, in a few words, for a list. */
const char *shortfall_name(enum shortfall what);

#endif
