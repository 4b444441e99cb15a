/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The block that fills its arena ends at the guard page: one byte too far,
 * and the write stops right there.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 32);

    write_byte(block + 32);
    return 0;
}
