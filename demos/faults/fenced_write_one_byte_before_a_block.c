/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Without being told, Moat puts a block at the end of its page, and what is in
 * front of it is a canary: found when the block is freed.
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
    char *block = moat_arena_alloc(arena, 32);

    write_byte(block - 1);
    moat_arena_free(arena, block);
    return 0;
}
