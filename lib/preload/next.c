/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libc's own functions (next.h); and what the library's own layers, libsigsegv
 * among them, get instead of the functions that this library interposes: the
 * linker's option --wrap binds their calls to the __wrap_ functions.
 */
#include "preload/next.h"

#include "preload/early.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

/* A function of libc, and where it is once it has been looked up. */
struct next {
    const char *name;
    _Atomic(void *) function;
};

static struct next execvpe_next = { .name = "execvpe" };

static void *look_up(struct next *next)
{
    void *function = next->function;
    if (function == NULL) {
        int saved_errno = errno;
        function = dlsym(RTLD_NEXT, next->name);
        next->function = function;
        errno = saved_errno;
    }
    return function;
}

__attribute__((constructor)) static void look_all_up(void)
{
    look_up(&execvpe_next);
}

int next_execvpe(const char *file, char *const arguments[],
                 char *const variables[])
{
    int (*function)(const char *, char *const[], char *const[])
        = look_up(&execvpe_next);
    if (function == NULL) {
        errno = ENOSYS;
        return -1;
    }
    return function(file, arguments, variables);
}

void *__wrap_malloc(size_t bytes);
void __wrap_free(void *block);

/* libsigsegv notes the region in a block, once, for ever. */
void *__wrap_malloc(size_t bytes)
{
    return early_allocate(bytes, 0);
}

void __wrap_free(void *block)
{
    (void)block;
}
