/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Becoming another program, and starting one. What the process did is added to
 * the tally before it is gone. A program with a checker of its own
 * (os/program.h) is run without Moat, which its libraries would not bear.
 *
 * Nothing is allocated, for these are called in the child of a vfork() and in
 * signal handlers.
 */
#include "api/tally.h"
#include "base/text.h"
#include "os/program.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char preload_variable[] = "LD_PRELOAD=";
static const char own_name[] = "libmoat-preload.so";

static size_t count_of(char *const strings[])
{
    size_t count = 0;
    while (strings != NULL && strings[count] != NULL) {
        count++;
    }
    return count;
}

static bool is_preload(const char *variable)
{
    return strncmp(variable, preload_variable, sizeof preload_variable - 1)
           == 0;
}

/* Whether the library of LENGTH bytes is this one. */
static bool is_own(const char *library, size_t length)
{
    size_t own_length = sizeof own_name - 1;
    return length >= own_length
           && memcmp(library + length - own_length, own_name, own_length) == 0
           && (length == own_length || library[length - own_length - 1] == '/');
}

/* Copy VARIABLE, which names what is preloaded, without this library. */
static void copy_preload(char *copy, const char *variable)
{
    size_t prefix = sizeof preload_variable - 1;
    memcpy(copy, variable, prefix);
    copy += prefix;
    variable += prefix;
    bool is_first = true;
    while (*variable != '\0') {
        size_t length = strcspn(variable, ": ");
        if (length > 0 && !is_own(variable, length)) {
            if (!is_first) {
                *copy++ = ':';
            }
            memcpy(copy, variable, length);
            copy += length;
            is_first = false;
        }
        variable += length;
        variable += strspn(variable, ": ");
    }
    *copy = '\0';
}

/*
 * The environment of a program: VARIABLES, or these without Moat. A macro, for
 * what it makes is on the caller's stack.
 */
#define VARIABLES_WITHOUT(variables)                                           \
    without_preload((variables),                                               \
                    __builtin_alloca((count_of(variables) + 1)                 \
                                     * sizeof(char *)),                        \
                    __builtin_alloca(preload_bytes(variables)))

/* Room for all the copies that without_preload() makes. */
static size_t preload_bytes(char *const variables[])
{
    size_t bytes = 1;
    for (size_t i = 0; i < count_of(variables); i++) {
        bytes += is_preload(variables[i]) ? strlen(variables[i]) + 1 : 0;
    }
    return bytes;
}

static char **without_preload(char *const variables[], char **others,
                              char *copies)
{
    size_t count = count_of(variables);
    for (size_t i = 0; i < count; i++) {
        others[i] = variables[i];
        if (is_preload(variables[i])) {
            copy_preload(copies, variables[i]);
            others[i] = copies;
            copies += strlen(copies) + 1;
        }
    }
    others[count] = NULL;
    return others;
}

/* Whether to leave Moat out of PATH; counts it. */
static bool set_aside(const char *path)
{
    bool is_set_aside = program_has_checker(path);
    if (is_set_aside) {
        tally_set_aside(1);
    }
    return is_set_aside;
}

/* Descriptor AT, or a file that is named from there. */
static int run_at(int at, const char *path, char *const arguments[],
                  char *const variables[], int flags)
{
    return at == AT_FDCWD && flags == 0
               ? (int)syscall(SYS_execve, path, arguments, variables)
               : (int)syscall(SYS_execveat, at, path, arguments, variables,
                              flags);
}

/* LOOKED_AT is how AT and PATH are opened. */
static int become(const char *looked_at, int at, const char *path,
                  char *const arguments[], char *const variables[], int flags)
{
    tally_add();
    if (!set_aside(looked_at)) {
        return run_at(at, path, arguments, variables, flags);
    }
    int result = run_at(at, path, arguments, VARIABLES_WITHOUT(variables),
                        flags);
    tally_set_aside(-1);
    return result;
}

PRELOAD_API int execve(const char *path, char *const arguments[],
                       char *const variables[])
{
    return become(path, AT_FDCWD, path, arguments, variables, 0);
}

PRELOAD_API int execv(const char *path, char *const arguments[])
{
    return become(path, AT_FDCWD, path, arguments, environ, 0);
}

PRELOAD_API int execveat(int at, const char *path, char *const arguments[],
                         char *const variables[], int flags)
{
    char buffer[PATH_MAX];
    struct text text = text_in(buffer, sizeof buffer);
    if (at == AT_FDCWD || *path == '/') {
        return become(path, at, path, arguments, variables, flags);
    }
    text_string(&text, "/proc/thread-self/fd/");
    text_decimal(&text, (uint64_t)at);
    if (*path != '\0') {
        text_character(&text, '/');
        text_string(&text, path);
    }
    return become(text.buffer, at, path, arguments, variables, flags);
}

