/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads' stacks; see thread.h. */
#include "os/thread.h"

#include "base/size.h"
#include "os/pages.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/auxv.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/*
 * Moat's handler leaves the alternate stack at once for a prepared one; this
 * is room for a handler of the program. The kernel's frame comes on top, and
 * the kernel tells its size (AVX-512 state alone takes 2.5 KiB).
 */
enum { ALTERNATE_STACK_ROOM = 64 * 1024 };

struct thread_state {
    bool is_prepared;
    struct thread_stack stack;
    /* The alternate stack, its guard page included; 0 bytes: not ours. */
    uintptr_t alternate;
    size_t alternate_bytes;
};

/* Read in signal handlers, where only this model never allocates. */
static __thread struct thread_state own
    __attribute__((tls_model("initial-exec")));

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;

static void release(void *unused)
{
    (void)unused;
    if (own.alternate_bytes == 0) {
        return;
    }
    stack_t present;
    uintptr_t usable = own.alternate + pages_size();
    if (sigaltstack(NULL, &present) == 0
        && (uintptr_t)present.ss_sp == usable) {
        stack_t none = { .ss_flags = SS_DISABLE };
        sigaltstack(&none, NULL);
    }
    pages_unmap(own.alternate, own.alternate_bytes);
    own = (struct thread_state){ .is_prepared = false };
}

static void make_key(void)
{
    key_error = pthread_key_create(&key, release);
}

static void find_bounds(void)
{
    pthread_attr_t attributes;
    void *low;
    size_t bytes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return;
    }
    if (pthread_attr_getstack(&attributes, &low, &bytes) == 0) {
        own.stack.low = (uintptr_t)low;
        own.stack.high = (uintptr_t)low + bytes;
    }
    pthread_attr_destroy(&attributes);
}

static int set_alternate_stack(void)
{
    stack_t present;
    if (sigaltstack(NULL, &present) != 0) {
        return errno;
    }
    if ((present.ss_flags & SS_DISABLE) == 0) {
        return 0;
    }
    pthread_once(&key_once, make_key);
    if (key_error != 0) {
        return key_error;
    }
    size_t bytes = size_round_up(
        ALTERNATE_STACK_ROOM + (size_t)getauxval(AT_MINSIGSTKSZ), pages_size());
    uintptr_t start;
    int error = pages_map(pages_size() + bytes, "moat signal stack", &start);
    if (error != 0) {
        return error;
    }
    stack_t stack = { .ss_sp = (void *)(start + pages_size()),
                      .ss_size = bytes };
    error = pages_deny(start, pages_size());
    if (error == 0) {
        error = pthread_setspecific(key, &own);
    }
    if (error == 0 && sigaltstack(&stack, NULL) != 0) {
        error = errno;
    }
    if (error != 0) {
        pages_unmap(start, pages_size() + bytes);
        return error;
    }
    own.alternate = start;
    own.alternate_bytes = pages_size() + bytes;
    return 0;
}

int thread_prepare(void)
{
    if (own.is_prepared) {
        return 0;
    }
    int saved_errno = errno;
    find_bounds();
    int error = set_alternate_stack();
    own.is_prepared = error == 0;
    errno = saved_errno;
    return error;
}

struct thread_stack thread_alternate_stack(void)
{
    int saved_errno = errno;
    stack_t present;
    struct thread_stack stack = { 0, 0 };
    if (sigaltstack(NULL, &present) == 0
        && (present.ss_flags & SS_DISABLE) == 0) {
        stack.low = (uintptr_t)present.ss_sp;
        stack.high = stack.low + present.ss_size;
    }
    errno = saved_errno;
    return stack;
}

uintptr_t thread_storage(void)
{
    return (uintptr_t)&own;
}

struct thread_stack thread_stack_in_signal(void)
{
    return own.stack;
}
