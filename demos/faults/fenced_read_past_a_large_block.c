/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Five megabytes, and one byte.
 */
#include <moat.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    struct moat_arena_config config = { .name = "letters",
                                        .capacity = 6000000,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *block = moat_arena_alloc(arena, 5000000);

    read_byte(block + 5000000);
    return 0;
}
