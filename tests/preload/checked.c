/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checked NAME: an ordinary program for `moat check`, with an error that not
 * every pass finds, or with an opinion on how it is run.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *(*volatile allocate)(size_t) = malloc;
static void (*volatile release)(void *) = free;
static volatile char sink;

static void read_past_an_odd_block(void)
{
    char *block = allocate(21);
    sink = ((volatile char *)block)[21];
    release(block);
}

static void read_in_front(void)
{
    char *block = allocate(32);
    sink = ((volatile char *)block)[-1];
    release(block);
}

/* No pass sees both. */
static void two_defects(void)
{
    read_past_an_odd_block();
    read_in_front();
}

/* Each in a process of its own, because it ends there. */
static void read_behind_each_size(void)
{
    for (size_t bytes = 1; bytes <= 300; bytes++) {
        pid_t child = fork();
        if (child == 0) {
            sink = ((volatile char *)allocate(bytes))[bytes];
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

/* Each byte from the end on, until one is inaccessible. */
static void read_on_and_on(void)
{
    volatile char *block = allocate(21);
    for (int i = 21; i < 64; i++) {
        sink = block[i];
    }
}

/* As programs do that keep marks in the low bits of pointers. */
static void count_on_alignment(void)
{
    void *block = allocate(21);
    if (((uintptr_t)block & 15) != 0) {
        puts("a pointer has \033 marks");
        exit(3);
    }
    release(block);
}

static void count_on_alignment_and_abort(void)
{
    if (((uintptr_t)allocate(21) & 15) != 0) {
        abort();
    }
}

static void count_on_alignment_and_read_in_front(void)
{
    count_on_alignment();
    read_in_front();
}

/* Where the first pass has a report, nobody knows yet how it ends. */
static void read_past_a_full_block_but_in_the_last_pass(void)
{
    char *block = allocate(32);
    if (((uintptr_t)block & 4095) == 0) {
        exit(4);
    }
    sink = ((volatile char *)block)[32];
}

static void fail_under_moat(void)
{
    if (getenv("MOAT_OPTIONS") != NULL) {
        exit(5);
    }
}

static void count_input(void)
{
    size_t bytes = 0;
    while (getchar() != EOF) {
        bytes++;
    }
    printf("%zu bytes\n", bytes);
    fprintf(stderr, "%zu bytes on standard error\n", bytes);
    exit((int)(bytes % 50));
}

/* The first pass takes a line, those that follow all. */
static void take_more_each_time(void)
{
    char line[32];
    const char *options = getenv("MOAT_OPTIONS");
    if (options == NULL || fgets(line, sizeof line, stdin) == NULL
        || strcmp(line, "one\n") != 0) {
        exit(6);
    }
    if (strstr(options, "abi") == NULL) {
        if (fgets(line, sizeof line, stdin) == NULL
            || strcmp(line, "two\n") != 0
            || fgets(line, sizeof line, stdin) != NULL) {
            exit(7);
        }
    }
}

static void be_asked_to_stop(int signal_number)
{
    kill(getppid(), signal_number);
    for (;;) {
        pause();
    }
}

static void be_terminated(void)
{
    be_asked_to_stop(SIGTERM);
}

/* The terminal would send it to the program as well. */
static void be_interrupted(void)
{
    kill(getppid(), SIGINT);
    raise(SIGINT);
}

static const struct {
    const char *name;
    void (*act)(void);
} acts[] = {
#define ACT(name) { #name, name }
    ACT(be_interrupted),
    ACT(be_terminated),
    ACT(count_input),
    ACT(count_on_alignment),
    ACT(count_on_alignment_and_abort),
    ACT(count_on_alignment_and_read_in_front),
    ACT(fail_under_moat),
    ACT(read_behind_each_size),
    ACT(read_in_front),
    ACT(read_on_and_on),
    ACT(read_past_a_full_block_but_in_the_last_pass),
    ACT(read_past_an_odd_block),
    ACT(take_more_each_time),
    ACT(two_defects),
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (argument_count == 2 && strcmp(arguments[1], acts[i].name) == 0) {
            acts[i].act();
            return 0;
        }
    }
    return 2;
}
