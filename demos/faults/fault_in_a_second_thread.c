/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread that faults is not the one that allocated: the report names
 * both.
 */
#include <moat.h>

#include <pthread.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

static void *run(void *block)
{
    write_byte((char *)block + 32);
    return NULL;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 32);
    pthread_t thread;

    pthread_create(&thread, NULL, run, block);
    pthread_join(thread, NULL);
    return 0;
}
