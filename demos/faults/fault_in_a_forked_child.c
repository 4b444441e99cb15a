/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guard pages survive fork. The child's report names the child as the one
 * that erred, and the parent as the one that allocated.
 */
#include <moat.h>

#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void write_byte(volatile char *place)
{
    *place = '!';
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 32);
    char *block = moat_arena_alloc(arena, 32);
    int status;

    if (fork() == 0) {
        write_byte(block + 32);
        _exit(0);
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
