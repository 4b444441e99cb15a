/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of 0 bytes has none that may be read.
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
    char *block = moat_arena_alloc(arena, 0);

    read_byte(block);
    return 0;
}
