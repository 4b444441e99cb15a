/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of the process, as /proc has them. Nothing here allocates; errno
 * is left as it was. Where there is no /proc, there is no answer.
 */
#ifndef OS_TASKS_H
#define OS_TASKS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Call VISIT with the kernel's number of each thread, and with CONTEXT, until
 * it returns false. Threads that begin or end meanwhile may be missed.
 *
 * Returns 0 or a positive errno value.
 */
int tasks_each(bool (*visit)(int task, void *context), void *context);

struct task_status {
    /* As the letters of proc(5) say: ended, but not forgotten. */
    bool has_ended;
    /* Waiting in the kernel for what no signal ends, as a parent of a child of
     * vfork() does. */
    bool is_out_of_reach;
    /* Bit SIGNAL - 1: blocked. */
    uint64_t blocked;
};

/* Store what TASK does in *STATUS; false: there is no such thread. */
bool tasks_status(int task, struct task_status *status);

#endif
