/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking by moving pages (Linux 6.8): as revoke_drop.c, and the page of a
 * freed block goes to the address that is allocated next, in one call instead
 * of the two or three that dropping and putting a new one there take.
 */
#include "os/pages.h"
#include "os/revoke.h"
#include "os/userfault.h"

#include <errno.h>

static int try_to_move(uintptr_t from, uintptr_t to)
{
    int error = userfault_fill(from, pages_size());
    if (error == 0) {
        *(volatile char *)from = 'm';
        error = userfault_move(from, to, pages_size());
    }
    if (error == 0) {
        char byte;
        bool has_moved = !pages_peek(from, 1, &byte)
                         && *(volatile char *)to == 'm';
        error = has_moved ? 0 : ENOSYS;
    }
    return error;
}

static int move_probe(void)
{
    int error = userfault_start();
    if (error == 0 && !userfault_can_move()) {
        error = ENOSYS;
    }
    uintptr_t pages;
    if (error == 0) {
        error = pages_reserve(2 * pages_size(), &pages);
    }
    if (error != 0) {
        return error;
    }
    error = userfault_register(pages, 2 * pages_size());
    if (error == 0) {
        error = try_to_move(pages, pages + pages_size());
        userfault_forget(pages, 2 * pages_size());
    }
    pages_unmap(pages, 2 * pages_size());
    return error;
}

const struct revoke_way revoke_move = {
    .name = "move",
    .probe = move_probe,
    .prepare = userfault_register,
    .arm = userfault_fill,
    .revoke = userfault_drop,
    .transfer = userfault_move,
    .adopt = userfault_adopt,
    .forget = userfault_forget,
};
