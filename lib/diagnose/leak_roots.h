/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Roots: all memory, but for the heap's and the arenas' blocks, in which the
 * program may keep a pointer: registers and stacks of all threads, and every
 * mapping that it can write to or has written to, which covers globals and
 * thread-local storage.
 *
 * A stack begins at its thread's stack pointer. What lies below is left out
 * where it is known how far down the stack goes.
 */
#ifndef DIAGNOSE_LEAK_ROOTS_H
#define DIAGNOSE_LEAK_ROOTS_H

#include "diagnose/leak_gaps.h"
#include "os/context.h"
#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the searching thread came in; a root itself. */
struct leak_caller {
    uintptr_t stack_pointer;
    uintptr_t registers[CONTEXT_KEPT];
};

/*
 * Make *CALLER that of the present function, whose caller is the program: all
 * below is the search's own. To be used first of all in there, by a function
 * that leaves the rest to another one, which is not inlined.
 */
#define LEAK_CALLER(caller)                                                    \
    do {                                                                       \
        CONTEXT_KEEP((caller)->registers);                                     \
        (caller)->stack_pointer = (uintptr_t)__builtin_frame_address(0);       \
    } while (0)

/*
 * While the other threads are stopped: add to GAPS what is no root, from
 * Moat's own memory to unused stack. Returns whether the kernel shows what is
 * mapped.
 */
bool leak_roots_find_gaps(const struct moat_state *state,
                          const struct leak_caller *caller,
                          struct leak_gaps *gaps);

/* Called with each root from START to END; with IS_OWN_COPY only such pages
 * count as are not as they are in a file. */
typedef void (*leak_roots_visit)(uintptr_t start, uintptr_t end,
                                 bool is_own_copy, void *context);

/* Call VISIT with all roots but those in GAPS, sorted, and with CONTEXT. */
void leak_roots_each(const struct moat_state *state,
                     const struct leak_caller *caller,
                     const struct leak_gaps *gaps, leak_roots_visit visit,
                     void *context);

#endif
