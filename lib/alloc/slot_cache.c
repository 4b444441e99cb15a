/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots of a thread; see slot_cache.h. */
#include "alloc/slot_cache.h"

#include "alloc/slot_revoke.h"
#include "base/size.h"
#include "os/lock.h"
#include "os/pages.h"

#include <pthread.h>
#include <stdatomic.h>

enum { READY = 16, SPARES = 16, FREED = 16 };

/* What a thread keeps of one class, all of one window. */
struct shelf {
    struct moat_arena *window;
    slot_number ready[READY];
    slot_number spare[SPARES];
    slot_number freed[FREED];
    uint8_t ready_count;
    uint8_t spare_count;
    uint8_t freed_count;
    /* How many to take at once: doubles with use, so that a class from which
     * a thread takes little keeps little. */
    uint8_t batch;
};

struct cache {
    struct shelf shelves[SLOT_CLASSES];
    /* All caches, of threads that live and of those that have ended. */
    struct cache *next;
    bool is_owned;
    /* Whether its thread is changing it; a child of fork() leaves it alone. */
    _Atomic bool is_busy;
};

static struct {
    size_t spare_pages;
    size_t freed;
    pthread_key_t key;
    bool has_key;
    struct lock lock;
    struct cache *all;
} caches;

static __thread struct cache *own __attribute__((tls_model("initial-exec")));

static size_t spare_limit(const struct slot_class *class)
{
    size_t limit = caches.spare_pages / slot_class_pages(class);
    return limit < SPARES ? limit : SPARES;
}

static void begin(struct cache *cache)
{
    atomic_store_explicit(&cache->is_busy, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

static void end(struct cache *cache)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&cache->is_busy, false, memory_order_relaxed);
}

static void send_freed(struct slot_class *class, struct shelf *shelf)
{
    slot_class_give(class, shelf->window, shelf->freed, shelf->freed_count);
    shelf->freed_count = 0;
}

static void revoke_spares(struct slot_class *class, struct shelf *shelf)
{
    size_t bytes = slot_class_pages(class) * pages_size();
    while (shelf->spare_count > 0) {
        slot_number slot = shelf->spare[--shelf->spare_count];
        uintptr_t start
            = shelf->window->base + slot_offset(shelf->window, slot);
        struct page_span span = { .start = start, .end = start + bytes };
        if (slot_revoke_in_place(shelf->window,
                                 &shelf->window->blocks[slot - 1], span)) {
            slot_class_give(class, shelf->window, &slot, 1);
        } else {
            slot_class_note_failure(class, shelf->window);
        }
    }
}

static void empty(struct slot_class *class, struct shelf *shelf)
{
    if (shelf->window == NULL) {
        return;
    }
    revoke_spares(class, shelf);
    send_freed(class, shelf);
    slot_class_give(class, shelf->window, shelf->ready, shelf->ready_count);
    shelf->ready_count = 0;
    shelf->batch = 0;
}

static void empty_all(struct cache *cache)
{
    for (size_t i = 0; i < SLOT_CLASSES; i++) {
        empty(slot_class_at(i), &cache->shelves[i]);
    }
}

/* A thread ends. It may allocate again in a later destructor; then it gets a
 * cache again, and this is called again. */
static void on_thread_exit(void *unused)
{
    (void)unused;
    struct cache *cache = own;
    if (cache == NULL) {
        return;
    }
    begin(cache);
    empty_all(cache);
    end(cache);
    own = NULL;
    lock_take(&caches.lock);
    cache->is_owned = false;
    lock_release(&caches.lock);
}

void slot_cache_start(size_t spare_pages, size_t freed)
{
    caches.spare_pages = spare_pages;
    caches.freed = freed < FREED ? freed : FREED;
    if (!caches.has_key) {
        caches.has_key = pthread_key_create(&caches.key, on_thread_exit) == 0;
    }
    for (struct cache *cache = caches.all; cache != NULL;
         cache = cache->next) {
        for (size_t i = 0; i < SLOT_CLASSES; i++) {
            cache->shelves[i] = (struct shelf){ .window = NULL };
        }
    }
}

static struct cache *find_cache(void)
{
    struct cache *cache = caches.all;
    while (cache != NULL && cache->is_owned) {
        cache = cache->next;
    }
    if (cache == NULL) {
        uintptr_t start;
        if (pages_map(size_round_up(sizeof *cache, pages_size()),
                      "moat slot cache", &start)
            != 0) {
            return NULL;
        }
        cache = (struct cache *)start;
        cache->next = caches.all;
        caches.all = cache;
    }
    cache->is_owned = true;
    return cache;
}

static __attribute__((noinline)) struct cache *get_cache(void)
{
    if (caches.has_key) {
        lock_take(&caches.lock);
        own = find_cache();
        lock_release(&caches.lock);
        if (own != NULL) {
            /* Any value but NULL makes the destructor run. */
            pthread_setspecific(caches.key, own);
        }
    }
    return own;
}

/* The cache of this thread; NULL: it works without. */
static inline struct cache *cache_of_thread(void)
{
    return own != NULL ? own : get_cache();
}

/* The shelf of CLASS, which holds nothing of another window than WINDOW. */
static struct shelf *shelf_for(struct cache *cache, struct slot_class *class,
                               struct moat_arena *window)
{
    struct shelf *shelf = &cache->shelves[slot_class_place(class)];
    if (shelf->window != window) {
        empty(class, shelf);
        shelf->window = window;
    }
    return shelf;
}

