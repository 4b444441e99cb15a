/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64; see context.h. */
#include "os/context.h"

/* Intel SDM volume 3, 4.7 "Page-fault exceptions": the vector, and bit 1 of
 * its error code. */
enum { VECTOR_PAGE_FAULT = 14, ERROR_CODE_WRITE = 2 };

struct context_state context_read(const ucontext_t *context)
{
    const greg_t *registers = context->uc_mcontext.gregs;
    struct context_state state = {
        .program_counter = (uintptr_t)registers[REG_RIP],
        .stack_pointer = (uintptr_t)registers[REG_RSP],
        .access = CONTEXT_ACCESS_UNKNOWN,
    };
    if (registers[REG_TRAPNO] == VECTOR_PAGE_FAULT) {
        state.access = (registers[REG_ERR] & ERROR_CODE_WRITE) != 0
                           ? CONTEXT_ACCESS_WRITE
                           : CONTEXT_ACCESS_READ;
    }
    return state;
}

/* rdi: function, rsi: argument, rdx: stack_top. The frame pointer leads the
 * way back, also for an unwinder. */
__asm__(".text\n"
        ".globl context_call_on_stack\n"
        ".hidden context_call_on_stack\n"
        ".type context_call_on_stack, @function\n"
        "context_call_on_stack:\n"
        "    .cfi_startproc\n"
        "    pushq %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset %rbp, -16\n"
        "    movq %rsp, %rbp\n"
        "    .cfi_def_cfa_register %rbp\n"
        "    movq %rdi, %rax\n"
        "    movq %rsi, %rdi\n"
        "    movq %rdx, %rsp\n"
        "    call *%rax\n"
        "    movq %rbp, %rsp\n"
        "    popq %rbp\n"
        "    .cfi_def_cfa %rsp, 8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size context_call_on_stack, . - context_call_on_stack\n");
