/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freeing with a pointer that has moved on from the start of its block.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_free(arena, block + 8);
    return 0;
}
