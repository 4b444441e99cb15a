/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking by moving pages (Linux 6.8): as revoke_drop.c, and the page of a
 * freed block goes to the address that is allocated next, in one call instead
 * of the two or three that dropping and putting a new one there take.
 */
#include "os/revoke.h"
#include "os/userfault.h"

#include <errno.h>

static int move_start(void)
{
    int error = userfault_start();
    return error == 0 && !userfault_can_move() ? ENOSYS : error;
}

/*
 * What is tried is that a missing page is out of reach; that pages can be moved
 * is what the kernel says (UFFD_FEATURE_MOVE). Moving one here would flush the
 * TLB three times, which is a tenth of what a program that does nothing takes;
 * where the first free fails to, the page is dropped, and counted.
 */
static int move_probe(void)
{
    int error = move_start();
    return error == 0 ? userfault_try() : error;
}

const struct revoke_way revoke_move = {
    .name = "move",
    .start = move_start,
    .probe = move_probe,
    .prepare = userfault_register,
    .arm = userfault_fill,
    .revoke = userfault_drop,
    .transfer = userfault_move,
    .adopt = userfault_adopt,
    .forget = userfault_forget,
    .refill = userfault_refill,
};
