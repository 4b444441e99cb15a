/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking by mprotect(): works on every kernel, and splits a mapping for each
 * run of pages, of which a process may have 65530 (vm.max_map_count).
 */
#include "os/pages.h"
#include "os/revoke.h"

static int mprotect_prepare(uintptr_t start, size_t bytes)
{
    (void)start;
    (void)bytes;
    return 0;
}

static int mprotect_revoke(uintptr_t start, size_t bytes)
{
    /* Deny first: a racing access must not find the zeroes of a dropped page.
     */
    int error = pages_deny(start, bytes);
    if (error != 0) {
        /* A filter of system calls may have taken mprotect(), and left mmap().
         */
        return pages_renew(start, bytes) == 0 ? 0 : error;
    }
    /*
     * Locked memory cannot be dropped (EINVAL). The pages are out of reach
     * whatever happens here; failing to drop only keeps memory.
     */
    if (pages_drop(start, bytes) != 0 && pages_unlock(start, bytes) == 0) {
        pages_drop(start, bytes);
    }
    return 0;
}

static int mprotect_arm(uintptr_t start, size_t bytes)
{
    return pages_provide(start, bytes);
}

static int mprotect_probe(void)
{
    uintptr_t page;
    int error = pages_reserve(pages_size(), &page);
    if (error != 0) {
        return error;
    }
    error = pages_provide(page, pages_size());
    if (error == 0) {
        *(volatile char *)page = 1;
        error = mprotect_revoke(page, pages_size());
    }
    pages_unmap(page, pages_size());
    return error;
}

const struct revoke_way revoke_mprotect = {
    .name = "mprotect",
    .probe = mprotect_probe,
    .prepare = mprotect_prepare,
    .arm = mprotect_arm,
    .revoke = mprotect_revoke,
    .is_sparse = true,
};
