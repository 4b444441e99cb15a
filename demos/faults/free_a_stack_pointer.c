/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A local array was never allocated, so it cannot be freed.
 */
#include <moat.h>

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char array[32];

    moat_arena_free(arena, array);
    return 0;
}
