/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The old addresses are not handed out again soon: a thousand arenas later,
 * Moat still knows whose they were.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
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
    return read_byte(block);
}
