/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of a destroyed arena are inaccessible, and their addresses stay
 * out of use.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("gone", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_destroy(arena);
    write_byte(block + 4);
    return 0;
}
