/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block from malloc is not for an arena to free.
 */
#include <moat.h>

#include <stdlib.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = malloc(32);

    moat_arena_free(arena, block);
    free(block);
    return 0;
}
