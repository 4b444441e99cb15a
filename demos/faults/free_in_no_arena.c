/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Here the arguments are swapped: what is taken for the arena is a block.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_free((struct moat_arena *)(void *)block, arena);
    return 0;
}
