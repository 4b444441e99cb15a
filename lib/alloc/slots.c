/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots; see slots.h. */
#include "alloc/slots.h"

#include "alloc/arena.h"
#include "alloc/arena_damage.h"
#include "alloc/arena_pages.h"
#include "base/canary.h"
#include "base/size.h"
#include "os/lock.h"
#include "os/pages.h"

#include <errno.h>

/*
 * Data pages of the classes. A block arms only the pages it needs, at the side
 * of its guard, so a slot that is too large costs addresses, not memory.
 */
static const unsigned char class_pages[]
    = { 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32 };

enum {
    CLASSES = sizeof class_pages / sizeof class_pages[0],
    /* A class gets this part of the region, taken when it is first used. */
    WINDOW_SHARE = 128
};

/* Numbers of slots are counted from 1; 0 is none. */
struct slot_class {
    struct lock lock;
    struct moat_arena *window;
    size_t capacity;
    /* Freed slots, oldest first: of each slot, the one freed after it. */
    uint32_t *next;
    uint32_t oldest;
    uint32_t newest;
    size_t waiting;
};

static struct {
    struct moat_state *state;
    size_t quarantine;
    _Atomic size_t numbers;
    struct slot_class classes[CLASSES];
} slots;

void slots_start(struct moat_state *state, size_t quarantine)
{
    slots.state = state;
    slots.quarantine = quarantine;
}

/* The class for DATA_BYTES; NULL: too large for any. */
static struct slot_class *class_for(size_t data_bytes, size_t *pages)
{
    size_t needed = data_bytes / slots.state->page_bytes;
    for (size_t i = 0; i < CLASSES; i++) {
        if (needed <= class_pages[i]) {
            *pages = class_pages[i];
            return &slots.classes[i];
        }
    }
    return NULL;
}

/* Called with the lock of the class held. */
static int open_window(struct slot_class *class, size_t pages)
{
    size_t page_bytes = slots.state->page_bytes;
    size_t window_bytes = slots.state->region.bytes / WINDOW_SHARE;
    size_t slot_bytes = (pages + 1) * page_bytes;
    if (window_bytes < slot_bytes + 2 * page_bytes) {
        return ENOMEM;
    }
    struct arena_request request = {
        .name = "slots",
        .capacity = window_bytes - 2 * page_bytes,
        .layout = ARENA_SLOTS,
        .is_heap = true,
    };
    size_t capacity = request.capacity / slot_bytes;
    if (class->next == NULL) {
        uintptr_t next;
        int error = pages_map(
            size_round_up((capacity + 1) * sizeof(uint32_t), page_bytes),
            "moat freed slots", &next);
        if (error != 0) {
            return error;
        }
        class->next = (uint32_t *)next;
    }
    struct moat_arena *window;
    struct moat_finding unused;
    int error = arena_create(&request, &window, &unused);
    if (error == 0) {
        window->slot_bytes = slot_bytes;
        class->capacity = capacity;
        class->window = window;
    }
    return error;
}

/* The slot that has waited longest; 0: none. */
static uint32_t pop_waiting(struct slot_class *class)
{
    uint32_t slot = class->oldest;
    if (slot != 0) {
        class->oldest = class->next[slot];
        class->newest = class->oldest == 0 ? 0 : class->newest;
        class->waiting--;
    }
    return slot;
}

static void push_waiting(struct slot_class *class, uint32_t slot)
{
    class->next[slot] = 0;
    if (class->newest != 0) {
        class->next[class->newest] = slot;
    } else {
        class->oldest = slot;
    }
    class->newest = slot;
    class->waiting++;
}

/*
 * A slot that was never used, while the quarantine is not full and there is
 * one; else the one that has waited longest. 0: there is none.
 */
static uint32_t take_slot(struct slot_class *class)
{
    struct moat_arena *window = class->window;
    size_t used = window->block_count;
    if (class->waiting > slots.quarantine || used == class->capacity) {
        return pop_waiting(class);
    }
    arena_pages_prepare(window, (used + 1) * window->slot_bytes);
    atomic_store_explicit(&window->block_count, used + 1,
                          memory_order_release);
    return (uint32_t)(used + 1);
}

static void give_back(struct slot_class *class, uint32_t slot)
{
    lock_take(&class->lock);
    push_waiting(class, slot);
    lock_release(&class->lock);
}

