/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks without guard pages; see canary_slots.h. */
#include "alloc/canary_slots.h"

#include "alloc/arena.h"
#include "alloc/arena_pages.h"
#include "alloc/bump.h"
#include "alloc/fence.h"
#include "alloc/slot_books.h"
#include "alloc/slot_queue.h"
#include "base/canary.h"
#include "base/size.h"
#include "os/lock.h"
#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>

/* Multiples of a cache line, each at most half as much again as the last. */
#define KIB(number) ((number) << 10)
static const uint32_t slot_sizes[] = {
    64,       128,      192,      256,      384,      512,      768,
    KIB(1),   1536,     KIB(2),   KIB(3),   KIB(4),   KIB(6),   KIB(8),
    KIB(12),  KIB(16),  KIB(24),  KIB(32),  KIB(48),  KIB(64),  KIB(96),
    KIB(128), KIB(192), KIB(256), KIB(384), KIB(512), KIB(768), KIB(1024)
};

enum {
    SIZES = sizeof slot_sizes / sizeof slot_sizes[0],
    WINDOW_SHARE = 256,
    /* On either side of a block. */
    LEAST_CANARY = BUMP_UNIT,
    ARM_STEP = 256 * 1024,
    /* Freed blocks keep their memory. */
    MOST_WAITING_BYTES = 8 << 20
};

struct canary_class {
    struct lock lock;
    struct moat_arena *window;
    struct slot_books books;
    struct slot_queue queue;
};

static struct {
    struct moat_state *state;
    size_t quarantine;
    struct canary_class classes[SIZES];
} canaries;

void canary_slots_start(struct moat_state *state, size_t quarantine)
{
    canaries.state = state;
    canaries.quarantine = quarantine;
    for (size_t i = 0; i < SIZES; i++) {
        canaries.classes[i].window = NULL;
        canaries.classes[i].queue = (struct slot_queue){ .next = NULL };
        canaries.classes[i].books = (struct slot_books){ .next = NULL };
    }
}

static struct canary_class *class_for(size_t bytes, size_t alignment,
                                      size_t most)
{
    size_t needed;
    size_t skipped = alignment > BUMP_UNIT ? alignment : 0;
    if (!size_add(bytes, 2 * LEAST_CANARY + skipped, &needed)) {
        return NULL;
    }
    for (size_t i = 0; i < SIZES && slot_sizes[i] <= most; i++) {
        if (needed <= slot_sizes[i]) {
            return &canaries.classes[i];
        }
    }
    return NULL;
}

static size_t slot_bytes_of(const struct canary_class *class)
{
    return slot_sizes[class - canaries.classes];
}

static int open_window(struct canary_class *class)
{
    size_t page_bytes = canaries.state->page_bytes;
    size_t window_bytes = canaries.state->region.bytes / WINDOW_SHARE;
    if (window_bytes < slot_bytes_of(class) + 2 * page_bytes) {
        return ENOMEM;
    }
    struct arena_request request = {
        .name = "canary slots",
        .capacity = window_bytes - 2 * page_bytes,
        .layout = ARENA_SLOTS,
        .is_heap = true,
        /* Armed from its start on and never revoked: one mapping. */
        .way = &revoke_mprotect,
    };
    struct moat_finding unused;
    int error = 0;
    if (class->books.next == NULL) {
        error = slot_books_reserve(&class->books,
                                   request.capacity / slot_bytes_of(class));
    }
    if (error == 0) {
        error = arena_create(&request, &class->window, &unused);
    }
    if (error != 0) {
        class->window = NULL;
        return error;
    }
    class->queue = (struct slot_queue){ .next = class->books.next };
    class->window->slot_bytes = slot_bytes_of(class);
    class->window->has_canaries_only = true;
    return 0;
}

/* A freed block that is as it was stamped; one that is not stays out of use,
 * for the check at exit to find. */
static bool is_unharmed(const struct block_record *block)
{
    return canary_is_intact(canaries.state->secret, block->start,
                            block->start + block->bytes);
}

