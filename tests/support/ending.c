/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a program ended; see ending.h. */
#include "tests/support/ending.h"

#include "os/revoke.h"

#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

char *ending_program(const char *program)
{
    static char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 64);
    if (length <= 0) {
        abort();
    }
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    /* libtool keeps the program itself one folder further down. */
    char *folder = strrchr(path, '/');
    if (folder != NULL && strcmp(folder, "/.libs") == 0) {
        *folder = '\0';
    }
    strcat(path, "/");
    strcat(path, program);
    return path;
}

static void run(char *const arguments[], const char *options, int output)
{
    struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
    setrlimit(RLIMIT_CORE, &none);
    /* A stack that ends, also where the caller's does not. */
    struct rlimit stack = { .rlim_cur = 8 << 20, .rlim_max = 8 << 20 };
    setrlimit(RLIMIT_STACK, &stack);
    setenv("MOAT_OPTIONS", options, 1);
    setenv("UBSAN_OPTIONS", "handle_segv=0:handle_sigbus=0", 1);
    dup2(output, STDERR_FILENO);
    alarm(60);
    execv(arguments[0], arguments);
    _exit(127);
}

static void read_all(int input, char *text, size_t capacity)
{
    size_t length = 0;
    char rest[4096];
    for (;;) {
        size_t room = capacity - 1 - length;
        ssize_t count = read(input, room > 0 ? text + length : rest,
                             room > 0 ? room : sizeof rest);
        if (count <= 0) {
            break;
        }
        length += room > 0 ? (size_t)count : 0;
    }
    text[length] = '\0';
}

/* Copy a line, with '*' for addresses and '#' for numbers that differ. */
static void mask(const char *line, size_t length, char *masked, size_t room)
{
    size_t out = strlen(masked);
    size_t at = 0;
    while (at < length && out + 2 < room) {
        size_t digits = 0;
        if (strncmp(line + at, "0x", 2) == 0) {
            while (isxdigit((unsigned char)line[at + 2 + digits])) {
                digits++;
            }
        }
        if (digits > 8) {
            masked[out++] = '*';
            at += 2 + digits;
            continue;
        }
        bool is_number = (at > 0 && line[at - 1] == 'T'
                          && isdigit((unsigned char)line[at]))
                         || (at > 4 && strncmp(line + at - 4, "pid ", 4) == 0);
        if (is_number) {
            masked[out++] = '#';
            while (isdigit((unsigned char)line[at])) {
                at++;
            }
            continue;
        }
        masked[out++] = line[at++];
    }
    masked[out] = '\0';
}

static void take_apart(struct ending *ending)
{
    const char *line = ending->text;
    bool is_second = false;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        int pid = 0;
        char kind[64] = "";
        if (sscanf(line, "==%d==ERROR: moat: %63s on", &pid, kind) == 2) {
            ending->reports++;
            is_second = ending->reports == 1;
            if (is_second) {
                const char *seen = strstr(line, ", seen at ");
                ending->reporter = pid;
                strcpy(ending->kind, kind);
                if (seen != NULL && seen < line + length) {
                    sscanf(seen, ", seen at %15s", ending->seen);
                }
            }
        } else if (is_second) {
            mask(line, length, ending->relation, sizeof ending->relation);
            is_second = false;
        } else if (ending->reports == 1
                   && strncmp(line, "damage: ", 8) == 0) {
            if (ending->damage[0] != '\0') {
                strcat(ending->damage, "; ");
            }
            mask(line, length, ending->damage, sizeof ending->damage);
        }
        line += length + (line[length] == '\n');
    }
}

struct ending ending_of(char *const arguments[], const char *options)
{
    static struct ending ending;
    int ends[2];
    int status;
    memset(&ending, 0, sizeof ending);
    ck_assert_int_eq(pipe(ends), 0);
    ending.pid = fork();
    ck_assert_int_ge(ending.pid, 0);
    if (ending.pid == 0) {
        close(ends[0]);
        run(arguments, options, ends[1]);
    }
    close(ends[1]);
    read_all(ends[0], ending.text, sizeof ending.text);
    close(ends[0]);
    ck_assert_int_eq(waitpid(ending.pid, &status, 0), ending.pid);
    ending.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ending.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    ck_assert_int_ne(ending.exit_status, 127);
    take_apart(&ending);
    return ending;
}

const char *ending_backends[ENDING_BACKENDS];

int ending_find_backends(void)
{
    static const struct {
        const struct revoke_way *way;
        const char *option;
    } all[ENDING_BACKENDS] = {
        { &revoke_mprotect, "backend=mprotect" },
        { &revoke_guard, "backend=guard" },
        { &revoke_drop, "backend=drop" },
        { &revoke_move, "backend=move" },
    };
    int count = 0;
    for (int i = 0; i < ENDING_BACKENDS; i++) {
        int error = all[i].way->probe();
        if (error == 0) {
            ending_backends[count++] = all[i].option;
        } else {
            printf("# %s is not tested here: %s\n", all[i].option,
                   strerror(error));
        }
    }
    return count;
}
