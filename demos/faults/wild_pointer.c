/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An address that was never Moat's. The signal does what it would have done
 * without Moat: here, end the program.
 */
#include <moat.h>

#include <stdint.h>

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    moat_arena_create("unused", 256);
    return read_byte((char *)(uintptr_t)0x123456789000);
}
