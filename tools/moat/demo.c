/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moat demo: knows the demos by name, and where they are. What they show is
 * in demos/, and whether it came out right is their own exit status.
 */
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct demo {
    const char *name;
    const char *lesson;
};

static const struct demo demos[] = {
    { "09a_scope",
      "an arena has bounds and a lifetime, and both are explicit" },
    { "09b_leak_tracer",
      "a leak, and a strcpy() that fits, until it does not" },
    { "09c_fork", "after fork() each process has an arena of its own" },
    { "10_overlap",
      "two arenas over the same addresses write over each other" },
    { "11_use_after_unmap",
      "a pointer outlives its arena, and reads what moved in" },
    { "12_double_free", "freed twice, or inside, or elsewhere: two owners" },
    { "13_resize", "what grows moves, and old pointers go on working" },
    { "14_null_ignored",
      "the arena was full, nobody looked: a fault near NULL" },
    { "15_stale_data",
      "a reset that erases nothing hands the last secret on" },
    { "16_threads", "two threads, one arena, no lock: both get one block" },
};

enum { DEMOS = sizeof demos / sizeof demos[0] };

static bool is_start_of(const char *name, const struct demo *demo)
{
    return strncmp(demo->name, name, strlen(name)) == 0;
}

/* List the demos whose names start with NAME. */
static void list_demos(FILE *out, const char *name)
{
    for (size_t i = 0; i < DEMOS; i++) {
        if (is_start_of(name, &demos[i])) {
            fprintf(out, "  %-18s  %s\n", demos[i].name, demos[i].lesson);
        }
    }
}

/* Run DEMO and wait for it. Returns its exit status, as a shell gives it. */
static int run_demo(const struct demo *demo)
{
    char directory[PATH_MAX];
    char program[PATH_MAX + 64];
    int status;

    place_of(directory, "demos", MOAT_DEMO_DIR);
    snprintf(program, sizeof program, "%s/%s", directory, demo->name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, (char *)NULL);
        fprintf(stderr, "moat: cannot run %s: %s\n", program, strerror(errno));
        _exit(COMMAND_FAILED);
    }
    if (child == -1 || waitpid(child, &status, 0) != child) {
        fprintf(stderr, "moat: cannot run %s: %s\n", program, strerror(errno));
        return COMMAND_FAILED;
    }
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "moat: demo %s was ended by signal %d (%s)\n",
                demo->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
        return COMMAND_SIGNALLED + WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

static int run_all(void)
{
    int failed = 0;

    for (size_t i = 0; i < DEMOS; i++) {
        printf("%s== %s: %s\n", i == 0 ? "" : "\n", demos[i].name,
               demos[i].lesson);
        int status = run_demo(&demos[i]);
        if (status != 0) {
            fprintf(stderr, "moat: demo %s failed, with exit status %d\n",
                    demos[i].name, status);
            failed++;
        }
    }
    if (failed > 0) {
        fprintf(stderr, "moat: %d of %d demos failed\n", failed, DEMOS);
        return COMMAND_FAILED;
    }
    printf("\nAll %d demos came out as they should.\n", DEMOS);
    return COMMAND_OK;
}

/* Find a demo whose name starts with NAME, and count them in *MATCHES. */
static const struct demo *find_demo(const char *name, size_t *matches)
{
    const struct demo *found = NULL;

    *matches = 0;
    for (size_t i = 0; i < DEMOS; i++) {
        if (is_start_of(name, &demos[i])) {
            found = &demos[i];
            (*matches)++;
        }
    }
    return found;
}

int demo_run(int argument_count, char *const arguments[])
{
    if (argument_count == 1) {
        puts("Each demo shows a naive arena first, where nothing is noticed,"
             "\nthen the same steps on a Moat arena.\n");
        list_demos(stdout, "");
        puts("\nRun one with 'moat demo NAME', where the start of the name is"
             " enough,\nor all of them with 'moat demo all'.");
        return COMMAND_OK;
    }
    if (argument_count > 2) {
        return command_misused("demo takes one name, not %d",
                               argument_count - 1);
    }
    const char *name = arguments[1];
    if (strcmp(name, "all") == 0) {
        return run_all();
    }
    size_t matches;
    const struct demo *demo = find_demo(name, &matches);
    if (matches == 1) {
        return run_demo(demo);
    }
    command_misused(matches == 0 ? "there is no demo '%s'; there are:"
                                 : "'%s' starts more than one demo's name:",
                    name);
    list_demos(stderr, matches == 0 ? "" : name);
    return COMMAND_MISUSED;
}
