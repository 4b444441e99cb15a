/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of lib/os that ask the kernel for memory, compiled with the calls
 * going through here; see failing_os.h. munmap() and close() never fail, as
 * they do not in the kernel when their arguments are right.
 */
#include "tests/support/failing_os.h"

#include "os/process.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static struct {
    size_t calls;
    size_t failing;
    int error;
    enum failing_how how;
} kernel;

void failing_os_start(size_t call, int error, enum failing_how how)
{
    kernel.calls = 0;
    kernel.failing = call;
    kernel.error = error;
    kernel.how = how;
}

size_t failing_os_stop(void)
{
    kernel.failing = 0;
    return kernel.calls;
}

/* Counts a call; with true, errno is set. */
static bool must_fail_as(bool is_mprotect)
{
    kernel.calls++;
    if (kernel.failing == 0 || kernel.calls < kernel.failing
        || (kernel.how == FAILING_MPROTECT && !is_mprotect)
        || (kernel.calls > kernel.failing && kernel.how != FAILING_EVER_AFTER
            && kernel.how != FAILING_MPROTECT)) {
        return false;
    }
    errno = kernel.error;
    return true;
}

static bool must_fail(void)
{
    return must_fail_as(false);
}

static size_t half_of(size_t bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return kernel.how == FAILING_HALF_DONE
               ? bytes / 2 / page_bytes * page_bytes
               : 0;
}

static void *failing_mmap(void *start, size_t bytes, int protection, int flags,
                          int descriptor, off_t offset)
{
    return must_fail() ? MAP_FAILED
                       : mmap(start, bytes, protection, flags, descriptor,
                              offset);
}

static int failing_mprotect(void *start, size_t bytes, int protection)
{
    if (!must_fail_as(true)) {
        return mprotect(start, bytes, protection);
    }
    if (protection == PROT_NONE && half_of(bytes) != 0) {
        mprotect(start, half_of(bytes), protection);
    }
    errno = kernel.error;
    return -1;
}

static int failing_madvise(void *start, size_t bytes, int advice)
{
    if (!must_fail()) {
        return madvise(start, bytes, advice);
    }
    if (advice == MADV_GUARD_INSTALL && half_of(bytes) != 0) {
        madvise(start, half_of(bytes), advice);
    }
    errno = kernel.error;
    return -1;
}

static int failing_munlock(void *start, size_t bytes)
{
    return must_fail() ? -1 : munlock(start, bytes);
}

static int failing_getrlimit(int resource, struct rlimit *limit)
{
    return must_fail() ? -1
                       : getrlimit((__rlimit_resource_t)resource, limit);
}

static int failing_process_open(const char *name)
{
    return must_fail() ? -1 : process_open(name);
}

static ssize_t failing_read(int descriptor, void *bytes, size_t count)
{
    return must_fail() ? -1 : read(descriptor, bytes, count);
}

static ssize_t failing_process_vm_readv(pid_t process, const struct iovec *to,
                                        unsigned long to_count,
                                        const struct iovec *from,
                                        unsigned long from_count,
                                        unsigned long flags)
{
    return must_fail() ? -1
                       : process_vm_readv(process, to, to_count, from,
                                          from_count, flags);
}

#define mmap failing_mmap
#define mprotect failing_mprotect
#define madvise failing_madvise
#define munlock failing_munlock
#define getrlimit failing_getrlimit
#define process_open failing_process_open
#define read failing_read
#define process_vm_readv failing_process_vm_readv

#include "lib/os/pages.c"
#include "lib/os/revoke_guard.c"
