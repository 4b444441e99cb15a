/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reporting; see report.h. */
#include "diagnose/report.h"

#include "base/text.h"
#include "diagnose/report_text.h"
#include "diagnose/symbol.h"
#include "os/output.h"
#include "os/process.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static struct report_settings settings = { .exit_status = 99,
                                           .has_halt = true,
                                           .log_path = "" };

/* The kernel's number of the thread that is reporting; 0: none. */
static _Atomic int owner;

static struct {
    /* Written by report_set_hook() only, in this order. */
    _Atomic(void *) context;
    _Atomic(moat_report_hook) function;
} hook;

/* One report at most: the owner's. Common, as in fault.c. */
__attribute__((common)) char report_buffer[16 * 1024];

void report_start(const struct report_settings *wanted)
{
    settings = *wanted;
}

moat_report_hook report_set_hook(moat_report_hook function, void *context)
{
    /* No moment with the new function and the old context. */
    moat_report_hook before = atomic_exchange(&hook.function, NULL);
    atomic_store(&hook.context, context);
    atomic_store(&hook.function, function);
    return before;
}

void report_claim(void)
{
    int self = process_thread_id();
    int expected = 0;
    /* EXPECTED is 0, or an owner that is no more. */
    while (!atomic_compare_exchange_strong(&owner, &expected, self)) {
        if (expected == self) {
            static const char line[]
                = "moat: a fault while reporting; giving up\n";
            output_report(settings.log_path, line, sizeof line - 1);
            process_exit(settings.exit_status);
        }
        if (process_has_thread_ended(expected)) {
            /* A child of vfork() has reported and ended, in this memory. */
            continue;
        }
        expected = 0;
        process_yield();
    }
}

void report_write(const struct moat_finding *finding)
{
    moat_report_hook function = atomic_load(&hook.function);
    if (function != NULL && !function(finding, atomic_load(&hook.context))) {
        return;
    }
    if (settings.count != NULL) {
        atomic_fetch_add(settings.count, 1);
    }
    struct text text = text_in(report_buffer, sizeof report_buffer);
    struct report_style style = { .is_colorful = settings.is_colorful,
                                  .locate = symbol_locate };
    report_text(&text, finding, &style);
    output_report(settings.log_path, text.buffer, text.length);
}

void report_release(void)
{
    atomic_store(&owner, 0);
}

bool report_must_halt(void)
{
    return settings.has_halt;
}

bool report_must_abort(void)
{
    return settings.has_abort;
}

_Noreturn void report_end_process(void)
{
    if (settings.at_end != NULL) {
        settings.at_end();
    }
    if (settings.has_abort) {
        process_end_by(SIGABRT);
    }
    process_exit(settings.exit_status);
}

void report_after_fork_in_child(void)
{
    atomic_store(&owner, 0);
}
