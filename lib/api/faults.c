/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the preload library; see faults.h. */
#include "api/faults.h"

#include "diagnose/fault.h"
#include "os/address_space.h"

#include <stddef.h>

int faults_set_action(int signal, const struct sigaction *wanted,
                      struct sigaction *before)
{
    fault_set_user_action(signal,
                          address_space_is_borrowed() ? NULL : wanted, before);
    return 0;
}
