/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A write that runs on from one block up to the next. All of it is damage of
 * the first block, which caused it.
 */
#include <moat.h>

__attribute__((noinline)) static void write_up_to(volatile char *start,
                                                  const volatile char *end)
{
    while (start < end) {
        *start++ = '!';
    }
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *first = moat_arena_alloc(arena, 32);
    char *second = moat_arena_alloc(arena, 32);

    write_up_to(first, second);
    moat_arena_free(arena, first);
    return 0;
}
