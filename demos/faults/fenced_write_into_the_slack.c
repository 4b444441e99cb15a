/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block of 30 bytes, aligned to 16, ends two bytes in front of the guard
 * page. These two are a canary.
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

    write_byte(block + 30);
    moat_arena_free(arena, block);
    return 0;
}
