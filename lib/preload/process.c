/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways in which a process ends without exit handlers: what it did is added
 * to the tally first. Nothing is allocated or looked up, for these are called
 * in the child of a vfork() and in signal handlers. See also programs.c.
 */
#include "api/tally.h"
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
