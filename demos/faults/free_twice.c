/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freeing a block that is free already.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_free(arena, block);
    moat_arena_free(arena, block);
    return 0;
}
