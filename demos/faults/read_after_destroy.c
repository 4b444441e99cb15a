/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what a destroyed arena held.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("gone", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_destroy(arena);
    return read_byte(block);
}
