/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children of a test, by each of the ways in which programs make them. Check
 * is not there in a child: it says what is wrong by its exit status.
 */
#ifndef SUPPORT_CHILD_H
#define SUPPORT_CHILD_H

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum child_kind {
    /* fork(): a copy of the memory; handlers of pthread_atfork() run. */
    CHILD_FORKED,
    /* The same by clone(), as _Fork() does it: no handlers. */
    CHILD_CLONED,
    /* The same memory, while the parent waits: vfork(), posix_spawn(). */
    CHILD_BORROWING
};

/* Unless CONDITION holds, say so with its place in the test, and exit: 1. */
#define CHILD_MUST(condition)                                                  \
    do {                                                                       \
        if (!(condition)) {                                                    \
            child_say(__FILE__, __LINE__, #condition);                         \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

static inline void child_say(const char *file, int line, const char *condition)
{
    dprintf(STDOUT_FILENO, "# in a child, %s:%d: not true: %s\n", file, line,
            condition);
}

/*
 * How a child ends that runs BODY and exits with what that returns: a wait
 * status, or -1 when there was no child. What BODY changes in memory that it
 * borrows is changed for the test.
 */
static inline int child_ending(enum child_kind kind, int (*body)(void *),
                               void *argument)
{
    enum { STACK_BYTES = 256 * 1024 };
    pid_t child;
    int status = -1;
    fflush(stdout);
    if (kind == CHILD_FORKED) {
        child = fork();
        if (child == 0) {
            _exit(body(argument));
        }
    } else {
        int flags = kind == CHILD_BORROWING ? CLONE_VM | CLONE_VFORK : 0;
        char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED) {
            return -1;
        }
        child = clone(body, stack + STACK_BYTES, flags | SIGCHLD, argument);
        munmap(stack, STACK_BYTES);
    }
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

#endif
