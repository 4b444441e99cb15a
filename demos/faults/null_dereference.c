/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A member of a structure that is not there: not at address 0, but close to
 * it.
 */
#include <moat.h>

struct node {
    struct node *next;
    char name[32];
};

/* volatile: no compiler shall know what is in it. */
static struct node *volatile nobody;

__attribute__((noinline)) static char initial(const volatile struct node *node)
{
    return node->name[0];
}

int main(void)
{
    moat_arena_create("unused", 256);
    return initial(nobody);
}
