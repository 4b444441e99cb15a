/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads: each gets an alternate stack, so that one that has used up its own
 * can report.
 */
#include "api/heap.h"
#include "preload/mask.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <moat/report.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct start {
    void *(*function)(void *);
    void *argument;
    unsigned kept_back;
    /* Whether the attributes have a mask for the thread. */
    bool has_mask;
};

static void *start_thread(void *allocated)
{
    struct start start = *(struct start *)allocated;
    heap_free(allocated, MOAT_FAMILY_UNKNOWN, NULL);
    if (start.has_mask) {
        mask_unblock();
    } else {
        mask_inherit(start.kept_back);
    }
    moat_thread_prepare();
    return start.function(start.argument);
}

static bool has_mask(const pthread_attr_t *attributes)
{
    sigset_t set;
    return attributes != NULL
           && next_pthread_attr_getsigmask_np(attributes, &set) == 0;
}

PRELOAD_API int pthread_create(pthread_t *thread,
                               const pthread_attr_t *attributes,
                               void *(*function)(void *), void *argument)
{
    int saved_errno = errno;
    struct start *start
        = heap_allocate(sizeof *start, 0, false, MOAT_FAMILY_UNKNOWN, CALLER);
    errno = saved_errno;
    if (start == NULL) {
        return EAGAIN;
    }
    *start = (struct start){ .function = function,
                             .argument = argument,
                             .kept_back = mask_kept_back(),
                             .has_mask = has_mask(attributes) };
    int error = next_pthread_create(thread, attributes, start_thread, start);
    if (error != 0) {
        heap_free(start, MOAT_FAMILY_UNKNOWN, NULL);
    }
    return error;
}
