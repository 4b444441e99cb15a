/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knows how a process that commits a crime is started, watched and judged;
 * refuses to know which crime it is.
 */
#include "lesson.h"

#include "legend.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of a program that Moat has reported. */
enum { REPORTED = 99 };

/* What a process wrote: all reports, and those that were expected. */
struct testimony {
    unsigned reports;
    unsigned expected;
};

static unsigned broken_claims;

static void give_up(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

void lesson_start(int argument_count, char *const arguments[],
                  const struct crime crimes[])
{
    legend_start();
    if (argument_count < 2) {
        return;
    }
    for (const struct crime *crime = crimes; crime->name != NULL; crime++) {
        if (strcmp(crime->name, arguments[1]) == 0) {
            crime->commit();
            exit(EXIT_SUCCESS);
        }
    }
    fprintf(stderr, "%s: takes no arguments\n", arguments[0]);
    exit(EXIT_FAILURE);
}

/* Whether TEXT starts with WORD and then the character END. */
static bool is_word(const char *text, const char *word, char end)
{
    size_t word_bytes = strlen(word);

    return strncmp(text, word, word_bytes) == 0 && text[word_bytes] == end;
}

/* A report starts: ==PID==ERROR: moat: KIND ..., seen at SEEN_AT */
static void judge_line(const char *line, const struct crime *crime,
                       struct testimony *testimony)
{
    static const char before_kind[] = "==ERROR: moat: ";
    static const char before_seen[] = ", seen at ";
    const char *kind = strstr(line, before_kind);
    if (kind == NULL) {
        return;
    }
    testimony->reports++;
    const char *seen_at = strstr(kind, before_seen);
    if (seen_at == NULL) {
        return;
    }
    if (is_word(kind + strlen(before_kind), crime->kind, ' ')
        && is_word(seen_at + strlen(before_seen), crime->seen_at, '\n')) {
        testimony->expected++;
    }
}

static struct testimony hear(FILE *criminal, const struct crime *crime)
{
    struct testimony testimony = { 0 };
    char *line = NULL;
    size_t line_capacity = 0;

    while (getline(&line, &line_capacity, criminal) != -1) {
        printf("    | %s", line);
        judge_line(line, crime, &testimony);
    }
    free(line);
    return testimony;
}

/* In the new process: become this program again, heard through ERROR_PIPE. */
static void commit_elsewhere(const struct crime *crime, int error_pipe)
{
    char program[PATH_MAX];
    ssize_t path_length =
        readlink("/proc/self/exe", program, sizeof program - 1);

    if (path_length > 0) {
        program[path_length] = '\0';
        dup2(error_pipe, STDERR_FILENO);
        execl(program, program, crime->name, (char *)NULL);
    }
    perror("/proc/self/exe");
    _exit(EXIT_FAILURE);
}

void lesson_crime(const struct crime *crime)
{
    int ends[2];
    if (pipe(ends) != 0) {
        give_up("pipe");
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == -1) {
        give_up("fork");
    }
    if (child == 0) {
        close(ends[0]);
        commit_elsewhere(crime, ends[1]);
    }
    close(ends[1]);
    FILE *criminal = fdopen(ends[0], "r");
    if (criminal == NULL) {
        give_up("fdopen");
    }
    struct testimony testimony = hear(criminal, crime);
    fclose(criminal);
    int status;
    if (waitpid(child, &status, 0) != child) {
        give_up("waitpid");
    }
    lesson_claim(testimony.reports == 1, "there was one report");
    lesson_claim(testimony.expected == 1, "it named the kind, and when");
    lesson_claim(WIFEXITED(status) && WEXITSTATUS(status) == REPORTED,
                 "the process ended with exit status 99");
}

void lesson_claim(bool held, const char *claim)
{
    if (!held) {
        legend_say(LEGEND_REFUSED, "the lesson failed, this is not so: %s",
                   claim);
        broken_claims++;
    }
}

int lesson_end(void)
{
    if (broken_claims > 0 && getenv("MOAT_OPTIONS") != NULL) {
        printf("MOAT_OPTIONS is set, and may be the reason.\n");
    }
    bool is_written = fflush(stdout) == 0 && !ferror(stdout);
    return broken_claims == 0 && is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
