/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/expect.h */
#include <moat/expect.h>

#include "api/runtime.h"
#include "diagnose/expect.h"

bool moat_expect_begin(struct moat_expectation *here)
{
    runtime_start();
    expect_begin(here);
    return true;
}

void moat_expect_end(struct moat_expectation *here)
{
    expect_end(here);
}