/* Make memory accessible for one slot more. */
static int arm_next(struct canary_class *class)
{
    struct moat_arena *window = class->window;
    size_t needed = (window->block_count + 1) * window->slot_bytes;
    size_t armed = window->armed_bytes;
    if (needed <= armed) {
        return 0;
    }
    size_t end = armed + ARM_STEP > needed ? armed + ARM_STEP : needed;
    end = size_round_up(end, canaries.state->page_bytes);
    if (end > window->reach_bytes) {
        end = window->reach_bytes;
    }
    int error = arena_pages_arm(window, armed, end);
    if (error == 0) {
        atomic_store_explicit(&window->armed_bytes, end, memory_order_release);
    }
    return error;
}

/* How many may wait in CLASS, beyond those the oldest is used again. */
static size_t most_waiting(const struct canary_class *class)
{
    size_t most = MOST_WAITING_BYTES / slot_bytes_of(class);
    return most < canaries.quarantine ? most : canaries.quarantine;
}

/* The lock of the class is held. 0: there is none. */
static uint32_t take_slot(struct canary_class *class)
{
    struct moat_arena *window = class->window;
    size_t used = window->block_count;
    while (class->queue.waiting > most_waiting(class)
           || used == class->books.capacity) {
        uint32_t slot = slot_queue_pop(&class->queue);
        if (slot == 0 || is_unharmed(&window->blocks[slot - 1])) {
            return slot;
        }
    }
    if (slot_books_extend(&class->books, window, used + 1) != 0
        || arm_next(class) != 0) {
        return 0;
    }
    atomic_store_explicit(&window->block_count, used + 1,
                          memory_order_release);
    return (uint32_t)(used + 1);
}

struct block_record *canary_slots_allocate(size_t bytes, size_t alignment,
                                           size_t most)
{
    struct canary_class *class = class_for(bytes, alignment, most);
    if (class == NULL) {
        return NULL;
    }
    lock_take(&class->lock);
    uint32_t slot = 0;
    if (class->window != NULL || open_window(class) == 0) {
        slot = take_slot(class);
    }
    lock_release(&class->lock);
    if (slot == 0) {
        return NULL;
    }
    struct moat_arena *window = class->window;
    struct block_record *block = &window->blocks[slot - 1];
    atomic_store_explicit(&block->state, BLOCK_UNUSED, memory_order_release);
    if (alignment < BUMP_UNIT) {
        alignment = BUMP_UNIT;
    }
    uintptr_t first = window->base + (slot - 1) * window->slot_bytes;
    uintptr_t start = size_round_up(first + LEAST_CANARY, alignment);
    uintptr_t end = start + bytes;
    uintptr_t last = first + window->slot_bytes;
    size_t front = start - first;
    block->start = start;
    block->bytes = bytes;
    block->front_bytes
        = (uint8_t)(front < FENCE_CANARY ? front : FENCE_CANARY);
    block->growths = 0;
    block->tail_bytes = (uint32_t)(last - end);
    canary_stamp(canaries.state->secret, start - block->front_bytes, start);
    canary_stamp(canaries.state->secret, end, last);
    return block;
}

void canary_slots_free(struct moat_arena *window, struct block_record *block)
{
    struct canary_class *class = canaries.classes;
    while (class->window != window) {
        class++;
    }
    canary_stamp(canaries.state->secret, block->start,
                 block->start + block->bytes);
    atomic_store_explicit(&block->state, BLOCK_STAMPED, memory_order_release);
    lock_take(&class->lock);
    slot_queue_push(&class->queue, (uint32_t)(block - window->blocks + 1));
    lock_release(&class->lock);
}

void canary_slots_before_fork(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        lock_take(&canaries.classes[i].lock);
    }
}

void canary_slots_after_fork_in_parent(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        lock_release(&canaries.classes[i].lock);
    }
}

void canary_slots_after_fork_in_child(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        lock_reset_after_fork(&canaries.classes[i].lock);
    }
}
