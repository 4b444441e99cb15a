/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether memory is accessible, asked of the kernel: it answers EFAULT where
 * an access of the program would be a signal. Knows nothing of Moat, and works
 * in sandboxes that refuse process_vm_readv().
 */
#ifndef SUPPORT_PROBE_H
#define SUPPORT_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* A pipe of this process; it is empty before and after each question. */
static inline const int *probe_pipe(void)
{
    static int ends[2];
    static pid_t owner;
    if (owner != getpid()) {
        if (pipe(ends) != 0) {
            abort();
        }
        owner = getpid();
    }
    return ends;
}

/* Take back the byte that was asked about. */
static inline void probe_empty_pipe(void)
{
    char byte;
    if (read(probe_pipe()[0], &byte, 1) != 1) {
        abort();
    }
}

/* Whether the byte at ADDRESS can be read. */
static inline bool probe_is_readable(uintptr_t address)
{
    if (write(probe_pipe()[1], (const void *)address, 1) != 1) {
        return false;
    }
    probe_empty_pipe();
    return true;
}

/* Whether it can be written; it keeps its value. */
static inline bool probe_is_writable(uintptr_t address)
{
    if (write(probe_pipe()[1], (const void *)address, 1) != 1) {
        return false;
    }
    if (read(probe_pipe()[0], (void *)address, 1) == 1) {
        return true;
    }
    probe_empty_pipe();
    return false;
}

#endif
