/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that close, or overwrite, each descriptor there may be: Moat's own
 * stays. To the program its number is that of no open file.
 */
#include "api/faults.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

PRELOAD_API int close(int descriptor)
{
    if (faults_is_descriptor(descriptor)) {
        errno = EBADF;
        return -1;
    }
    return next_close(descriptor);
}

static int close_part(unsigned first, unsigned last, int flags)
{
    return first > last ? 0
                        : (int)syscall(SYS_close_range, first, last, flags);
}

PRELOAD_API int close_range(unsigned first, unsigned last, int flags)
{
    int own = faults_descriptor();
    if (own < 0 || (unsigned)own < first || (unsigned)own > last) {
        return (int)syscall(SYS_close_range, first, last, flags);
    }
    int result = close_part(first, (unsigned)own - 1, flags);
    return result != 0 ? result
                       : close_part((unsigned)own + 1, last, flags);
}

PRELOAD_API void closefrom(int first)
{
    unsigned from = first < 0 ? 0 : (unsigned)first;
    if (close_range(from, UINT_MAX, 0) == 0) {
        return;
    }
    /* Linux before 5.9, and filters. */
    long most = sysconf(_SC_OPEN_MAX);
    for (int descriptor = (int)from; descriptor < most; descriptor++) {
        close(descriptor);
    }
}

PRELOAD_API int dup2(int from, int to)
{
    if (faults_is_descriptor(from)) {
        errno = EBADF;
        return -1;
    }
    if (faults_is_descriptor(to)) {
        faults_renumber_descriptor();
    }
    return next_dup2(from, to);
}

PRELOAD_API int dup3(int from, int to, int flags)
{
    if (faults_is_descriptor(from)) {
        errno = EBADF;
        return -1;
    }
    if (faults_is_descriptor(to)) {
        faults_renumber_descriptor();
    }
    return next_dup3(from, to, flags);
}
