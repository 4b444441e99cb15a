/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what an arena held before it was reset.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("requests", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_reset(arena);
    return read_byte(block);
}
