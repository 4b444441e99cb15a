/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nobody frees the block; its canary is looked at when the program ends.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena_config config = { .name = "letters",
                                        .capacity = 4096,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *block = moat_arena_alloc(arena, 30);

    write_byte(block + 31);
    return 0;
}
