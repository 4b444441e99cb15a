/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of 32 bytes on a page of its own ends at a guard page, and so even
 * reading one byte too far stops here.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    struct moat_arena_config config = { .name = "letters",
                                        .capacity = 4096,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *block = moat_arena_alloc(arena, 32);

    read_byte(block + 32);
    return 0;
}
