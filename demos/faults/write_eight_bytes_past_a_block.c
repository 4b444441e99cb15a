/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An array with one element too many: the canary behind the block says which
 * bytes were written, and what.
 */
#include <moat.h>

#include <stdint.h>

__attribute__((noinline)) static void fill(volatile uint64_t *numbers,
                                           int count)
{
    for (int i = 0; i <= count; i++) {
        numbers[i] = 0x4847464544434241;
    }
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("numbers", 256);
    uint64_t *numbers = moat_arena_alloc(arena, 4 * sizeof *numbers);
    moat_arena_alloc(arena, 32);

    fill(numbers, 4);
    moat_arena_free(arena, numbers);
    return 0;
}
