/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classes of slots; see slot_class.h. */
#include "alloc/slot_class.h"

#include "alloc/arena.h"
#include "alloc/arena_pages.h"
#include "alloc/shortfall.h"
#include "base/size.h"
#include "os/address_space.h"
#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>

/*
 * A block arms only the pages it needs, at the side of its guard, so a slot
 * that is too large costs addresses, not memory.
 */
struct slot_class slot_classes[SLOT_CLASSES] = {
    { .place = 0, .pages = 1 },   { .place = 1, .pages = 2 },
    { .place = 2, .pages = 3 },   { .place = 3, .pages = 4 },
    { .place = 4, .pages = 5 },   { .place = 5, .pages = 6 },
    { .place = 6, .pages = 8 },   { .place = 7, .pages = 10 },
    { .place = 8, .pages = 12 },  { .place = 9, .pages = 16 },
    { .place = 10, .pages = 20 }, { .place = 11, .pages = 24 },
    { .place = 12, .pages = 32 },
};

enum {
    /* A class gets this part of the region, taken when it is first used. */
    WINDOW_SHARE = 128,
    /* So many failures in a row are no accident. */
    FAILURES = 16
};

/*
 * Page tables are given back by stretches: a page of them maps 512 pages, and
 * those at the two ends of a stretch may still be shared.
 */
#define STRETCH_BYTES ((size_t)16 << 20)

static struct {
    struct moat_state *state;
    size_t quarantine;
} classes;

void slot_class_start(struct moat_state *state, size_t quarantine,
                      const struct revoke_way *way)
{
    classes.state = state;
    classes.quarantine = quarantine;
    for (size_t i = 0; i < SLOT_CLASSES; i++) {
        slot_classes[i].way = way;
    }
}

static size_t stretch_of(const struct moat_arena *window, slot_number slot)
{
    return slot_offset(window, slot) / STRETCH_BYTES;
}

/* The first slot that starts in STRETCH or behind it. */
static slot_number first_slot(const struct moat_arena *window, size_t stretch)
{
    size_t start = stretch * STRETCH_BYTES;
    return (slot_number)((start + window->slot_bytes - 1) / window->slot_bytes
                         + 1);
}

/* Room for what is kept of each slot and each stretch of a window. */
static int make_books(struct slot_class *class, size_t capacity,
                      size_t stretches)
{
    uintptr_t start;
    size_t bytes = stretches * (sizeof *class->dead + sizeof *class->is_bare);
    int error = pages_map(size_round_up(bytes, classes.state->page_bytes),
                          "moat stretches", &start);
    if (error == 0) {
        error = slot_books_reserve(&class->books, capacity);
    }
    if (error == 0) {
        class->queue.next = class->books.next;
        class->dead = (uint16_t *)start;
        class->is_bare = (bool *)(class->dead + stretches);
        class->stretches = stretches;
    }
    return error;
}

/* Called with the lock of the class held, as are all that follow. */
static int open_window(struct slot_class *class)
{
    size_t page_bytes = classes.state->page_bytes;
    size_t window_bytes = classes.state->region.bytes / WINDOW_SHARE;
    size_t slot_bytes = (slot_class_pages(class) + 1) * page_bytes;
    if (window_bytes < slot_bytes + 2 * page_bytes) {
        return ENOMEM;
    }
    struct arena_request request = {
        .name = "slots",
        .capacity = window_bytes - 2 * page_bytes,
        .layout = ARENA_SLOTS,
        .is_heap = true,
        .way = class->way,
    };
    size_t capacity = request.capacity / slot_bytes;
    int error = 0;
    if (class->queue.next == NULL) {
        error = make_books(class, capacity, window_bytes / STRETCH_BYTES + 1);
    }
    struct moat_arena *window;
    struct moat_finding unused;
    if (error == 0) {
        error = arena_create(&request, &window, &unused);
    }
    if (error == 0) {
        window->slot_bytes = slot_bytes;
        window->slot_class = class->place;
        class->window = window;
    }
    return error;
}

/*
 * Leave the window to the blocks that live in it. What waits there is lost for
 * allocation, and stays revoked for good. A child of vfork(), which may have
 * closed or refused itself what the way needs, changes nothing for its parent.
 */
static void weaken(struct slot_class *class)
{
    if (address_space_is_borrowed()) {
        return;
    }
    const struct revoke_way *way = revoke_weaker(class->way);
    if (way == NULL) {
        return;
    }
    class->way = way;
    class->window = NULL;
    class->queue = (struct slot_queue){ .next = class->queue.next };
    class->failures = 0;
    slot_books_restart(&class->books);
    for (size_t i = 0; i < class->stretches; i++) {
        class->dead[i] = 0;
        class->is_bare[i] = false;
    }
    shortfall_note(SHORTFALL_WEAKER_WAY);
}

/*
 * Give a stretch back in which all slots wait: mapped anew it has no page
 * tables. The whole slots in it, so that no neighbour's page is touched.
 */
