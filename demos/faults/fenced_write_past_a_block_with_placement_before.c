/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With placement=before the end of a block is guarded by a canary only.
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

    write_byte(block + 32);
    moat_arena_free(arena, block);
    return 0;
}
