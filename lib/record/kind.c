/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of kinds, as reports write them; see moat/finding.h. */
#include <moat/finding.h>

const char *moat_kind_name(enum moat_kind kind)
{
    return moat_off_kind_name(kind);
}
