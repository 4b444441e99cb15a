/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * There is a canary in front of a block too.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    moat_arena_alloc(arena, 32);
    char *second = moat_arena_alloc(arena, 32);

    write_byte(second - 1);
    moat_arena_free(arena, second);
    return 0;
}
