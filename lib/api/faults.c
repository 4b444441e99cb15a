/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the preload library; see faults.h. */
#include "api/faults.h"

#include "alloc/arena.h"
#include "diagnose/fault.h"
#include "diagnose/leak.h"
#include "os/address_space.h"
#include "os/userfault.h"

#include <stdbool.h>
#include <stddef.h>

int faults_set_action(int signal, const struct sigaction *wanted,
                      struct sigaction *before)
{
    fault_set_user_action(signal,
                          address_space_is_borrowed() ? NULL : wanted, before);
    return 0;
}

int faults_descriptor(void)
{
    /* A child of vfork() may close what it likes, and a new address space has
     * to do without its parent's. */
    return address_space_is_new() || address_space_is_borrowed()
               ? -1
               : userfault_descriptor();
}

void faults_renumber_descriptor(void)
{
    userfault_renumber();
}

void faults_prepare_sandbox(bool is_for_all_threads)
{
    userfault_give_up(is_for_all_threads);
    leak_forbid();
    /* Tried while it may be. */
    arena_sparse_way();
}
