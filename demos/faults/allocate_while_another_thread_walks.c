/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread allocates while another one walks over the blocks of the arena.
 */
#include <moat.h>

#include <pthread.h>

static struct moat_arena *arena;

static void *allocate(void *unused)
{
    (void)unused;
    moat_arena_alloc(arena, 16);
    return NULL;
}

static int visit(const struct moat_block *block, void *unused)
{
    pthread_t thread;

    (void)block;
    (void)unused;
    pthread_create(&thread, NULL, allocate, NULL);
    pthread_join(thread, NULL);
    return 0;
}

int main(void)
{
    arena = moat_arena_create("letters", 256);
    moat_arena_alloc(arena, 16);
    moat_arena_walk(arena, visit, NULL);
    return 0;
}
