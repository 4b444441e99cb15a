/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests that are made in each form of arena: the arguments "fenced" and
 * "shared" of the program choose it. Reports do not end it; MOAT_OPTIONS says
 * so, unless there is one.
 */
#ifndef SUPPORT_FORM_H
#define SUPPORT_FORM_H

#include <moat.h>

#include "tests/support/unit.h"

#include <string.h>
#include <unistd.h>

static enum moat_layout layout;
static enum moat_sharing sharing;

/* The end of main(); NAME and ADD as of unit_run(). */
static inline int form_run(const char *name, void (*add)(TCase *),
                           int argument_count, char *arguments[])
{
    /* Moat reads its options when the program starts: start again. */
    if (getenv("MOAT_OPTIONS") == NULL) {
        setenv("MOAT_OPTIONS", "halt_on_error=0", 1);
        execv("/proc/self/exe", arguments);
        return 99;
    }
    for (int i = 1; i < argument_count; i++) {
        if (strcmp(arguments[i], "fenced") == 0) {
            layout = MOAT_LAYOUT_FENCED;
        } else if (strcmp(arguments[i], "shared") == 0) {
            sharing = MOAT_SHARING_LOCKED;
        }
    }
    return unit_run(name, add);
}

#endif
