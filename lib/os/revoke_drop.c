/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking by dropping pages of a range that userfaultfd watches (Linux 5.11):
 * a page that is missing is a guard, in one mapping however many there are.
 */
#include "os/pages.h"
#include "os/revoke.h"
#include "os/userfault.h"

#include <errno.h>

/* Whether what was revoked is out of reach; the kernel may know the calls and
 * not do what they say (gVisor and the like). */
static bool is_guarded(uintptr_t page)
{
    char byte;
    return !pages_peek(page, 1, &byte);
}

static int drop_probe(void)
{
    int error = userfault_start();
    if (error != 0) {
        return error;
    }
    uintptr_t page;
    error = pages_reserve(pages_size(), &page);
    if (error != 0) {
        return error;
    }
    error = userfault_register(page, pages_size());
    if (error == 0) {
        error = userfault_fill(page, pages_size());
        if (error == 0) {
            *(volatile char *)page = 1;
            error = userfault_drop(page, pages_size());
        }
        if (error == 0 && !is_guarded(page)) {
            error = ENOSYS;
        }
        userfault_forget(page, pages_size());
    }
    pages_unmap(page, pages_size());
    return error;
}

const struct revoke_way revoke_drop = {
    .name = "drop",
    .start = userfault_start,
    .probe = drop_probe,
    .prepare = userfault_register,
    .arm = userfault_fill,
    .revoke = userfault_drop,
    .adopt = userfault_adopt,
    .forget = userfault_forget,
    .refill = userfault_refill,
};
