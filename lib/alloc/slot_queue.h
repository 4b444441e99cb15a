/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots that wait, first in, first out: a list whose links are kept beside the
 * slots, four bytes for each. Slots are counted from 1; 0 is none. Pure
 * functions.
 */
#ifndef ALLOC_SLOT_QUEUE_H
#define ALLOC_SLOT_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct slot_queue {
    /* Of each slot that waits, the one behind it. */
    uint32_t *next;
    uint32_t oldest;
    uint32_t newest;
    size_t waiting;
};

static inline void slot_queue_push(struct slot_queue *queue, uint32_t slot)
{
    queue->next[slot] = 0;
    if (queue->newest != 0) {
        queue->next[queue->newest] = slot;
    } else {
        queue->oldest = slot;
    }
    queue->newest = slot;
    queue->waiting++;
}

/* The one that has waited longest; 0: none waits. */
static inline uint32_t slot_queue_pop(struct slot_queue *queue)
{
    uint32_t slot = queue->oldest;
    if (slot != 0) {
        queue->oldest = queue->next[slot];
        queue->newest = queue->oldest == 0 ? 0 : queue->newest;
        queue->waiting--;
    }
    return slot;
}

#endif
