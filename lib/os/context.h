/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processor's side of a fault: what the saved registers tell, and moving
 * to another stack. One file a processor.
 *
 * Async-signal-safe.
 */
#ifndef OS_CONTEXT_H
#define OS_CONTEXT_H

#include <stdint.h>
#include <ucontext.h>

enum context_access {
    CONTEXT_ACCESS_UNKNOWN,
    CONTEXT_ACCESS_READ,
    CONTEXT_ACCESS_WRITE
};

struct context_state {
    uintptr_t program_counter;
    uintptr_t stack_pointer;
    enum context_access access;
};

/* Read what CONTEXT, of a page fault, says. */
struct context_state context_read(const ucontext_t *context);

/*
 * Call FUNCTION(ARGUMENT) on the stack that ends below STACK_TOP, a multiple
 * of 16, and come back to the present one.
 */
void context_call_on_stack(void (*function)(void *), void *argument,
                           uintptr_t stack_top);

#endif
