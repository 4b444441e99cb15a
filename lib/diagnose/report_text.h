/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finding as text. The first line, the relation in the second ("N bytes
 * after the end of", "N bytes before the start of", "N bytes inside") and the
 * line that starts "SUMMARY:" are a contract: scripts parse them.
 *
 * Pure: text in, text out. Async-signal-safe.
 */
#ifndef DIAGNOSE_REPORT_TEXT_H
#define DIAGNOSE_REPORT_TEXT_H

#include "base/text.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stdint.h>

/* Appends the place of a program address. */
typedef void (*report_locate)(struct text *text, uintptr_t address);

struct report_style {
    /* Whether to use the escape sequences of a terminal. */
    bool is_colorful;
    report_locate locate;
};

/* Append the report on FINDING. */
void report_text(struct text *text, const struct moat_finding *finding,
                 const struct report_style *style);

#endif
