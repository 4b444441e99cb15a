/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expected faults (moat/expect.h): each thread's open expectations, the
 * innermost first.
 *
 * All but expect_begin() and expect_end() is for the fault path.
 */
#ifndef DIAGNOSE_EXPECT_H
#define DIAGNOSE_EXPECT_H

#include <moat/expect.h>

#include <stdbool.h>
#include <stdint.h>

/* FRAME is where the stack of the caller is. */
void expect_begin(struct moat_expectation *here, uintptr_t frame);

/* Releases the report (diagnose/report.h) if HERE was met: whoever meets it is
 * its owner, on a stack that others use as soon as it is released. */
void expect_end(struct moat_expectation *here);

/* Whether the calling thread, its stack down to STACK_POINTER, expects a
 * fault. */
bool expect_is_open(uintptr_t stack_pointer);

/* The innermost expectation is met by FINDING, the stack down to STACK_POINTER:
 * go on behind it. */
_Noreturn void expect_meet(const struct moat_finding *finding,
                           uintptr_t stack_pointer);

#endif
