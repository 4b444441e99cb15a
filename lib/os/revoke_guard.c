/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking by guard markers (Linux 6.13): they live in the page table, so they
 * split no mapping, and installing one drops the page. They survive fork().
 *
 * Prepared pages belong to one readable and writable mapping. The order in
 * prepare() is the point: markers go in while the range is still PROT_NONE,
 * so at no moment is a page accessible that should not be.
 */
#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>
#include <sys/mman.h>

/* Missing from the headers of glibc 2.36. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static int advise(uintptr_t start, size_t bytes, int advice)
{
    int saved_errno = errno;
    int error = madvise((void *)start, bytes, advice) == 0 ? 0 : errno;
    errno = saved_errno;
    return error;
}

static int guard_prepare(uintptr_t start, size_t bytes)
{
    int error = advise(start, bytes, MADV_GUARD_INSTALL);
    if (error == 0) {
        error = pages_allow(start, bytes);
    }
    /*
     * mprotect() may arm these pages later; a marker would stay, be it of a
     * call that got halfway or of an arena that was here before.
     */
    if (error != 0 && pages_deny(start, bytes) == 0) {
        advise(start, bytes, MADV_GUARD_REMOVE);
    }
    return error;
}

static int guard_arm(uintptr_t start, size_t bytes)
{
    return advise(start, bytes, MADV_GUARD_REMOVE);
}

static int guard_revoke(uintptr_t start, size_t bytes)
{
    int error = advise(start, bytes, MADV_GUARD_INSTALL);
    /* Locked memory takes no markers (EINVAL) until it is unlocked. */
    if (error == EINVAL && pages_unlock(start, bytes) == 0) {
        error = advise(start, bytes, MADV_GUARD_INSTALL);
    }
    return error;
}

static int guard_probe(void)
{
    uintptr_t page;
    int error = pages_reserve(pages_size(), &page);
    if (error != 0) {
        return error;
    }
    error = guard_prepare(page, pages_size());
    if (error == 0) {
        error = guard_arm(page, pages_size());
    }
    /* Not touched: taking a page away costs more than all the rest. */
    if (error == 0) {
        error = advise(page, pages_size(), MADV_GUARD_INSTALL);
    }
    pages_unmap(page, pages_size());
    return error;
}

const struct revoke_way revoke_guard = {
    .name = "guard",
    .probe = guard_probe,
    .prepare = guard_prepare,
    .arm = guard_arm,
    .revoke = guard_revoke,
    .is_sparse = true,
};
