/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Destroying an arena that is destroyed already.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("gone", 256);
    moat_arena_alloc(arena, 32);

    moat_arena_destroy(arena);
    moat_arena_destroy(arena);
    return 0;
}