PRELOAD_API int fexecve(int descriptor, char *const arguments[],
                        char *const variables[])
{
    if (descriptor < 0) {
        errno = EINVAL;
        return -1;
    }
    return execveat(descriptor, "", arguments, variables, AT_EMPTY_PATH);
}

/* The file that execvp() and its like will run for FILE, in FOUND; FILE itself
 * if it is none that they look for. */
static const char *find(const char *file, char found[PATH_MAX])
{
    const char *folders = getenv("PATH");
    if (strchr(file, '/') != NULL || *file == '\0') {
        return file;
    }
    folders = folders == NULL ? "/bin:/usr/bin" : folders;
    for (;; folders++) {
        struct text text = text_in(found, PATH_MAX);
        size_t length = strcspn(folders, ":");
        for (size_t i = 0; i < length; i++) {
            text_character(&text, folders[i]);
        }
        if (length > 0) {
            text_character(&text, '/');
        }
        text_string(&text, file);
        int saved_errno = errno;
        bool is_found = access(found, X_OK) == 0;
        errno = saved_errno;
        if (is_found) {
            return found;
        }
        folders += length;
        if (*folders == '\0') {
            return file;
        }
    }
}

static int become_found(const char *file, char *const arguments[],
                        char *const variables[])
{
    char found[PATH_MAX];
    tally_add();
    if (!set_aside(find(file, found))) {
        return next_execvpe(file, arguments, variables);
    }
    int result
        = next_execvpe(file, arguments, VARIABLES_WITHOUT(variables));
    tally_set_aside(-1);
    return result;
}

PRELOAD_API int execvp(const char *file, char *const arguments[])
{
    return become_found(file, arguments, environ);
}

PRELOAD_API int execvpe(const char *file, char *const arguments[],
                        char *const variables[])
{
    return become_found(file, arguments, variables);
}

/* How many arguments there are from FIRST on; LIST is behind it. */
static size_t count_list(const char *first, va_list list)
{
    size_t count = 0;
    for (const char *word = first; word != NULL;
         word = va_arg(list, const char *)) {
        count++;
    }
    return count;
}

/*
 * Put FIRST, all that is behind it, and the NULL that ends it into WORDS, an
 * array of the caller's.
 */
#define COLLECT(words, first, list)                                            \
    do {                                                                       \
        va_start(list, first);                                                 \
        size_t count = count_list(first, list);                                \
        va_end(list);                                                          \
        words = __builtin_alloca((count + 1) * sizeof *words);                 \
        va_start(list, first);                                                 \
        words[0] = (char *)first;                                              \
        for (size_t i = 1; i <= count; i++) {                                  \
            words[i] = va_arg(list, char *);                                   \
        }                                                                      \
    } while (0)

PRELOAD_API int execl(const char *path, const char *argument, ...)
{
    va_list list;
    char **words;
    COLLECT(words, argument, list);
    va_end(list);
    return become(path, AT_FDCWD, path, words, environ, 0);
}

PRELOAD_API int execlp(const char *file, const char *argument, ...)
{
    va_list list;
    char **words;
    COLLECT(words, argument, list);
    va_end(list);
    return become_found(file, words, environ);
}

PRELOAD_API int execle(const char *path, const char *argument, ...)
{
    va_list list;
    char **words;
    COLLECT(words, argument, list);
    char *const *variables = va_arg(list, char *const *);
    va_end(list);
    return become(path, AT_FDCWD, path, words, variables, 0);
}

PRELOAD_API int posix_spawn(pid_t *child, const char *path,
                            const posix_spawn_file_actions_t *actions,
                            const posix_spawnattr_t *attributes,
                            char *const arguments[], char *const variables[])
{
    if (!set_aside(path)) {
        return next_posix_spawn(child, path, actions, attributes, arguments,
                                variables);
    }
    int error = next_posix_spawn(child, path, actions, attributes, arguments,
                                 VARIABLES_WITHOUT(variables));
    if (error != 0) {
        tally_set_aside(-1);
    }
    return error;
}

PRELOAD_API int posix_spawnp(pid_t *child, const char *file,
                             const posix_spawn_file_actions_t *actions,
                             const posix_spawnattr_t *attributes,
                             char *const arguments[], char *const variables[])
{
    char found[PATH_MAX];
    if (!set_aside(find(file, found))) {
        return next_posix_spawnp(child, file, actions, attributes, arguments,
                                 variables);
    }
    int error = next_posix_spawnp(child, file, actions, attributes, arguments,
                                  VARIABLES_WITHOUT(variables));
    if (error != 0) {
        tally_set_aside(-1);
    }
    return error;
}
