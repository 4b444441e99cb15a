/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between two blocks there is no guard page, but a canary. The write goes
 * through, and free finds the byte.
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
    moat_arena_free(arena, first);
    return 0;
}
