/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A good program. It handles the faults of its own pointers, as some
 * languages' runtimes do, then asks Moat to stand in front: what is not
 * Moat's is passed on to the handler.
 */
#include <moat.h>

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

static sigjmp_buf way_back;

static void recover(int signal_number)
{
    siglongjmp(way_back, signal_number);
}

__attribute__((noinline)) static char read_byte(const volatile char *place)
{
    return *place;
}

int main(void)
{
    signal(SIGSEGV, recover);
    moat_catch_faults();
    moat_arena_create("unused", 256);
    if (sigsetjmp(way_back, 1) == 0) {
        read_byte((char *)(uintptr_t)0x123456789000);
        return 1;
    }
    return 0;
}
