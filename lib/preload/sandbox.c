/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of system calls: one may end the process for a call that Moat makes,
 * so userfaultfd is given up before there is any. What stands in for it uses
 * madvise() or mprotect(), which filters for programs with a heap allow.
 *
 * There is no seccomp() in glibc: libraries use syscall().
 */
#include "api/faults.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How many words a system call takes. */
enum { WORDS = 6 };

static void look_at(long number, const long words[WORDS])
{
    if ((number == SYS_prctl && words[0] == PR_SET_SECCOMP)
        || (number == SYS_seccomp
            && (words[0] == SECCOMP_SET_MODE_FILTER
                || words[0] == SECCOMP_SET_MODE_STRICT))) {
        faults_prepare_sandbox();
    }
}

PRELOAD_API int prctl(int option, ...)
{
    long words[WORDS] = { option };
    va_list list;
    va_start(list, option);
    for (int i = 1; i < WORDS - 1; i++) {
        words[i] = va_arg(list, long);
    }
    va_end(list);
    look_at(SYS_prctl, words);
    return (int)next_syscall(SYS_prctl, words[0], words[1], words[2], words[3],
                             words[4], 0);
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
    look_at(number, words);
    return next_syscall(number, words[0], words[1], words[2], words[3],
                        words[4], words[5]);
}
