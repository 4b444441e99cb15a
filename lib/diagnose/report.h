/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reporting: one finding at a time, to the program's hook and to a descriptor;
 * then perhaps the end of the process.
 *
 * A report has an owner, the thread that writes it. Another thread that has
 * something to report waits. If the owner itself comes back, it has faulted
 * while reporting, and the process ends with what is known.
 *
 * All but report_start() are async-signal-safe.
 */
#ifndef DIAGNOSE_REPORT_H
#define DIAGNOSE_REPORT_H

#include <moat/finding.h>
#include <moat/report.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct report_settings {
    int exit_status;
    bool has_halt;
    bool has_abort;
    bool is_colorful;
    /* "": standard error. Must stay where it is. */
    const char *log_path;
    /* NULL, or what counts the reports of several processes. */
    _Atomic uint64_t *count;
    /* Called before the process ends by a report; async-signal-safe. */
    void (*at_end)(void);
};

/* Use SETTINGS from now on. */
void report_start(const struct report_settings *settings);

moat_report_hook report_set_hook(moat_report_hook hook, void *context);

/* Become the owner, or wait for it, or end the process. */
void report_claim(void);

/* Write the report on FINDING. Only the owner may. */
void report_write(const struct moat_finding *finding);

/* Let other threads report. */
void report_release(void);

/* Whether the process shall end after a report, and by a signal. */
bool report_must_halt(void);
bool report_must_abort(void);

/* End the process as the settings say. */
_Noreturn void report_end_process(void);

/* In the child of a fork: no other thread owns anything. */
void report_after_fork_in_child(void);

#endif
