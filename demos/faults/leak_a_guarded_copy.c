/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With detect_leaks=1 what nobody can free any more is reported at exit, once
 * for each place: here two copies, and the one that is kept is not.
 */
#include <moat.h>

#include <string.h>

static const char text[] = "a test input";
static char *kept;

/* For all the compiler knows, it may be any number. */
static volatile int copies = 2;

__attribute__((noinline)) static void lose_copies(void)
{
    for (int i = 0; i < copies; i++) {
        moat_guarded_copy(text, sizeof text, MOAT_PLACEMENT_AFTER);
    }
}

/* Where the addresses of the copies may still be. */
__attribute__((noinline)) static void overwrite_stack(void)
{
    char bytes[16384];

    memset(bytes, 0, sizeof bytes);
    __asm__ volatile("" : : "r"(bytes) : "memory");
}

int main(void)
{
    lose_copies();
    kept = moat_guarded_copy(text, sizeof text, MOAT_PLACEMENT_AFTER);
    overwrite_stack();
    return kept == NULL;
}
