/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two threads allocate from an arena that is not shared: the report names both,
 * and where each was.
 */
#include <moat.h>

#include <pthread.h>

static void *allocate(void *arena)
{
    for (long i = 0; i < 100000000; i++) {
        moat_arena_alloc(arena, 16);
    }
    return NULL;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 64 * 1024);
    pthread_t thread;

    pthread_create(&thread, NULL, allocate, arena);
    allocate(arena);
    pthread_join(thread, NULL);
    return 0;
}
