/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of 30 bytes, aligned to 2, ends at the guard page.
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
    char *block = moat_arena_alloc(arena, 30);

    read_byte(block + 30);
    return 0;
}
