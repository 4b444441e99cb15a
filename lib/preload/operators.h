/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What operator new and malloc() have to say to each other. */
#ifndef PRELOAD_OPERATORS_H
#define PRELOAD_OPERATORS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Set where operator new was refused and libstdc++ is asked for it once more,
 * so that it calls the new-handler or throws: what it then asks malloc() for
 * is the same allocation, and not to be granted because it comes twice.
 */
extern __thread bool operators_is_refused
    __attribute__((tls_model("initial-exec")));

/*
 * Where on its stack this thread has asked libstdc++'s operator new, which may
 * call malloc(), for a block of operator new. NULL: it has not.
 */
extern __thread const char *operators_frame
    __attribute__((tls_model("initial-exec")));

/* Whether libstdc++'s operator new is asking. It may have thrown, and then the
 * stack is no longer as deep. */
static inline bool operators_is_in_library(void)
{
    if (__builtin_expect(operators_frame == NULL, true)) {
        return false;
    }
    if ((const char *)__builtin_frame_address(0) >= operators_frame) {
        operators_frame = NULL;
        return false;
    }
    return true;
}

/* Whether the allocation that this thread asks for is that. Once. */
static inline bool operators_take_refusal(void)
{
    bool is_refused = operators_is_refused;
    if (__builtin_expect(is_refused, false)) {
        operators_is_refused = false;
    }
    return is_refused;
}

#endif
