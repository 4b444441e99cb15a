/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naming program addresses: for now the file they were loaded from and the
 * offset in it, which addr2line -e FILE OFFSET turns into a line.
 *
 * Async-signal-safe.
 */
#ifndef DIAGNOSE_SYMBOL_H
#define DIAGNOSE_SYMBOL_H

#include "base/text.h"

#include <stdint.h>

/* Append "FILE+0xOFFSET", or "(unknown)". */
void symbol_locate(struct text *text, uintptr_t address);

#endif
