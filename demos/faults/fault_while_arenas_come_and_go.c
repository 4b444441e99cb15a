/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault is reported also while another thread creates and destroys arenas.
 */
#include <moat.h>

#include <pthread.h>
#include <stdatomic.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

static atomic_int arenas_gone;

static void *run(void *unused)
{
    for (;;) {
        struct moat_arena *arena = moat_arena_create("passing", 4096);
        moat_arena_alloc(arena, 32);
        moat_arena_destroy(arena);
        arenas_gone++;
    }
    return unused;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 32);
    pthread_t thread;

    pthread_create(&thread, NULL, run, NULL);
    while (arenas_gone < 100) {
    }
    write_byte(block + 32);
    return 0;
}
