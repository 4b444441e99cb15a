/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of 30 bytes takes 32. The two bytes behind it are slack: nobody
 * else's, but not the program's either, so they are a canary.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 30);

    write_byte(block + 30);
    moat_arena_free(arena, block);
    return 0;
}
