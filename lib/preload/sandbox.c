/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of system calls: one may end the process for a call that Moat makes,
 * so userfaultfd is given up before there is any. What stands in for it uses
 * madvise() or mprotect(), which filters for programs with a heap allow.
 * seccomp() is in by_number.c.
 */
#include "api/faults.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

PRELOAD_API int prctl(int option, ...)
{
    /* How many words follow. */
    enum { WORDS = 4 };
    long words[WORDS];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < WORDS; i++) {
        words[i] = va_arg(list, long);
    }
    va_end(list);
    if (option == PR_SET_SECCOMP) {
        faults_prepare_sandbox();
    }
    return (int)next_syscall(SYS_prctl, option, words[0], words[1], words[2],
                             words[3], 0);
}
