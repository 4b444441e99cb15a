/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of what lies on top of a way to revoke: each runs on all of them, and
 * says for TAP on which it could not.
 */
#ifndef SUPPORT_WAYS_H
#define SUPPORT_WAYS_H

#include "os/pages.h"
#include "os/revoke.h"
#include "tests/support/child.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The numbers of revoke_way_at(). */
enum { WAYS = REVOKE_WAYS - 1 };

static inline int ways_probe(void *way)
{
    return ((const struct revoke_way *)way)->probe();
}

/* Say which ways this machine lacks. In children, so that each test starts for
 * itself. */
static inline void ways_say_missing(void)
{
    for (size_t i = 0; i < WAYS; i++) {
        const struct revoke_way *way = revoke_way_at(i);
        int status = child_ending(CHILD_FORKED, ways_probe, (void *)way);
        if (status != 0) {
            printf("# %s is not tested: %s\n", way->name,
                   strerror(WEXITSTATUS(status)));
        }
    }
    fflush(stdout);
}

/* Without a fault: the kernel reads a byte for us, or cannot. */
static inline bool ways_is_accessible(uintptr_t address)
{
    char byte;
    return pages_peek(address, 1, &byte);
}

#endif