static void strip(struct slot_class *class, size_t stretch)
{
    struct moat_arena *window = class->window;
    slot_number first = first_slot(window, stretch);
    slot_number behind = first_slot(window, stretch + 1);
    if (class->dead[stretch] != behind - first
        || class->queue.waiting <= classes.quarantine + 2 * (behind - first)) {
        return;
    }
    size_t start = slot_offset(window, first);
    size_t end = slot_offset(window, behind);
    class->is_bare[stretch]
        = revoke_renew(window->base + start, end - start) == 0;
}

/* The opposite. */
static int dress(struct slot_class *class, size_t stretch)
{
    struct moat_arena *window = class->window;
    size_t start = slot_offset(window, first_slot(window, stretch));
    size_t end = slot_offset(window, first_slot(window, stretch + 1));
    int error = window->way->prepare(window->base + start, end - start);
    if (error == 0) {
        class->is_bare[stretch] = false;
    }
    return error;
}

/* The slot that has waited longest; 0: none. */
static slot_number pop_waiting(struct slot_class *class)
{
    slot_number slot = class->queue.oldest;
    if (slot == 0) {
        return 0;
    }
    size_t stretch = stretch_of(class->window, slot);
    if (class->is_bare[stretch] && dress(class, stretch) != 0) {
        weaken(class);
        return 0;
    }
    class->dead[stretch]--;
    return slot_queue_pop(&class->queue);
}

static void push_waiting(struct slot_class *class, slot_number slot)
{
    size_t stretch = stretch_of(class->window, slot);
    slot_queue_push(&class->queue, slot);
    class->dead[stretch]++;
    strip(class, stretch);
}

/*
 * A slot that was never used, while the quarantine is not full and there is
 * one; else the one that has waited longest. 0: there is none.
 */
static slot_number take_slot(struct slot_class *class)
{
    struct moat_arena *window = class->window;
    size_t used = window->block_count;
    if (class->queue.waiting > classes.quarantine
        || used == class->books.capacity) {
        return pop_waiting(class);
    }
    if (slot_books_extend(&class->books, window, used + 1) != 0) {
        return pop_waiting(class);
    }
    arena_pages_prepare(window, (used + 1) * window->slot_bytes);
    if (window->is_unprepared) {
        /* The way cannot go on here. What is prepared goes on to live. */
        window->is_unprepared = false;
        weaken(class);
        return 0;
    }
    atomic_store_explicit(&window->block_count, used + 1,
                          memory_order_release);
    return (slot_number)(used + 1);
}

size_t slot_class_take(struct slot_class *class, struct moat_arena **window,
                       slot_number slots[], size_t wanted)
{
    size_t count = 0;
    lock_take(&class->lock);
    /* Each turn but the last has found the way of the window wanting. */
    for (int turn = 0; turn < REVOKE_WAYS && count == 0; turn++) {
        if (class->window == NULL && open_window(class) != 0) {
            break;
        }
        *window = class->window;
        while (count < wanted && class->window == *window) {
            slot_number slot = take_slot(class);
            if (slot == 0) {
                break;
            }
            slots[count++] = slot;
        }
        if (class->window == *window) {
            break;
        }
    }
    lock_release(&class->lock);
    return count;
}

void slot_class_give(struct slot_class *class,
                     const struct moat_arena *window,
                     const slot_number slots[], size_t count)
{
    lock_take(&class->lock);
    for (size_t i = 0; i < count && class->window == window; i++) {
        push_waiting(class, slots[i]);
    }
    lock_release(&class->lock);
}

void slot_class_note_failure(struct slot_class *class,
                             const struct moat_arena *window)
{
    if (address_space_is_borrowed()) {
        return;
    }
    lock_take(&class->lock);
    if (class->window == window && ++class->failures == FAILURES) {
        weaken(class);
    }
    lock_release(&class->lock);
}

void slot_class_note_success(struct slot_class *class)
{
    if (atomic_load_explicit(&class->failures, memory_order_relaxed) != 0) {
        atomic_store_explicit(&class->failures, 0, memory_order_relaxed);
    }
}

size_t slot_class_waiting(void)
{
    size_t waiting = 0;
    for (size_t i = 0; i < SLOT_CLASSES; i++) {
        waiting += slot_classes[i].queue.waiting;
    }
    return waiting;
}

void slot_class_before_fork(void)
{
    for (size_t i = 0; i < SLOT_CLASSES; i++) {
        lock_take(&slot_classes[i].lock);
    }
}

void slot_class_after_fork_in_parent(void)
{
    for (size_t i = 0; i < SLOT_CLASSES; i++) {
        lock_release(&slot_classes[i].lock);
    }
}

void slot_class_after_fork_in_child(void)
{
    for (size_t i = 0; i < SLOT_CLASSES; i++) {
        lock_reset_after_fork(&slot_classes[i].lock);
    }
}
