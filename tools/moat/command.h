/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of moat, one file each, and what they have in common.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

/* How moat ends; a command that runs a program ends as that program does. */
enum {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1,
    /* The command line or MOAT_OPTIONS cannot be understood. */
    COMMAND_MISUSED = 2,
    /* Added to the number of the signal that ended the program. */
    COMMAND_SIGNALLED = 128
};

struct command {
    const char *name;
    /* What may follow the name, as the help shows it. */
    const char *arguments;
    /* What it does, in one line. */
    const char *purpose;
    /* What else there is to know, in lines of the help; NULL: nothing. */
    const char *details;
    /* Whether it is refused while MOAT_OPTIONS has mistakes in it. */
    bool needs_options;
    /* With the arguments from the command's name on; the exit status. */
    int (*run)(int argument_count, char *const arguments[]);
};

/* All commands, ending with an empty one. */
extern const struct command commands[];

int check_run(int argument_count, char *const arguments[]);
int demo_run(int argument_count, char *const arguments[]);
int doctor_run(int argument_count, char *const arguments[]);
int help_run(int argument_count, char *const arguments[]);
int run_run(int argument_count, char *const arguments[]);

/* Print how to use moat, to standard error if the user has erred. */
void help_usage(bool is_mistake);

/* Print how to use COMMAND. */
void help_command(const struct command *command);

/* The command that is called NAME; NULL: there is none. */
const struct command *command_find(const char *name);

/*
 * Store in PATH, of PATH_MAX bytes, what lies at IN_TREE of the tree that moat
 * was built in if it is run from there, else INSTALLED.
 */
void place_of(char *path, const char *in_tree, const char *installed);

/*
 * Make an empty file in memory, called NAME where the kernel lists it. Other
 * processes can open it by PATH as long as this one lives, and nobody has to
 * remove it. Returns a descriptor, above those of standard input, output and
 * error, or -1 and sets errno.
 */
int place_in_memory(const char *name, char path[64]);

/*
 * Make an empty file in the folder for temporary files that has no name, is
 * appended to, and is gone when nobody has it open. Returns a descriptor as
 * above, or -1 and sets errno.
 */
int place_for_output(void);

/*
 * Find PROGRAM as execvp() would and look whether a library can be preloaded
 * into it. Returns COMMAND_OK; or what moat ends with, and has said why.
 */
int program_check(const char *program);

/* Whether PROGRAM, which has passed that, has a checker of its own, with which
 * Moat does not go together; see os/program.h. */
bool program_is_set_aside(const char *program);

/*
 * Whether MOAT_OPTIONS, or OPTIONS of its form, has no mistakes; if it has,
 * they have been said on standard error.
 */
bool environment_is_understood(void);
bool environment_would_be_understood(const char *options);

/* Store in OPTIONS what TEXT says, which is understood. */
struct options;
void environment_read(struct options *options, const char *text);

/*
 * Write a line, "moat: " and what printf() would, to standard error. Returns
 * COMMAND_MISUSED.
 */
int command_misused(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
