/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expected faults; see expect.h. */
#include "diagnose/expect.h"

#include "diagnose/report.h"
#include "os/checkers.h"

#include <sigsegv.h>
#include <stddef.h>
#include <string.h>

/* In the initial-exec model, so that a handler's first look allocates nothing.
 */
static __thread struct moat_expectation *innermost
    __attribute__((tls_model("initial-exec")));

/* Where the stack was when that began; AddressSanitizer may keep the variables
 * of a function elsewhere. */
static __thread uintptr_t innermost_frame
    __attribute__((tls_model("initial-exec")));

void expect_begin(struct moat_expectation *here, uintptr_t frame)
{
    if (here->finding != NULL) {
        memset(here->finding, 0, sizeof *here->finding);
    }
    here->outer = innermost;
    here->outer_frame = innermost_frame;
    innermost = here;
    innermost_frame = frame;
}

void expect_end(struct moat_expectation *here)
{
    here->is_open = false;
    /* Inner ones that were left in a way they must not be go with it. */
    innermost = here->outer;
    innermost_frame = here->outer_frame;
    if (here->is_met) {
        here->is_met = false;
        report_release();
    }
}

bool expect_is_open(uintptr_t stack_pointer)
{
    /* The frame of an expectation that was left by `return` is no more. */
    while (innermost != NULL && innermost_frame < stack_pointer) {
        innermost_frame = innermost->outer_frame;
        innermost = innermost->outer;
    }
    return innermost != NULL;
}

static void go_on(void *here, void *unused, void *unused_too)
{
    (void)unused;
    (void)unused_too;
    _longjmp(((struct moat_expectation *)here)->place, 1);
}

_Noreturn void expect_meet(const struct moat_finding *finding,
                           uintptr_t stack_pointer)
{
    struct moat_expectation *here = innermost;
    checkers_note_stack_left(stack_pointer, innermost_frame);
    if (here->finding != NULL) {
        *here->finding = *finding;
    }
    here->is_met = true;
    sigsegv_leave_handler(go_on, here, NULL, NULL);
    /* It does not come back. */
    _longjmp(here->place, 1);
}