/* Take a batch from the class. Returns whether there is something. */
static bool fill_ready(struct slot_class *class, struct cache *cache)
{
    struct shelf *shelf = &cache->shelves[slot_class_place(class)];
    slot_number slots[READY];
    struct moat_arena *window = NULL;
    size_t wanted = shelf->batch == 0 ? 1 : shelf->batch;
    size_t count = slot_class_take(class, &window, slots, wanted);
    if (count == 0) {
        /* What this thread has freed may be all that is left. */
        empty(class, shelf);
        count = slot_class_take(class, &window, slots, 1);
    }
    if (count == 0) {
        return false;
    }
    shelf = shelf_for(cache, class, window);
    shelf->batch = (uint8_t)(2 * wanted <= READY ? 2 * wanted : READY);
    /* The first is the first to be taken: from the end. */
    while (count > 0) {
        shelf->ready[shelf->ready_count++] = slots[--count];
    }
    return true;
}

/* What CACHE has no slot at hand for. */
static __attribute__((noinline)) slot_number
take_from_class(struct slot_class *class, struct cache *cache,
                struct moat_arena **window)
{
    struct shelf *shelf = &cache->shelves[slot_class_place(class)];
    if (shelf->window != slot_class_window(class)) {
        empty(class, shelf);
    }
    if (shelf->ready_count == 0 && !fill_ready(class, cache)) {
        return 0;
    }
    *window = shelf->window;
    return shelf->ready[--shelf->ready_count];
}

static inline slot_number take(struct slot_class *class, struct cache *cache,
                               bool wants_armed, struct moat_arena **window,
                               bool *is_armed)
{
    struct shelf *shelf = &cache->shelves[slot_class_place(class)];
    if (shelf->window == slot_class_window(class)) {
        *window = shelf->window;
        if (wants_armed && shelf->spare_count > 0) {
            *is_armed = true;
            return shelf->spare[--shelf->spare_count];
        }
        if (shelf->ready_count > 0) {
            return shelf->ready[--shelf->ready_count];
        }
    }
    return take_from_class(class, cache, window);
}

slot_number slot_cache_take(struct slot_class *class, bool wants_armed,
                            struct moat_arena **window, bool *is_armed)
{
    struct cache *cache = cache_of_thread();
    slot_number slot = 0;
    *is_armed = false;
    if (cache == NULL) {
        return slot_class_take(class, window, &slot, 1) == 1 ? slot : 0;
    }
    begin(cache);
    slot = take(class, cache, wants_armed, window, is_armed);
    end(cache);
    return slot;
}

void slot_cache_return(struct slot_class *class, struct moat_arena *window,
                       slot_number slot)
{
    struct cache *cache = cache_of_thread();
    if (cache == NULL) {
        slot_class_give(class, window, &slot, 1);
        return;
    }
    begin(cache);
    struct shelf *shelf = shelf_for(cache, class, window);
    if (shelf->ready_count < READY) {
        shelf->ready[shelf->ready_count++] = slot;
    } else {
        slot_class_give(class, window, &slot, 1);
    }
    end(cache);
}

slot_number slot_cache_take_for_spare(struct slot_class *class,
                                      const struct moat_arena *window)
{
    struct cache *cache = cache_of_thread();
    if (cache == NULL || slot_class_window(class) != window) {
        return 0;
    }
    struct shelf *shelf = &cache->shelves[slot_class_place(class)];
    if (shelf->spare_count >= spare_limit(class)) {
        return 0;
    }
    begin(cache);
    slot_number slot = 0;
    if ((shelf->ready_count > 0 || fill_ready(class, cache))
        && shelf->window == window) {
        slot = shelf->ready[--shelf->ready_count];
    }
    end(cache);
    return slot;
}

void slot_cache_keep_spare(struct slot_class *class, slot_number slot)
{
    struct shelf *shelf = &own->shelves[slot_class_place(class)];
    begin(own);
    shelf->spare[shelf->spare_count++] = slot;
    end(own);
}

void slot_cache_give(struct slot_class *class, struct moat_arena *window,
                     slot_number slot)
{
    struct cache *cache = cache_of_thread();
    if (cache == NULL || slot_class_window(class) != window) {
        slot_class_give(class, window, &slot, 1);
        return;
    }
    begin(cache);
    struct shelf *shelf = shelf_for(cache, class, window);
    shelf->freed[shelf->freed_count++] = slot;
    if (shelf->freed_count >= caches.freed) {
        send_freed(class, shelf);
    }
    end(cache);
}

void slot_cache_flush(void)
{
    if (own != NULL) {
        begin(own);
        empty_all(own);
        end(own);
    }
}

void slot_cache_after_fork_in_child(void)
{
    lock_reset_after_fork(&caches.lock);
    for (struct cache *cache = caches.all; cache != NULL;
         cache = cache->next) {
        if (cache == own || !cache->is_owned) {
            continue;
        }
        if (cache->is_busy) {
            /* Its thread was in the midst of something: some slots stay out
             * of use, at most as many as a cache holds. */
            for (size_t i = 0; i < SLOT_CLASSES; i++) {
                cache->shelves[i] = (struct shelf){ .window = NULL };
            }
            cache->is_busy = false;
        } else {
            empty_all(cache);
        }
        cache->is_owned = false;
    }
}
