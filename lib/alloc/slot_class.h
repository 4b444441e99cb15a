/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes of slots: for each number of data pages a window of the region in
 * which all slots have that many. A slot that is freed waits in the quarantine
 * of its class, first in, first out; it costs addresses and a record, but no
 * memory.
 *
 *   | guard | data pages | guard | data pages | guard | ...
 *           ^ slot 1             ^ slot 2
 *
 * Stretches of a window in which every slot waits give their page tables back,
 * and are prepared again when their turn comes.
 *
 * Thread-safe. Results are 0 or a positive errno value; errno may change.
 */
#ifndef ALLOC_SLOT_CLASS_H
#define ALLOC_SLOT_CLASS_H

#include "alloc/slot_books.h"
#include "alloc/slot_queue.h"
#include "os/lock.h"
#include "record/state.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT_CLASSES = 13 };

/* Numbers of slots are counted from 1; 0 is none. */
typedef uint32_t slot_number;

struct revoke_way;

/* A class; its members are for slot_class.c, and for the questions below, which
 * each allocation asks. */
struct slot_class {
    struct moat_arena *window;
    /* Its place among the classes, and the data pages of a slot. */
    unsigned char place;
    unsigned char pages;
    _Atomic unsigned failures;
    struct lock lock;
    const struct revoke_way *way;
    struct slot_books books;
    struct slot_queue queue;
    /* For each stretch: how many slots that start in it wait. */
    uint16_t *dead;
    size_t stretches;
    /* For each stretch: whether it was given back. */
    bool *is_bare;
};

/*
 * Use STATE, let at least QUARANTINE slots of a class wait, and begin with WAY.
 */
void slot_class_start(struct moat_state *state, size_t quarantine,
                      const struct revoke_way *way);

/* All, those of fewer pages first. */
extern struct slot_class slot_classes[SLOT_CLASSES]
    __attribute__((visibility("hidden")));

/* The class at PLACE, below SLOT_CLASSES. */
static inline struct slot_class *slot_class_at(size_t place)
{
    return &slot_classes[place];
}

/* The class whose slots WINDOW holds or held. */
static inline struct slot_class *slot_class_of(const struct moat_arena *window)
{
    return slot_class_at(window->slot_class);
}

/* The class for PAGES data pages, at least 1; NULL: too many for any. */
static inline struct slot_class *slot_class_for(size_t pages)
{
    for (size_t place = 0; place < SLOT_CLASSES; place++) {
        if (pages <= slot_classes[place].pages) {
            return &slot_classes[place];
        }
    }
    return NULL;
}

/* Its place among the classes, from 0; and the data pages of a slot. */
static inline size_t slot_class_place(const struct slot_class *class)
{
    return class->place;
}

static inline size_t slot_class_pages(const struct slot_class *class)
{
    return class->pages;
}

/* The window from which slots are taken now; NULL: none yet. */
static inline struct moat_arena *
slot_class_window(const struct slot_class *class)
{
    return class->window;
}

/*
 * Take up to WANTED slots, revoked and prepared, of one window. Returns how
 * many; 0 when there are neither slots nor addresses for more.
 */
size_t slot_class_take(struct slot_class *class, struct moat_arena **window,
                       slot_number slots[], size_t wanted);

/* Put revoked slots of WINDOW at the end of the quarantine. */
void slot_class_give(struct slot_class *class,
                     const struct moat_arena *window,
                     const slot_number slots[], size_t count);

/*
 * A slot of WINDOW could not be armed, or not be revoked by the window's way.
 * When that goes on, the class continues with the next weaker way that works,
 * in another window. A success ends a series; failures of a child of vfork() do
 * not count.
 */
void slot_class_note_failure(struct slot_class *class,
                             const struct moat_arena *window);
void slot_class_note_success(struct slot_class *class);

/* The data pages of SLOT: its first byte, from the window's base. */
static inline size_t slot_offset(const struct moat_arena *window,
                                 slot_number slot)
{
    return (size_t)(slot - 1) * window->slot_bytes;
}

/* Slots that wait, of all classes; for stats. */
size_t slot_class_waiting(void);

/* Around fork(): no other thread may be in here meanwhile. */
void slot_class_before_fork(void);
void slot_class_after_fork_in_parent(void);
void slot_class_after_fork_in_child(void);

#endif
