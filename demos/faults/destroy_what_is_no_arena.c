/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A local variable is no arena, whatever its type says.
 */
#include <moat.h>

int main(void)
{
    long number = 42;

    moat_arena_destroy((struct moat_arena *)(void *)&number);
    return 0;
}
