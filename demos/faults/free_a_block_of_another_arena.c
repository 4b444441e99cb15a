/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each block belongs to one arena, and only that one can free it.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    struct moat_arena *other = moat_arena_create("numbers", 256);
    char *block = moat_arena_alloc(other, 32);

    moat_arena_free(arena, block);
    return 0;
}
