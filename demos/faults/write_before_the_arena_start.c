/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first block of an arena starts right behind a guard page.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = moat_arena_alloc(arena, 32);

    write_byte(block - 1);
    return 0;
}
