/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second free of a fenced block.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena_config config = { .name = "letters",
                                        .capacity = 4096,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *block = moat_arena_alloc(arena, 32);

    moat_arena_free(arena, block);
    moat_arena_free(arena, block);
    return 0;
}
