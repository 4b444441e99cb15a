/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knows which commands there are and finds the one that is asked for; what
 * they do is their own business.
 */
#include "command.h"

#include <moat/version.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char run_details[]
    = "Each block of malloc() ends at an inaccessible page, and is\n"
      "inaccessible itself once it is freed; so are those of all programs\n"
      "that PROGRAM starts. KEY and VALUE are those of 'moat help options'.\n"
      "The exit status is the program's, or 99 after a report.\n";

static const char check_details[]
    = "Three passes, because one cannot find all:\n"
      "  after/abi      blocks end at a guard page, 16-aligned\n"
      "  after/natural  blocks of odd sizes too, so that the first byte too\n"
      "                 far is a fault; not all programs bear it\n"
      "  before         blocks start behind a guard page\n"
      "Each defect is reported once, in the end, with the passes that saw it.\n"
      "\n"
      "The first pass has your terminal and your output; what PROGRAM writes\n"
      "in the others is shown only if they are unusable. Each has the same\n"
      "standard input, unless that is a terminal, which only the first one\n"
      "reads. What PROGRAM does to files it does several times.\n"
      "\n"
      "Where PROGRAM fails without a report, it runs once more without Moat:\n"
      "a pass in which it ends in another way is unusable for this program,\n"
      "and no failure. Ctrl-C stops the passes.\n"
      "\n"
      "KEY and VALUE are those of 'moat help options', but for placement and\n"
      "alignment. The exit status is 99 after a report, else PROGRAM's own.\n";

const struct command commands[] = {
    { "check", "[--KEY=VALUE]... [--] PROGRAM [ARGUMENT]...",
      "run a program several times, and say each defect once", check_details,
      true, check_run },
    { "demo", "[NAME | all]", "list the demos, or run one, or all", NULL, true,
      demo_run },
    { "doctor", "", "say what this machine allows, and what it costs", NULL,
      true, doctor_run },
    { "help", "[COMMAND | options]",
      "show this, or more on a command, or what MOAT_OPTIONS can be", NULL,
      false, help_run },
    { "run", "[--KEY=VALUE]... [--] PROGRAM [ARGUMENT]...",
      "run a program with every block fenced", run_details, true, run_run },
    { 0 },
};

int command_misused(const char *format, ...)
{
    va_list arguments;

    fputs("moat: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return COMMAND_MISUSED;
}

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name != NULL;
         command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

static int run_command(int argument_count, char *const arguments[])
{
    if (argument_count == 0) {
        help_usage(true);
        return COMMAND_MISUSED;
    }
    const char *name = arguments[0];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help_usage(false);
        return COMMAND_OK;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        puts("moat " MOAT_VERSION);
        return COMMAND_OK;
    }
    const struct command *command = command_find(name);
    if (command == NULL) {
        return command_misused("unknown %s '%s'; see 'moat --help'",
                               name[0] == '-' ? "option" : "command", name);
    }
    if (argument_count > 1 && (strcmp(arguments[1], "--help") == 0
                               || strcmp(arguments[1], "-h") == 0)) {
        help_command(command);
        return COMMAND_OK;
    }
    if (command->needs_options && !environment_is_understood()) {
        return COMMAND_MISUSED;
    }
    return command->run(argument_count, arguments);
}

int main(int argument_count, char *arguments[])
{
    int status = run_command(argument_count > 0 ? argument_count - 1 : 0,
                             arguments + 1);

    /* A full disk must not look like success. */
    if (fflush(stdout) != 0 && status == COMMAND_OK) {
        perror("moat: standard output");
        status = COMMAND_FAILED;
    }
    return status;
}
