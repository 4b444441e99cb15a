/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways in which a process ends, or becomes another program, without exit
 * handlers: what it did is added to the tally first. None allocates, none but
 * execvp() and its like looks anything up, for they are called in the child of
 * a vfork() and in signal handlers.
 */
#include "api/tally.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void leave(int status)
{
    tally_add();
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}

PRELOAD_API void _exit(int status)
{
    leave(status);
}

PRELOAD_API void _Exit(int status)
{
    leave(status);
}

static int run(const char *path, char *const arguments[],
               char *const variables[])
{
    tally_add();
    return (int)syscall(SYS_execve, path, arguments, variables);
}

PRELOAD_API int execve(const char *path, char *const arguments[],
                       char *const variables[])
{
    return run(path, arguments, variables);
}

PRELOAD_API int execv(const char *path, char *const arguments[])
{
    return run(path, arguments, environ);
}

PRELOAD_API int execvp(const char *file, char *const arguments[])
{
    tally_add();
    return next_execvpe(file, arguments, environ);
}

PRELOAD_API int execvpe(const char *file, char *const arguments[],
                        char *const variables[])
{
    tally_add();
    return next_execvpe(file, arguments, variables);
}
