/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An arena that is placed over a living one is refused. If the program goes
 * on after the report, it gets NULL and EEXIST.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *first = moat_arena_create("first", 256);
    moat_arena_alloc(first, 32);
    struct moat_arena_config config = {
        .name = "second",
        .capacity = 256,
        .at = moat_arena_base(first),
    };

    moat_arena_create_with(&config);
    return 0;
}
