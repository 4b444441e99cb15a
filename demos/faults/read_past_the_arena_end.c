/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guard page stops reading too, which no canary can. This read is eight
 * bytes too far.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 32);

    return read_byte(block + 32 + 7);
}
