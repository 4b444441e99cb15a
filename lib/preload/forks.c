/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children that are made without fork(), and so without its handlers: they put
 * their guards up at once, not at their first allocation.
 */
#include "api/runtime.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

PRELOAD_API pid_t _Fork(void)
{
    pid_t child = next__Fork();
    if (child == 0) {
        runtime_start_child();
    }
    return child;
}

struct start {
    int (*function)(void *);
    void *argument;
};

/* In an address space of its own, in which START is a copy. */
static int start_child(void *start)
{
    struct start copy = *(struct start *)start;
    runtime_start_child();
    return copy.function(copy.argument);
}

PRELOAD_API int clone(int (*function)(void *), void *stack, int flags,
                      void *argument, ...)
{
    struct start start = { .function = function, .argument = argument };
    va_list arguments;
    va_start(arguments, argument);
    pid_t *parent = va_arg(arguments, pid_t *);
    void *storage = va_arg(arguments, void *);
    pid_t *child = va_arg(arguments, pid_t *);
    va_end(arguments);
    if ((flags & CLONE_VM) != 0) {
        return next_clone(function, stack, flags, argument, parent, storage,
                          child);
    }
    return next_clone(start_child, stack, flags, &start, parent, storage,
                      child);
}
