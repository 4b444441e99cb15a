/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What operator new and malloc() have to say to each other. */
#ifndef PRELOAD_OPERATORS_H
#define PRELOAD_OPERATORS_H

#include <stdbool.h>

/*
 * Set where operator new was refused and libstdc++ is asked for it once more,
 * so that it calls the new-handler or throws: what it then asks malloc() for is
 * the same allocation, and not to be granted because it comes twice.
 */
extern __thread bool operators_is_refused
    __attribute__((tls_model("initial-exec")));

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
