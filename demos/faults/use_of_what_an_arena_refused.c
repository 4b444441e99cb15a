/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arena is full, and nobody looks at the result: the fault comes later,
 * somewhere else.
 */
#include <moat.h>

struct entry {
    char key[24];
    char value[40];
};

__attribute__((noinline)) static void set_value(volatile struct entry *entry,
                                                char value)
{
    entry->value[0] = value;
}

/* volatile: no compiler shall know that it is NULL. */
static struct entry *volatile last;

int main(void)
{
    struct moat_arena *arena = moat_arena_create("table", 256);
    for (int i = 0; i < 5; i++) {
        last = moat_arena_alloc(arena, sizeof *last);
    }
    moat_arena_destroy(arena);
    set_value(last, '!');
    return 0;
}
