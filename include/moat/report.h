/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports: hearing of findings, and making threads able to report. No function
 * here is for signal handlers.
 */
#ifndef MOAT_REPORT_H
#define MOAT_REPORT_H

#include <moat/finding.h>
#include <moat/version.h>

MOAT_BEGIN_DECLS

/*
 * Called for each finding before its report is written, with the CONTEXT given
 * to moat_set_report_hook().
 *
 * Requirements: it may run in a signal handler, on a stack of 256 KiB, while
 * the program holds any lock. It may only call what is async-signal-safe, and
 * moat_kind_name() and moat_describe(). It may leave by _exit(). *FINDING is
 * valid during the call.
 *
 * Returns whether Moat shall still write its report.
 */
typedef bool (*moat_report_hook)(const struct moat_finding *finding,
                                 void *context);

/*
 * Call HOOK with CONTEXT for each further finding; NULL ends that.
 *
 * Whether the program then ends is up to the options halt_on_error and
 * abort_on_error, not to the hook.
 *
 * Returns the hook that was set before, or NULL. Thread-safe.
 */
MOAT_API moat_report_hook moat_set_report_hook(moat_report_hook hook,
                                               void *context);

/*
 * Make the calling thread able to report the overflow of its own stack, by
 * giving it an alternate signal stack, which is taken back when the thread
 * ends. The main thread does not need it.
 *
 * A thread without it still reports every other error. A thread that has set
 * up an alternate stack of its own keeps it.
 *
 * Returns 0, also when called again, or ENOMEM, or another errno value of
 * sigaltstack(). Thread-safe.
 */
MOAT_API int moat_thread_prepare(void);

/*
 * Take SIGSEGV and SIGBUS back from a handler that the program has installed
 * since Moat started.
 *
 * Moat catches both signals when the program starts. A handler installed later
 * replaces Moat's, and then faults are no longer reported, unless it passes
 * them on. After this call Moat sees each fault first, and those that are none
 * of Moat's go to that handler.
 *
 * Returns 0 or an errno value of sigaction(). Not thread-safe.
 */
MOAT_API int moat_catch_faults(void);

#ifdef MOAT_OFF
/* There are no findings: the hook is not kept and never called. */
static inline moat_report_hook moat_set_report_hook(moat_report_hook hook,
                                                    void *context)
{
    (void)hook;
    (void)context;
    return (moat_report_hook)0;
}

/* Signals are left alone: both do nothing and return 0. */
static inline int moat_thread_prepare(void)
{
    return 0;
}

static inline int moat_catch_faults(void)
{
    return 0;
}
#endif

MOAT_END_DECLS

#endif
