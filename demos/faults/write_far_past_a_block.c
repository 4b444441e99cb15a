/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that no block has needed yet are as inaccessible as guard pages: a
 * wild index stops there, although it is within the arena's capacity.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 1024 * 1024);
    char *block = moat_arena_alloc(arena, 32);

    write_byte(block + 512 * 1024);
    return 0;
}
