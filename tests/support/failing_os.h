/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that refuses: linked in front of the library, it takes the place of
 * os/pages and os/revoke_guard, where the calls for memory are made, and lets
 * a chosen one of these calls fail.
 */
#ifndef SUPPORT_FAILING_OS_H
#define SUPPORT_FAILING_OS_H

#include <stddef.h>

enum failing_how {
    /* Just this call. */
    FAILING_ONCE,
    /* This call and all that follow. */
    FAILING_EVER_AFTER,
    /*
     * Just this call; but where it makes pages inaccessible it has done so
     * with the first half of them, as the kernel may when memory for page
     * tables or mappings runs out on the way.
     */
    FAILING_HALF_DONE,
    /* Each mprotect() from this call on: the process has as many mappings as
     * it may have. */
    FAILING_MPROTECT,
    FAILING_HOWS
};

/* Let call number CALL from now on fail with the errno value ERROR; CALL 0:
 * none. */
void failing_os_start(size_t call, int error, enum failing_how how);

/* End that. Returns how many calls there have been since the start. */
size_t failing_os_stop(void);

#endif
