/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AArch64; see context.h. */
#include "os/context.h"

#include <asm/sigcontext.h>
#include <stddef.h>

/*
 * Arm Architecture Reference Manual, ESR_EL1: the exception class of a data
 * abort from user mode, and the "write, not read" bit of its syndrome.
 */
enum { ESR_CLASS_SHIFT = 26, ESR_CLASS_MASK = 0x3f, CLASS_DATA_ABORT = 0x24 };
enum { ESR_WRITE = 1 << 6 };

/* The kernel appends records to the context; one holds the syndrome. */
static enum context_access access_of(const mcontext_t *machine)
{
    const unsigned char *record = (const unsigned char *)machine->__reserved;
    const unsigned char *end = record + sizeof machine->__reserved;
    while (record + sizeof(struct _aarch64_ctx) <= end) {
        const struct _aarch64_ctx *head = (const void *)record;
        if (head->magic == 0 || head->size == 0) {
            break;
        }
        if (head->magic == ESR_MAGIC) {
            uint64_t syndrome = ((const struct esr_context *)head)->esr;
            uint64_t class = (syndrome >> ESR_CLASS_SHIFT) & ESR_CLASS_MASK;
            if (class != CLASS_DATA_ABORT) {
                break;
            }
            return (syndrome & ESR_WRITE) != 0 ? CONTEXT_ACCESS_WRITE
                                               : CONTEXT_ACCESS_READ;
        }
        record += head->size;
    }
    return CONTEXT_ACCESS_UNKNOWN;
}

struct context_state context_read(const ucontext_t *context)
{
    return (struct context_state){
        .program_counter = (uintptr_t)context->uc_mcontext.pc,
        .stack_pointer = (uintptr_t)context->uc_mcontext.sp,
        .access = access_of(&context->uc_mcontext),
    };
}

void context_each_register(const ucontext_t *context,
                           void (*visit)(uintptr_t start, uintptr_t end,
                                         void *argument),
                           void *argument)
{
    uintptr_t general = (uintptr_t)context->uc_mcontext.regs;
    visit(general, general + sizeof context->uc_mcontext.regs, argument);
    /* Vectors: a record of them, with a head like any other. */
    const char *record = (const char *)context->uc_mcontext.__reserved;
    const char *end = record + sizeof context->uc_mcontext.__reserved;
    while (record + sizeof(struct _aarch64_ctx) <= end) {
        const struct _aarch64_ctx *head = (const void *)record;
        if (head->magic == 0 || head->size == 0
            || head->size > (size_t)(end - record)) {
            break;
        }
        visit((uintptr_t)record, (uintptr_t)record + head->size, argument);
        record += head->size;
    }
}

/* x0: function, x1: argument, x2: stack_top. */
__asm__(".text\n"
        ".globl context_call_on_stack\n"
        ".hidden context_call_on_stack\n"
        ".type context_call_on_stack, %function\n"
        "context_call_on_stack:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-16]!\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset 29, -16\n"
        "    .cfi_offset 30, -8\n"
        "    mov x29, sp\n"
        "    .cfi_def_cfa_register 29\n"
        "    mov x9, x0\n"
        "    mov x0, x1\n"
        "    mov sp, x2\n"
        "    blr x9\n"
        "    mov sp, x29\n"
        "    ldp x29, x30, [sp], #16\n"
        "    .cfi_def_cfa 31, 0\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size context_call_on_stack, . - context_call_on_stack\n");
