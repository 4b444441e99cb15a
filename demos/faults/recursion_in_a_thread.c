/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stacks of other threads are watched where the thread asks for it.
 */
#include <moat.h>

#include <pthread.h>

/* Without end, but so that no compiler can know it. */
static volatile int bottom = -1;

__attribute__((noinline)) static int descend(int depth)
{
    volatile char frame[256];

    frame[0] = 1;
    return depth == bottom ? 0 : descend(depth + 1) + frame[0];
}

static void *run(void *unused)
{
    moat_thread_prepare();
    descend(0);
    return unused;
}

int main(void)
{
    pthread_t thread;

    moat_arena_create("unused", 256);
    pthread_create(&thread, NULL, run, NULL);
    pthread_join(thread, NULL);
    return 0;
}
