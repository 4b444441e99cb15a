/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recursion that forgets to end runs into the end of the stack, where
 * there is no stack left to report on: Moat brings its own.
 */
#include <moat.h>

/* Without end, but so that no compiler can know it. */
static volatile int bottom = -1;

__attribute__((noinline)) static int descend(int depth)
{
    volatile char frame[256];

    frame[0] = 1;
    return depth == bottom ? 0 : descend(depth + 1) + frame[0];
}

int main(void)
{
    moat_arena_create("unused", 256);
    return descend(0);
}
