/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With placement=before a block starts behind a guard page: reading one byte in
 * front of it stops here.
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

    read_byte(block - 1);
    return 0;
}
