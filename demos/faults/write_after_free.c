/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freeing a block overwrites it. Whoever writes to it later leaves a trace,
 * which check finds, with what was written.
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

    moat_arena_free(arena, block);
    write_byte(block + 4);
    moat_arena_check(arena);
    return 0;
}
