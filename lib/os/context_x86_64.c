/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64; see context.h. */
#include "os/context.h"

#include <cpuid.h>
#include <stddef.h>
#include <string.h>

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

/*
 * What XSAVE has written, and where: Intel SDM volume 1, chapter 13. The kernel
 * marks the frame in the last part of FXSAVE's 512 bytes, see struct
 * _fpx_sw_bytes in <asm/sigcontext.h>.
 */
enum {
    FX_MARK = 464,
    FX_MAGIC = 0x46505853,
    FX_XMM = 160,
    FX_XMM_BYTES = 256,
    XSAVE_HEADER = 512,
    XSAVE_LEAF = 0xd,
    /* Components, bits of the header's first word: from XMM to the highest
     * vectors that there are. */
    XSAVE_XMM = 1,
    XSAVE_YMM = 2,
    XSAVE_LAST = 7
};

void context_each_register(const ucontext_t *context,
                           void (*visit)(uintptr_t start, uintptr_t end,
                                         void *argument),
                           void *argument)
{
    uintptr_t general = (uintptr_t)context->uc_mcontext.gregs;
    visit(general, general + sizeof context->uc_mcontext.gregs, argument);
    const char *state = (const char *)context->uc_mcontext.fpregs;
    if (state == NULL) {
        return;
    }
    uint32_t mark;
    uint64_t written = (uint64_t)1 << XSAVE_XMM;
    memcpy(&mark, state + FX_MARK, sizeof mark);
    if (mark == FX_MAGIC) {
        memcpy(&written, state + XSAVE_HEADER, sizeof written);
    }
    if ((written >> XSAVE_XMM & 1) != 0) {
        uintptr_t vectors = (uintptr_t)state + FX_XMM;
        visit(vectors, vectors + FX_XMM_BYTES, argument);
    }
    for (unsigned i = XSAVE_YMM; i <= XSAVE_LAST; i++) {
        unsigned bytes;
        unsigned offset;
        unsigned unused;
        if ((written >> i & 1) != 0
            && __get_cpuid_count(XSAVE_LEAF, i, &bytes, &offset, &unused,
                                 &unused)
                   != 0) {
            uintptr_t vectors = (uintptr_t)state + offset;
            visit(vectors, vectors + bytes, argument);
        }
    }
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
