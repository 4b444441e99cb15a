/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address of a freed block is not used again while the arena lives.
 */
#include <moat.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena_config config = { .name = "letters",
                                        .capacity = 400000,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_free(arena, block);
    for (int i = 0; i < 10000; i++) {
        moat_arena_free(arena, moat_arena_alloc(arena, 32));
    }
    write_byte(block);
    return 0;
}
