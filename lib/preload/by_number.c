/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscall(): what has a function that is looked after is that function by
 * another name. There is none for seccomp() and clone3() in glibc, so that
 * libraries call these in no other way.
 *
 * What a program asks of the kernel by an instruction of its own goes past
 * this, and is met when it is noticed.
 */
#include "api/faults.h"
#include "api/runtime.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where there are only newer ones, a number that is none. */
#ifndef SYS_dup2
#define SYS_dup2 (-2)
#endif
#ifndef SYS_fork
#define SYS_fork (-3)
#endif

/* How many words a system call takes. */
enum { WORDS = 6 };

static bool is_filter(const long words[WORDS])
{
    return words[0] == SECCOMP_SET_MODE_FILTER
           || words[0] == SECCOMP_SET_MODE_STRICT;
}

/* Whether the child that it makes has memory of its own. */
static bool copies_memory(long number, const long words[WORDS])
{
    switch (number) {
    case SYS_fork:
        return true;
    case SYS_clone:
        return (words[0] & CLONE_VM) == 0;
    case SYS_clone3:
        return (((const struct clone_args *)words[0])->flags & CLONE_VM) == 0;
    default:
        return false;
    }
}

static long call(long number, const long words[WORDS])
{
    long answer = next_syscall(number, words[0], words[1], words[2], words[3],
                               words[4], words[5]);
    if (answer == 0 && copies_memory(number, words)) {
        runtime_start_child();
    }
    return answer;
}

PRELOAD_API long syscall(long number, ...)
{
    long words[WORDS];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < WORDS; i++) {
        words[i] = va_arg(list, long);
    }
    va_end(list);
    switch (number) {
    case SYS_close:
        /* Not close(), which would be the layers' own here. */
        if (faults_is_descriptor((int)words[0])) {
            errno = EBADF;
            return -1;
        }
        break;
    case SYS_close_range:
        return close_range((unsigned)words[0], (unsigned)words[1],
                           (int)words[2]);
    case SYS_dup2:
        return dup2((int)words[0], (int)words[1]);
    case SYS_dup3:
        return dup3((int)words[0], (int)words[1], (int)words[2]);
    case SYS_prctl:
        return prctl((int)words[0], words[1], words[2], words[3], words[4]);
    case SYS_seccomp:
        if (is_filter(words)) {
            faults_prepare_sandbox();
        }
        break;
    default:
        break;
    }
    return call(number, words);
}
