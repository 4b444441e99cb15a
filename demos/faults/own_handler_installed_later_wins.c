/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A limit. Moat catches faults from the start of the program; a handler that
 * is installed later takes its place, unless moat_catch_faults() is called
 * after that.
 */
#include <moat.h>

#include <setjmp.h>
#include <signal.h>

static sigjmp_buf way_back;

static void recover(int signal_number)
{
    siglongjmp(way_back, signal_number);
}

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 32);

    signal(SIGSEGV, recover);
    if (sigsetjmp(way_back, 1) == 0) {
        write_byte(block + 32);
        return 1;
    }
    return 0;
}
