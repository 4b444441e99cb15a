/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that cleans up nothing is looked at when it exits.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *first = moat_arena_alloc(arena, 32);
    moat_arena_alloc(arena, 32);

    write_byte(first + 32);
    return 0;
}
