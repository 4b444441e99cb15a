/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RLIMIT_AS and RLIMIT_DATA: Moat has reserved terabytes that the program knows
 * nothing of. What it sets is raised by that much, and it reads back what it
 * has set. What it then cannot have any more is refused by the heap, for the
 * kernel counts the heap's range as used already.
 */
#include "api/heap.h"
#include "preload/next.h"
#include "preload/preload.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int __wrap_getrlimit(__rlimit_resource_t resource, struct rlimit *limit);

/* What the program has set. */
static struct known {
    _Atomic bool is_set;
    _Atomic rlim_t current;
    _Atomic rlim_t most;
} address_space, data;

static struct known *known_of(int resource)
{
    return resource == RLIMIT_AS     ? &address_space
           : resource == RLIMIT_DATA ? &data
                                     : NULL;
}

static int limit_itself(int resource, const struct rlimit *wanted,
                        struct rlimit *before)
{
    return (int)syscall(SYS_prlimit64, 0, resource, wanted, before);
}

/* The library's own layers ask for what holds. */
int __wrap_getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    return limit_itself((int)resource, NULL, limit);
}

/* LIMIT and what Moat has, if that is no more than MOST. */
static rlim_t raise_limit(rlim_t limit, rlim_t most)
{
    rlim_t raised;
    if (limit == RLIM_INFINITY
        || __builtin_add_overflow(limit, heap_reserved_bytes(), &raised)) {
        return RLIM_INFINITY;
    }
    return limit <= most && raised > most ? most : raised;
}

/*
 * The hard limit for the kernel. What is more than the program had, which may
 * still be less than the kernel has, is more for the kernel too, so that it can
 * refuse that.
 */
static rlim_t raise_most(rlim_t wanted, rlim_t had, rlim_t most)
{
    rlim_t raised = raise_limit(wanted, most);
    return wanted > had && raised <= most && most != RLIM_INFINITY ? most + 1
                                                                   : raised;
}

static void tell_heap(void)
{
    rlim_t most = SIZE_MAX;
    if (address_space.is_set && address_space.current < most) {
        most = address_space.current;
    }
    if (data.is_set && data.current < most) {
        most = data.current;
    }
    heap_limit(most);
}

static int change(int resource, const struct rlimit *wanted,
                  struct rlimit *before)
{
    struct known *known = known_of(resource);
    struct rlimit was;
    struct rlimit raised;
    if (known == NULL) {
        return limit_itself(resource, wanted, before);
    }
    if (limit_itself(resource, NULL, &was) != 0) {
        return -1;
    }
    if (wanted != NULL) {
        raised.rlim_max
            = raise_most(wanted->rlim_max,
                         known->is_set ? known->most : was.rlim_max,
                         was.rlim_max);
        raised.rlim_cur = wanted->rlim_cur > wanted->rlim_max
                              ? RLIM_INFINITY
                              : raise_limit(wanted->rlim_cur,
                                            raised.rlim_max);
        if (wanted->rlim_cur > wanted->rlim_max) {
            /* For the kernel to refuse. */
            raised.rlim_max = 0;
        }
        if (limit_itself(resource, &raised, NULL) != 0) {
            return -1;
        }
    }
    if (before != NULL) {
        *before = was;
        if (known->is_set) {
            before->rlim_cur = known->current;
            before->rlim_max = known->most;
        }
    }
    if (wanted != NULL) {
        known->current = wanted->rlim_cur;
        known->most = wanted->rlim_max;
        known->is_set = true;
        tell_heap();
    }
    return 0;
}

PRELOAD_API int setrlimit(__rlimit_resource_t resource,
                          const struct rlimit *limit)
{
    return change((int)resource, limit, NULL);
}

PRELOAD_API int setrlimit64(__rlimit_resource_t resource,
                            const struct rlimit64 *limit)
{
    return change((int)resource, (const struct rlimit *)limit, NULL);
}

PRELOAD_API int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    return change((int)resource, NULL, limit);
}

PRELOAD_API int getrlimit64(__rlimit_resource_t resource,
                            struct rlimit64 *limit)
{
    return change((int)resource, NULL, (struct rlimit *)limit);
}

static int change_of(pid_t process, int resource, const struct rlimit *wanted,
                     struct rlimit *before)
{
    return process == 0 || process == getpid()
               ? change(resource, wanted, before)
               : (int)syscall(SYS_prlimit64, process, resource, wanted,
                              before);
}

PRELOAD_API int prlimit(pid_t process, enum __rlimit_resource resource,
                        const struct rlimit *wanted, struct rlimit *before)
{
    return change_of(process, (int)resource, wanted, before);
}

PRELOAD_API int prlimit64(pid_t process, enum __rlimit_resource resource,
                          const struct rlimit64 *wanted,
                          struct rlimit64 *before)
{
    return change_of(process, (int)resource, (const struct rlimit *)wanted,
                     (struct rlimit *)before);
}
