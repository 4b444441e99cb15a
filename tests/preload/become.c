/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * become CALL PROGRAM ARGUMENT: becomes PROGRAM, or runs it, by CALL. Without
 * arguments it lists the calls. PROGRAM is a path for most of them, and for
 * those with a p in the name it is a name in PATH as well.
 */
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *program;
static char *words[3];

static int wait_for(pid_t child, int error)
{
    int status;
    if (error != 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
}

static int by_execve(void)
{
    return execve(program, words, environ);
}

static int by_execv(void)
{
    return execv(program, words);
}

static int by_execvp(void)
{
    return execvp(program, words);
}

static int by_execvpe(void)
{
    return execvpe(program, words, environ);
}

static int by_execl(void)
{
    return execl(program, words[0], words[1], (char *)NULL);
}

static int by_execlp(void)
{
    return execlp(program, words[0], words[1], (char *)NULL);
}

static int by_execle(void)
{
    return execle(program, words[0], words[1], (char *)NULL, environ);
}

static int by_fexecve(void)
{
    return fexecve(open(program, O_RDONLY | O_CLOEXEC), words, environ);
}

static int by_execveat(void)
{
    char *folder = strdup(program);
    char *name = strdup(program);
    int at = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return execveat(at, basename(name), words, environ, 0);
}

static int by_posix_spawn(void)
{
    pid_t child;
    int error = posix_spawn(&child, program, NULL, NULL, words, environ);
    return wait_for(child, error);
}

static int by_posix_spawnp(void)
{
    pid_t child;
    int error = posix_spawnp(&child, program, NULL, NULL, words, environ);
    return wait_for(child, error);
}

static int by_vfork(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execv(program, words);
        _exit(6);
    }
    return wait_for(child, child < 0);
}

static const struct {
    const char *name;
    int (*run)(void);
} calls[] = {
    { "execve", by_execve },
    { "execv", by_execv },
    { "execvp", by_execvp },
    { "execvpe", by_execvpe },
    { "execl", by_execl },
    { "execlp", by_execlp },
    { "execle", by_execle },
    { "fexecve", by_fexecve },
    { "execveat", by_execveat },
    { "posix_spawn", by_posix_spawn },
    { "posix_spawnp", by_posix_spawnp },
    { "vfork", by_vfork },
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        if (argument_count != 4) {
            puts(calls[i].name);
        } else if (strcmp(calls[i].name, arguments[1]) == 0) {
            free(malloc(10));
            program = arguments[2];
            words[0] = arguments[2];
            words[1] = arguments[3];
            calls[i].run();
            perror(arguments[1]);
            return 4;
        }
    }
    return argument_count == 4 ? 3 : 0;
}
