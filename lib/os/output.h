/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output: getting text out without stdio, to where standard error was when
 * the program started or to a log file.
 *
 * errno is left as it was. All but output_start() are async-signal-safe.
 */
#ifndef OS_OUTPUT_H
#define OS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Keep a descriptor of standard error, so that a program that closes it, or
 * opens its data file in its place, neither loses a report nor gets one into
 * its data.
 */
void output_start(void);

/* Write the message to standard error, as one line starting "moat: ". */
void output_message(const char *message);

/*
 * Return why a file at LOG_PATH could not be made: 0, or an errno value. The
 * file is not made.
 */
int output_check_log(const char *log_path);

/*
 * Write the COUNT BYTES of a report, in one piece where the kernel allows that:
 * to the end of LOG_PATH, "%p" in it replaced by the process's number; to
 * standard error when LOG_PATH is empty or cannot be opened.
 */
void output_report(const char *log_path, const char *bytes, size_t count);

/* Whether colours are welcome: a terminal that is not dumb, no NO_COLOR.
 * Reads the environment: not for a signal handler. */
bool output_is_colorful(void);

/* Say why Moat itself cannot go on, and end by SIGABRT. */
_Noreturn void output_die(const char *sentence);

#endif