static void *allocate_slot(struct slot_class *class, size_t pages,
                           const struct fence_place *place, size_t bytes,
                           enum fence_placement side, site_id site, int *error)
{
    lock_take(&class->lock);
    *error = class->window == NULL ? open_window(class, pages) : 0;
    uint32_t slot = *error == 0 ? take_slot(class) : 0;
    lock_release(&class->lock);
    if (slot == 0) {
        *error = ENOMEM;
        return NULL;
    }
    struct moat_arena *window = class->window;
    size_t page_bytes = slots.state->page_bytes;
    struct block_record *block = &window->blocks[slot - 1];
    size_t data = (slot - 1) * window->slot_bytes;
    if (side == FENCE_AFTER) {
        data += pages * page_bytes - place->data_bytes;
    }
    /* Who asks meanwhile is told that there is no block. */
    atomic_store_explicit(&block->state, BLOCK_UNUSED, memory_order_release);
    if (place->data_bytes != 0
        && arena_pages_arm(window, data, data + place->data_bytes) != 0) {
        give_back(class, slot);
        *error = ENOMEM;
        return NULL;
    }
    uintptr_t start = window->base + data + place->start;
    uint64_t secret = slots.state->secret;
    canary_stamp(secret, start - place->front_bytes, start);
    canary_stamp(secret, start + bytes, start + bytes + place->tail_bytes);
    block->start = start;
    block->bytes = bytes;
    block->arena_offset
        = atomic_fetch_add_explicit(&slots.numbers, 1, memory_order_relaxed)
          + 1;
    block->front_bytes = (uint16_t)place->front_bytes;
    block->tail_bytes = (uint32_t)place->tail_bytes;
    block->alloc_site = site;
    block->alloc_actor = actor_self(&slots.state->actors);
    atomic_store_explicit(&block->state, BLOCK_LIVE, memory_order_release);
    return (void *)start;
}

static void *allocate_large(size_t bytes, size_t alignment,
                            enum fence_placement side, site_id site,
                            int *error)
{
    struct arena_request request = { .name = "large block",
                                     .capacity = bytes,
                                     .layout = ARENA_FENCED,
                                     .is_heap = true,
                                     .site = site };
    struct moat_arena *arena;
    struct moat_finding unused;
    *error = arena_create(&request, &arena, &unused);
    if (*error != 0) {
        return NULL;
    }
    void *start
        = arena_allocate_on(arena, side, alignment, bytes, site, error);
    if (start == NULL) {
        arena_end(arena, site);
        return NULL;
    }
    arena->blocks[0].arena_offset
        = atomic_fetch_add_explicit(&slots.numbers, 1, memory_order_relaxed)
          + 1;
    return start;
}

void *slots_allocate(size_t bytes, size_t alignment, enum fence_placement side,
                     site_id site, int *error)
{
    struct fence_place place;
    size_t pages;
    *error = ENOMEM;
    if (!fence_place(bytes, alignment, side, slots.state->page_bytes,
                     &place)) {
        return NULL;
    }
    struct slot_class *class = class_for(place.data_bytes, &pages);
    if (class == NULL) {
        return allocate_large(bytes, alignment, side, site, error);
    }
    return allocate_slot(class, pages, &place, bytes, side, site, error);
}

/* The record of BLOCK, if it is the start of a block of no arena. */
static struct block_record *find_block(uintptr_t block,
                                       struct moat_arena **owner)
{
    const struct moat_state *state = slots.state;
    if (!region_contains(&state->region, block)) {
        return NULL;
    }
    struct moat_arena *arena = arena_record_at(
        &state->arenas, region_owner(&state->region, block));
    if (arena == NULL || !arena->is_heap || block < arena->base
        || arena_state_of(arena) != ARENA_LIVE) {
        return NULL;
    }
    size_t index = arena->layout == ARENA_SLOTS
                       ? (block - arena->base) / arena->slot_bytes
                       : 0;
    if (index >= arena->block_count || arena->blocks[index].start != block) {
        return NULL;
    }
    *owner = arena;
    return &arena->blocks[index];
}

/* Of two threads that free the same block, one is told that it is the second.
 */
static bool claim(struct block_record *block)
{
    uint16_t live = BLOCK_LIVE;
    return atomic_compare_exchange_strong(&block->state, &live, BLOCK_REVOKED);
}

bool slots_free(uintptr_t block, site_id site, struct moat_finding *finding)
{
    struct moat_arena *owner = NULL;
    struct block_record *record = find_block(block, &owner);
    if (record == NULL || record->state != BLOCK_LIVE) {
        arena_describe_bad_free(NULL, block, finding);
        return true;
    }
    size_t index = (size_t)(record - owner->blocks);
    bool is_damaged
        = arena_damage_around(slots.state, owner, index, finding);
    if (!claim(record)) {
        arena_describe_bad_free(NULL, block, finding);
        return true;
    }
    record->free_site = site;
    record->free_actor = actor_self(&slots.state->actors);
    if (owner->layout != ARENA_SLOTS) {
        arena_end(owner, site);
        return is_damaged;
    }
    arena_revoke_block(owner, record);
    for (size_t i = 0; i < CLASSES; i++) {
        if (slots.classes[i].window == owner) {
            give_back(&slots.classes[i], (uint32_t)(index + 1));
        }
    }
    return is_damaged;
}

void slots_before_fork(void)
{
    for (size_t i = 0; i < CLASSES; i++) {
        lock_take(&slots.classes[i].lock);
    }
}

void slots_after_fork_in_parent(void)
{
    for (size_t i = 0; i < CLASSES; i++) {
        lock_release(&slots.classes[i].lock);
    }
}

void slots_after_fork_in_child(void)
{
    for (size_t i = 0; i < CLASSES; i++) {
        lock_reset_after_fork(&slots.classes[i].lock);
    }
}
