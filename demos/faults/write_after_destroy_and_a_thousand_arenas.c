/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write through a pointer that is a thousand arenas old hits none of them.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("long gone", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_destroy(arena);
    for (int i = 0; i < 1000; i++) {
        struct moat_arena *later = moat_arena_create("later", 256);
        moat_arena_alloc(later, 32);
        moat_arena_destroy(later);
    }
    write_byte(block);
    return 0;
}
