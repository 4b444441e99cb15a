/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard page in front of the first block stops reading too.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = moat_arena_alloc(arena, 32);

    return read_byte(block - 16);
}
