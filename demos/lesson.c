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
    /* Who made the last one. */
    long reporter;
};

static unsigned broken_claims;

/* All that the last process wrote. */
static char *heard;
static size_t heard_bytes;

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
            /* Its words and Moat's go into one pipe, and in order. */
            setvbuf(stdout, NULL, _IOLBF, 0);
            crime->commit();
            exit(lesson_end());
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
    testimony->reporter = is_word(line, "=", '=') ? atol(line + 2) : 0;
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

    free(heard);
    FILE *record = open_memstream(&heard, &heard_bytes);
    if (record == NULL) {
        give_up("open_memstream");
    }
    while (getline(&line, &line_capacity, criminal) != -1) {
        printf("    | %s", line);
        fputs(line, record);
        judge_line(line, crime, &testimony);
    }
    free(line);
    if (fclose(record) != 0) {
        give_up("open_memstream");
    }
    return testimony;
}

/* Have Moat, in the program that comes next, go on after a report. */
static void let_it_go_on(void)
{
    const char *options = getenv("MOAT_OPTIONS");
    char *all = NULL;

    if (asprintf(&all, "%s%shalt_on_error=0", options != NULL ? options : "",
                 options != NULL ? ":" : "")
            == -1
        || setenv("MOAT_OPTIONS", all, 1) != 0) {
        give_up("MOAT_OPTIONS");
    }
    free(all);
}

/* In the new process: become this program again, heard through A_PIPE. */
static void commit_elsewhere(const struct crime *crime, int a_pipe)
{
    char program[PATH_MAX];
    ssize_t path_length
        = readlink("/proc/self/exe", program, sizeof program - 1);

    if (path_length > 0) {
        program[path_length] = '\0';
        if (crime->goes_on) {
            let_it_go_on();
        }
        dup2(a_pipe, STDOUT_FILENO);
        dup2(a_pipe, STDERR_FILENO);
        if (a_pipe > STDERR_FILENO) {
            close(a_pipe);
        }
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
    unsigned reports = crime->reports == 0 ? 1 : crime->reports;
    lesson_claim(testimony.reports == reports,
                 reports == 1 ? "there was one report"
                              : "there was a report for each crime");
    lesson_claim(testimony.expected == reports, "it named the kind, and when");
    lesson_claim(testimony.reporter == (long)child, "it named the process");
    for (int i = 0; i < LESSON_FACTS && crime->facts[i] != NULL; i++) {
        char claim[256];
        snprintf(claim, sizeof claim, "the report says '%s'", crime->facts[i]);
        lesson_claim(strstr(heard, crime->facts[i]) != NULL, claim);
    }
    if (crime->goes_on) {
        lesson_claim(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS,
                     "the process went on, and its claims held");
    } else {
        lesson_claim(WIFEXITED(status) && WEXITSTATUS(status) == REPORTED,
                     "the process ended with exit status 99");
    }
}

const char *lesson_heard(void)
{
    return heard;
}

void *lesson_need(void *pointer)
{
    if (pointer == NULL) {
        give_up("the demo cannot go on");
    }
    return pointer;
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
