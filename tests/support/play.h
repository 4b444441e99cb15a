/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of several plays, which `moat run` is tried on: without arguments
 * they say what they play, one name a line, and with one of these they play it.
 */
#ifndef SUPPORT_PLAY_H
#define SUPPORT_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the compiler knows nothing of. */
static void *(*volatile allocate)(size_t) __attribute__((unused)) = malloc;
static void (*volatile release)(void *) __attribute__((unused)) = free;

/* Unless CONDITION holds, say so and end: 1. In children too. */
#define MUST(condition) play_must(condition, __FILE__, __LINE__)

static inline void play_must(bool condition, const char *file, int line)
{
    if (!condition) {
        dprintf(STDERR_FILENO, "%s:%d does not hold\n", file, line);
        _exit(1);
    }
}

/* End because of what this machine does not allow. */
_Noreturn static inline void play_skip(const char *reason)
{
    enum { SKIPPED = 77 };
    dprintf(STDERR_FILENO, "skipped: %s\n", reason);
    _exit(SKIPPED);
}

/* A system call by an instruction of the program's own; its answer is the
 * kernel's. */
static inline long play_call(long number, long a, long b, long c)
{
#ifdef __x86_64__
    long answer;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return answer;
#else
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2)
                     : "memory");
    return x0;
#endif
}

struct play {
    const char *name;
    void (*play)(void);
};

#define PLAY(function)                                                         \
    {                                                                          \
        #function, function                                                    \
    }

/* The end of main(). */
static inline int play_run(const struct play plays[], size_t count,
                           int argument_count, char *arguments[])
{
    for (size_t i = 0; i < count; i++) {
        if (argument_count == 1) {
            puts(plays[i].name);
        } else if (strcmp(arguments[1], plays[i].name) == 0) {
            plays[i].play();
            return 0;
        }
    }
    return argument_count == 1 ? 0 : 2;
}

#endif
