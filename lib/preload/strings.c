/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of libc that allocate characters. These need no alignment, so
 * each such block ends exactly at its guard page: most over-reads are by one
 * byte, behind a string of odd size.
 */
/* Without it glibc's header brings a getline() of its own, inline, in front of
 * which clang wants the attributes of ours. */
#define __NO_INLINE__ 1

#include "api/heap.h"
#include "preload/early.h"
#include "preload/malloc.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "preload/replaced.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Those that glibc's headers call the functions by. */
char *__strdup(const char *text);
char *__strndup(const char *text, size_t most);
int __asprintf_chk(char **text, int flag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int __vasprintf_chk(char **text, int flag, const char *format,
                    va_list arguments) __attribute__((format(printf, 3, 0)));
ssize_t __getdelim(char **line, size_t *bytes, int delimiter, FILE *file);

static char *allocate_exact(size_t bytes, const void *caller)
{
    if (replaced_malloc != NULL) {
        return replaced_malloc(bytes);
    }
    return heap_is_ready()
               ? heap_allocate(bytes, 1, false, MOAT_FAMILY_MALLOC, caller)
               : early_allocate(bytes, 1);
}

static char *copy_exact(const char *text, size_t length, const void *caller)
{
    char *copy = allocate_exact(length + 1, caller);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

/* Put what libc has allocated into a block of BYTES; if there is none, it
 * stays where it is. */
static char *make_exact(char *block, size_t bytes, const void *caller)
{
    char *copy
        = replaced_malloc == NULL ? allocate_exact(bytes, caller) : NULL;
    if (copy == NULL) {
        return block;
    }
    memcpy(copy, block, bytes);
    malloc_release(block, MOAT_FAMILY_MALLOC, caller);
    return copy;
}

PRELOAD_API char *strdup(const char *text)
{
    return copy_exact(text, strlen(text), CALLER);
}

PRELOAD_API char *__strdup(const char *text)
{
    return copy_exact(text, strlen(text), CALLER);
}

PRELOAD_API char *strndup(const char *text, size_t most)
{
    return copy_exact(text, strnlen(text, most), CALLER);
}

PRELOAD_API char *__strndup(const char *text, size_t most)
{
    return copy_exact(text, strnlen(text, most), CALLER);
}

static int finish_print(int length, char **text, const void *caller)
{
    if (length >= 0) {
        int saved_errno = errno;
        *text = make_exact(*text, (size_t)length + 1, caller);
        errno = saved_errno;
    }
    return length;
}

PRELOAD_API int vasprintf(char **text, const char *format, va_list arguments)
{
    return finish_print(next_vasprintf(text, format, arguments), text, CALLER);
}

PRELOAD_API int __vasprintf_chk(char **text, int flag, const char *format,
                                va_list arguments)
{
    return finish_print(next___vasprintf_chk(text, flag, format, arguments),
                        text, CALLER);
}

PRELOAD_API int asprintf(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = next_vasprintf(text, format, arguments);
    va_end(arguments);
    return finish_print(length, text, CALLER);
}

PRELOAD_API int __asprintf_chk(char **text, int flag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = next___vasprintf_chk(text, flag, format, arguments);
    va_end(arguments);
    return finish_print(length, text, CALLER);
}

static ssize_t get_line(char **line, size_t *bytes, int delimiter, FILE *file,
                        const void *caller)
{
    ssize_t length = next_getdelim(line, bytes, delimiter, file);
    if (length >= 0 && *bytes > (size_t)length + 1) {
        int saved_errno = errno;
        char *exact = make_exact(*line, (size_t)length + 1, caller);
        errno = saved_errno;
        if (exact != *line) {
            *line = exact;
            *bytes = (size_t)length + 1;
        }
    }
    return length;
}

PRELOAD_API ssize_t getdelim(char **line, size_t *bytes, int delimiter,
                             FILE *file)
{
    return get_line(line, bytes, delimiter, file, CALLER);
}

PRELOAD_API ssize_t __getdelim(char **line, size_t *bytes, int delimiter,
                               FILE *file)
{
    return get_line(line, bytes, delimiter, file, CALLER);
}

PRELOAD_API ssize_t getline(char **line, size_t *bytes, FILE *file)
{
    return get_line(line, bytes, '\n', file, CALLER);
}

PRELOAD_API char *realpath(const char *path, char *resolved)
{
    char *result = next_realpath(path, resolved);
    if (result == NULL || resolved != NULL) {
        return result;
    }
    return make_exact(result, strlen(result) + 1, CALLER);
}

PRELOAD_API char *getcwd(char *directory, size_t bytes)
{
    char *result = next_getcwd(directory, bytes);
    /* With a size it is a block of that size, which may be written to. */
    if (result == NULL || directory != NULL || bytes != 0) {
        return result;
    }
    return make_exact(result, strlen(result) + 1, CALLER);
}
