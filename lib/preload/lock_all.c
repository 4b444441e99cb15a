/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mlockall(), which leaves out what Moat has reserved: of locked memory each
 * page that is freed must be unlocked, and takes mappings then.
 *
 * Without the right to lock more than RLIMIT_MEMLOCK, the kernel compares that
 * with the whole address space, of which Moat has taken terabytes. What the
 * program would have locked is then locked piece by piece.
 */
#include "api/heap.h"
#include "os/maps.h"
#include "preload/kernel.h"
#include "preload/preload.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Missing where _GNU_SOURCE is of before glibc 2.27. */
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

struct locking {
    size_t most;
    /* Of the program's mappings. */
    size_t bytes;
    unsigned flags;
};

/* Not the region, nor those of Moat's tables that are larger than all that may
 * be locked. */
static bool is_of_program(uintptr_t start, uintptr_t end,
                          const struct locking *locking)
{
    return end - start <= locking->most
           && !heap_meets((const void *)start, end - start);
}

static bool count(uintptr_t start, uintptr_t end, void *context)
{
    struct locking *locking = context;
    if (is_of_program(start, end, locking)) {
        locking->bytes += end - start;
    }
    return true;
}

/* Some of the kernel's own cannot be locked, nor with mlockall(). */
static bool lock(uintptr_t start, uintptr_t end, void *context)
{
    struct locking *locking = context;
    if (is_of_program(start, end, locking)) {
        kernel_call(SYS_mlock2, (long)start, (long)(end - start),
                    (long)locking->flags, 0, 0, 0);
    }
    return true;
}

PRELOAD_API int mlockall(int flags)
{
    struct rlimit limit;
    long answer = kernel_call(SYS_mlockall, flags, 0, 0, 0, 0, 0);
    if (answer == 0 && heap_is_ready()) {
        heap_keep_unlocked();
    }
    if (answer != -ENOMEM || (flags & MCL_CURRENT) == 0 || !heap_is_ready()
        || getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        return (int)kernel_answer(answer);
    }
    struct locking locking = {
        .most = limit.rlim_cur,
        .flags = (flags & MCL_ONFAULT) != 0 ? MLOCK_ONFAULT : 0,
    };
    maps_each(count, &locking);
    if (locking.bytes > locking.most) {
        return (int)kernel_answer(-ENOMEM);
    }
    maps_each(lock, &locking);
    /* What is mapped later stays as it is, also with MCL_FUTURE: Moat's own
     * reservations would count against the limit. */
    return 0;
}
