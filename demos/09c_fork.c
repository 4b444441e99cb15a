/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 09c: fork. After fork() there are two processes and, it seems, one arena:
 * the same blocks at the same addresses. The kernel copies a page when either
 * of them writes to it, so each has an arena of its own.
 *
 * With Moat each also has guard pages of its own, and what one of them does
 * wrong is reported with its own pid, and does not concern the other.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 32 };

static const char common_text[] = "from before fork()";
static const char parent_text[] = "the parent's";
static const char child_text[] = "the child's";

/* Fills a block, and its zero byte comes behind it. */
static const char long_text[] = "one byte too long for the block.";
_Static_assert(sizeof long_text == BLOCK_BYTES + 1, "an overflow by one");

/* What a process tells another one of what it saw. */
struct sight {
    /* In the block of before fork(): at first, and in the end. */
    char at_first[BLOCK_BYTES];
    char in_the_end[BLOCK_BYTES];
    /* The block that it got after it. */
    char *next;
};

/* For one byte: that it is the other one's turn. And for a sight. */
static int turn[2];
static int news[2];

_Noreturn static void give_up(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static pid_t fork_with_pipes(void)
{
    if (pipe(turn) != 0 || pipe(news) != 0) {
        give_up("pipe");
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == -1) {
        give_up("fork");
    }
    /* Each keeps its own ends, so that none waits for one that has died. */
    close(child == 0 ? turn[1] : turn[0]);
    close(child == 0 ? news[0] : news[1]);
    return child;
}

/* In the child: wait for the parent to have written. */
static void await_turn(void)
{
    char byte;

    if (read(turn[0], &byte, 1) != 1) {
        _exit(EXIT_FAILURE);
    }
}

static void tell(const struct sight *sight)
{
    if (write(news[1], sight, sizeof *sight) != sizeof *sight) {
        _exit(EXIT_FAILURE);
    }
}

/* In the parent: let the child go on, and hear what it saw. */
static struct sight hear(void)
{
    struct sight sight;

    if (write(turn[1], "!", 1) != 1
        || read(news[0], &sight, sizeof sight) != sizeof sight) {
        give_up("the child");
    }
    close(turn[1]);
    close(news[0]);
    return sight;
}

/* How CHILD ended, as an exit status; -1: not by itself. */
static int await(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child) {
        give_up("waitpid");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Not inlined: here the compiler must not know how large the block is. */
__attribute__((noinline)) static void copy(char *block, const char *text)
{
    strcpy(block, text);
}

static void naive_child(struct naive_arena *arena, char *block)
{
    struct sight sight = { 0 };

    strcpy(sight.at_first, block);
    strcpy(block, child_text);
    await_turn();
    sight.next = naive_alloc(arena, BLOCK_BYTES);
    strcpy(sight.next, child_text);
    strcpy(sight.in_the_end, block);
    copy(block, long_text);
    tell(&sight);
    _exit(EXIT_SUCCESS);
}

static void naive_fork(void)
{
    legend_title("A naive arena, and fork()");
    struct naive_arena arena = naive_create(CAPACITY);
    char *block = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(block, common_text);
    legend_say(LEGEND_OK, "a block: \"%s\"", block);

    pid_t child = fork_with_pipes();
    if (child == 0) {
        naive_child(&arena, block);
    }
    strcpy(block, parent_text);
    char *next = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(next, parent_text);
    struct sight sight = hear();
    int status = await(child);
    lesson_claim(strcmp(sight.at_first, common_text) == 0,
                 "the child sees what was there before");
    legend_say(LEGEND_OK, "the child reads \"%s\" in it", sight.at_first);
    legend_say(LEGEND_OK, "both write to it; now the child reads \"%s\"",
               sight.in_the_end);
    legend_say(LEGEND_OK, "and the parent \"%s\"", block);
    lesson_claim(strcmp(sight.in_the_end, child_text) == 0
                     && strcmp(block, parent_text) == 0,
                 "each reads what it wrote itself");
    lesson_claim(sight.next == next && strcmp(next, parent_text) == 0,
                 "the same address is two blocks");
    legend_say(LEGEND_OK, "both allocate a block, %s; the parent's is \"%s\"",
               sight.next == next ? "at the same address" : "apart", next);
    lesson_claim(status == EXIT_SUCCESS, "the child ended well");
    legend_say(LEGEND_CORRUPT,
               "the child wrote %zu bytes to its block of %d: exit status %d",
               sizeof long_text, BLOCK_BYTES, status);
    naive_destroy(&arena);
}

static void moat_child(struct moat_arena *arena, char *block)
{
    struct sight sight = { 0 };

    strcpy(sight.at_first, block);
    strcpy(block, child_text);
    await_turn();
    sight.next = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
    strcpy(sight.next, child_text);
    strcpy(sight.in_the_end, block);
    tell(&sight);
    copy(block, long_text);
    _exit(EXIT_SUCCESS);
}

/*
 * Two processes, and the same error in both. Fenced, so that each error stops
 * at once. What the parent prints comes between the reports, because it waits
 * for the child.
 */
static void commit_both(void)
{
    struct moat_arena_config config = { .name = "family",
                                        .capacity = CAPACITY,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = lesson_need(moat_arena_create_with(&config));
    char *block = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));

    strcpy(block, common_text);
    legend_say(LEGEND_OK, "a block: \"%s\"", block);
    pid_t child = fork_with_pipes();
    if (child == 0) {
        moat_child(arena, block);
    }
    legend_say(LEGEND_OK, "process %ld is the parent", (long)getpid());
    legend_say(LEGEND_OK, "process %ld is the child, and errs:", (long)child);
    strcpy(block, parent_text);
    char *next = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
    strcpy(next, parent_text);
    struct sight sight = hear();
    int status = await(child);
    lesson_claim(status == 99, "the child ended with exit status 99");
    legend_say(LEGEND_REFUSED,
               "the child ended with exit status %d; the parent"
               " goes on",
               status);
    lesson_claim(strcmp(sight.at_first, common_text) == 0
                     && strcmp(sight.in_the_end, child_text) == 0
                     && strcmp(block, parent_text) == 0
                     && strcmp(next, parent_text) == 0
                     && moat_arena_check(arena) == 0,
                 "each has an arena of its own");
    legend_say(LEGEND_OK, "the child last read \"%s\", the parent \"%s\"",
               sight.in_the_end, block);
    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    lesson_claim(stats.live_blocks == 2, "the parent has its two blocks");
    legend_say(LEGEND_OK, "both allocated a block; the parent has %zu",
               stats.live_blocks);
    legend_say(LEGEND_CORRUPT, "now the parent makes the same error:");
    copy(block, long_text);
}

enum { BOTH, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [BOTH] = { .name = "both",
               .commit = commit_both,
               .kind = "heap-buffer-overflow",
               .seen_at = "access",
               .facts = { ", 0 bytes after the end of 32-byte block #1 [",
                          ") in arena \"family\" (" },
               .reports = 2 },
};

/* The number that follows WORDS for the first time from TEXT on; 0: none. */
static long number_after(const char *words, const char *text)
{
    const char *found = text != NULL ? strstr(text, words) : NULL;

    return found != NULL ? atol(found + strlen(words)) : 0;
}

/* The report starts with the pid of who did it, and has two more: of who did
 * it, and of who allocated the block. */
static bool is_report_by(const char *report, long pid, long allocator)
{
    return report != NULL && number_after("==", report) == pid
           && number_after("in thread T0 (pid ", report) == pid
           && number_after("was allocated by thread T0 (pid ", report)
                  == allocator;
}

/* Compare the pids of the reports with those that the processes had. */
static void compare_pids(const char *words)
{
    long parent = number_after("process ", strstr(words, "process "));
    const char *second = strstr(words, " is the parent");
    long child = number_after("process ", second);
    const char *first_report = strstr(words, "==");
    const char *second_report = strstr(words, "makes the same error");

    second_report = second_report != NULL ? strstr(second_report, "==") : NULL;
    lesson_claim(parent != 0 && child != 0 && child != parent,
                 "there are two processes");
    bool is_childs = is_report_by(first_report, child, parent);
    bool is_parents = is_report_by(second_report, parent, parent);
    lesson_claim(is_childs, "the first report is the child's");
    lesson_claim(is_parents, "the second report is the parent's");
    if (is_childs && is_parents) {
        legend_say(LEGEND_OK, "each report names the process that erred,"
                              " and the one that allocated");
    }
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_fork();
    legend_title("The same steps on a Moat arena whose blocks are fenced");
    lesson_crime(&crimes[BOTH]);
    compare_pids(lesson_heard());
    return lesson_end();
}
