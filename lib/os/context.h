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
 * Call VISIT with each piece of memory in which CONTEXT keeps registers, those
 * of vectors too, and with ARGUMENT. What the kernel had no need to save is no
 * register: there the stack shines through.
 */
void context_each_register(const ucontext_t *context,
                           void (*visit)(uintptr_t start, uintptr_t end,
                                         void *argument),
                           void *argument);

enum { CONTEXT_KEPT = 12 };

/*
 * Store in KEPT the registers that a function must leave as they were: what
 * the callers of the present one may hold in them. At the start of a function
 * that needs none of them for itself.
 */
#if defined __x86_64__
#define CONTEXT_KEEP(kept)                                                     \
    __asm__ volatile("movq %%rbx, 0(%0)\n\tmovq %%rbp, 8(%0)\n\t"              \
                     "movq %%r12, 16(%0)\n\tmovq %%r13, 24(%0)\n\t"            \
                     "movq %%r14, 32(%0)\n\tmovq %%r15, 40(%0)"                \
                     :                                                         \
                     : "r"(kept)                                               \
                     : "memory")
#else
#define CONTEXT_KEEP(kept)                                                     \
    __asm__ volatile("stp x19, x20, [%0]\n\tstp x21, x22, [%0, #16]\n\t"       \
                     "stp x23, x24, [%0, #32]\n\tstp x25, x26, [%0, #48]\n\t"  \
                     "stp x27, x28, [%0, #64]\n\tstr x29, [%0, #80]"           \
                     :                                                         \
                     : "r"(kept)                                               \
                     : "memory")
#endif

/*
 * Call FUNCTION(ARGUMENT) on the stack that ends below STACK_TOP, a multiple
 * of 16, and come back to the present one.
 */
void context_call_on_stack(void (*function)(void *), void *argument,
                           uintptr_t stack_top);

#endif
