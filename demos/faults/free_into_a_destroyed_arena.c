/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arena is destroyed, and its blocks with it: there is nothing left to
 * free.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("gone", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_destroy(arena);
    moat_arena_free(arena, block);
    return 0;
}
