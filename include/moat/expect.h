/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expecting a fault: a test makes one on purpose, looks at what Moat found, and
 * goes on in the same process.
 *
 *     struct moat_finding finding;
 *     MOAT_EXPECT_FAULT(&finding) {
 *         line[length] = '\0';
 *     }
 *     assert(finding.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW);
 *     assert(finding.distance.bytes == 0);
 */
#ifndef MOAT_EXPECT_H
#define MOAT_EXPECT_H

#include <moat/finding.h>
#include <moat/version.h>

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef MOAT_OFF
#include <string.h>
#endif

MOAT_BEGIN_DECLS

#ifndef MOAT_OFF
/* What MOAT_EXPECT_FAULT() keeps on the stack. Its members are Moat's. */
struct moat_expectation {
    struct moat_finding *finding;
    struct moat_expectation *outer;
    /* Where the stack was when that began. */
    uintptr_t outer_frame;
    bool is_open;
    bool is_met;
    jmp_buf place;
};
#endif

/*
 * Run the statement or block that follows. A fault of the calling thread in it
 * ends it at the instruction: *FINDING, a struct moat_finding, then says what
 * a report would have said, nothing is written, no handler of the program's
 * and no report hook is called, and the program goes on behind the block.
 * Without a fault *FINDING is zeroed, which is MOAT_KIND_NONE. FINDING may be
 * NULL.
 *
 * Faults are what the processor stops: an access to a guard page or to what was
 * freed, reset or destroyed, address 0, the end of the stack (in a thread after
 * moat_thread_prepare()), and any other SIGSEGV or SIGBUS. What Moat sees at a
 * free or a check is reported as ever.
 *
 * The block is left as by longjmp(): variables of the enclosing function that
 * it changes must be volatile, a lock that it holds stays held, and in C++ it
 * must not have begun what a destructor would have to end. It may be left by
 * `break`, which ends the expectation, but not by `return`, `goto` or an
 * exception. Expectations nest; the innermost is met. A struct moat_finding
 * takes some four kilobytes: where a stack is small it is best static.
 *
 * In a program that is compiled with AddressSanitizer, that comes first: it
 * ends the program at an access to what was freed, reset or destroyed, and to
 * canaries. A page that was never a block's stays Moat's.
 *
 * Thread-safe: each thread expects for itself. Not for use in a signal handler.
 *
 * With MOAT_OFF nothing would stop what the block does, so it is compiled and
 * not run; *FINDING is zeroed.
 */
#ifdef MOAT_OFF
#define MOAT_EXPECT_FAULT(finding) while (moat_off_expect(finding))

static inline bool moat_off_expect(struct moat_finding *finding)
{
    if (finding != NULL) {
        memset(finding, 0, sizeof *finding);
    }
    return false;
}

#else
#define MOAT_EXPECT_FAULT(finding) MOAT_EXPECT_FAULT_ON(finding, __LINE__)

/* The rest is for MOAT_EXPECT_FAULT(), not to be used. Names that differ for
 * expectations within one another. */
#define MOAT_EXPECT_FAULT_ON(finding, line) MOAT_EXPECT_FAULT_AT(finding, line)
#define MOAT_EXPECT_FAULT_AT(finding, line)                                    \
    MOAT_EXPECT_FAULT_IN(finding, moat_here_##line, moat_is_first_##line)
#define MOAT_EXPECT_FAULT_IN(finding, here, is_first)                          \
    for (struct moat_expectation here = moat_expect_start(finding);            \
         (here).is_open; moat_expect_end(&(here)))                             \
        if (_setjmp((here).place) == 0)                                        \
            for (bool is_first = moat_expect_begin(&(here)); (is_first);       \
                 (is_first) = false)

static inline struct moat_expectation
moat_expect_start(struct moat_finding *finding)
{
    struct moat_expectation here;
    here.finding = finding;
    here.outer = NULL;
    here.outer_frame = 0;
    here.is_open = true;
    here.is_met = false;
    return here;
}

/* Expect a fault from here on, and say true. */
MOAT_API bool moat_expect_begin(struct moat_expectation *here);

/* Expect none any more. */
MOAT_API void moat_expect_end(struct moat_expectation *here);
#endif

MOAT_END_DECLS

#endif
