/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A library that foreign.c opens; made by foreign.sh. */
#include <stdlib.h>
#include <string.h>

int library_works(void);
int library_overflows(void);

int library_works(void)
{
    void *(*volatile allocate)(size_t) = malloc;
    void (*volatile release)(void *) = free;
    char *block = allocate(100);
    memset(block, 7, 100);
    int seven = block[99];
    release(block);
    return seven;
}

int library_overflows(void)
{
    void *(*volatile allocate)(size_t) = malloc;
    volatile char *block = allocate(32);
    block[32] = 'x';
    return 0;
}
