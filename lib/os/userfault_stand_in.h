/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replaces userfaultfd where it was taken away: by a sandbox in the child
 * of a fork, or by a program that closed the descriptor and a kernel that
 * gives no new one. Guard markers, and where there are none mprotect(), go over
 * every page of the ranges that is missing.
 */
#ifndef OS_USERFAULT_STAND_IN_H
#define OS_USERFAULT_STAND_IN_H

#include "os/range_list.h"
#include "os/revoke.h"

/*
 * Make all missing pages of RANGES inaccessible. Returns the way that did it
 * and does all the rest from then on, or NULL when nothing could.
 */
const struct revoke_way *
userfault_stand_in(const struct range_list *ranges);

#endif
