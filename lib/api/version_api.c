/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/version.h */
#include <moat/version.h>

const char *moat_version(void)
{
    return MOAT_VERSION;
}
