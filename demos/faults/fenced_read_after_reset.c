/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New blocks do not come where old ones were.
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

    moat_arena_reset(arena);
    moat_arena_alloc(arena, 32);
    read_byte(block + 31);
    return 0;
}
