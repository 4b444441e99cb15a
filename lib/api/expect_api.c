/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/expect.h */
#include <moat/expect.h>

#include "api/arena_use.h"
#include "api/runtime.h"
#include "diagnose/expect.h"

bool moat_expect_begin(struct moat_expectation *here)
{
    runtime_start();
    expect_begin(here, (uintptr_t)__builtin_dwarf_cfa());
    return true;
}

void moat_expect_end(struct moat_expectation *here)
{
    bool is_met = here->is_met;
    expect_end(here);
    if (is_met) {
        arena_use_abandon();
    }
}
