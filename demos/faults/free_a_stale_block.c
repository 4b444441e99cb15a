/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block's arena is destroyed. Another one cannot free it either.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *old = moat_arena_create("gone", 256);
    char *block = moat_arena_alloc(old, 32);

    moat_arena_destroy(old);
    struct moat_arena *arena = moat_arena_create("letters", 256);
    moat_arena_free(arena, block);
    return 0;
}
