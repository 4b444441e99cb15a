/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roots; see leak_roots.h. */
#include "diagnose/leak_roots.h"

#include "base/size.h"
#include "os/maps.h"
#include "os/others.h"
#include "os/own_memory.h"
#include "record/live.h"

/* What a function may use below its stack pointer (x86-64). */
enum { RED_ZONE = 128 };

static uintptr_t used_from(uintptr_t stack_pointer)
{
    return size_round_down(stack_pointer - RED_ZONE, sizeof(uintptr_t));
}

static bool is_on(uintptr_t address, struct thread_stack stack)
{
    return address >= stack.low && address < stack.high;
}

struct gap_search {
    const struct moat_state *state;
    struct leak_gaps *gaps;
    /* The searching thread, like the others. */
    struct other self;
    /* The mapping before. */
    struct maps_range before;
};

/* The thread at PLACE, up to others_count(): the searching one comes last.
 * NULL: it was not stopped. */
static const struct other *thread_at(const struct gap_search *search,
                                     size_t place)
{
    return place == others_count() ? &search->self : others_at(place);
}

/* Whether no other thread has its stack or its storage from START to END. */
static bool is_alone(const struct gap_search *search,
                     const struct other *thread, uintptr_t start,
                     uintptr_t end)
{
    for (size_t i = 0; i <= others_count(); i++) {
        const struct other *other = thread_at(search, i);
        if (other != NULL && other != thread
            && ((other->stack_pointer >= start && other->stack_pointer < end)
                || (other->storage >= start && other->storage < end))) {
            return false;
        }
    }
    return true;
}

/*
 * Where the stack of THREAD, which lies in RANGE, begins. If the thread has not
 * told: at the start of a mapping that was made for it alone, which the
 * storage at its end and an inaccessible page below tell. 0: not known, as
 * where the program has made stacks of something else.
 */
static uintptr_t lowest_of(const struct gap_search *search,
                           const struct other *thread,
                           const struct maps_range *range)
{
    if (range->is_first_stack) {
        return range->start;
    }
    if (is_on(thread->stack_pointer, thread->stack)) {
        return thread->stack.low > range->start ? thread->stack.low
                                                : range->start;
    }
    bool has_guard = search->before.end == range->start
                     && !search->before.is_readable && !range->is_file;
    bool has_storage = thread->storage > thread->stack_pointer
                       && thread->storage < range->end;
    return has_guard && has_storage
                   && is_alone(search, thread, range->start,
                               thread->stack_pointer)
               ? range->start
               : 0;
}

static bool find_stacks(const struct maps_range *range, void *context)
{
    struct gap_search *search = context;
    size_t threads = range->is_writable ? others_count() + 1 : 0;
    for (size_t i = 0; i < threads; i++) {
        const struct other *thread = thread_at(search, i);
        uintptr_t from
            = thread == NULL ? 0 : used_from(thread->stack_pointer);
        if (from >= range->start && from < range->end
            && !is_on(thread->stack_pointer, thread->alternate)) {
            uintptr_t lowest = lowest_of(search, thread, range);
            if (lowest != 0) {
                leak_gaps_add(search->gaps, lowest, from);
            }
        }
    }
    search->before = *range;
    return true;
}

/* A stack in a block that the program has allocated. */
static void add_stack_in_block(struct gap_search *search,
                               const struct other *thread)
{
    uintptr_t from = used_from(thread->stack_pointer);
    const struct block_record *block = live_at(search->state, from);
    if (block != NULL) {
        leak_gaps_add(search->gaps, block->start, from);
    }
}

/* What a handler has left there is the program's no more. */
static void add_alternate(struct gap_search *search,
                          const struct other *thread)
{
    uintptr_t end = is_on(thread->stack_pointer, thread->alternate)
                        ? used_from(thread->stack_pointer)
                        : thread->alternate.high;
    leak_gaps_add(search->gaps, thread->alternate.low, end);
}

/* Of memory of Moat's own, all but the region: there the program has blocks,
 * with stacks in them perhaps. */
static void add_own_memory(const struct region *region, struct leak_gaps *gaps)
{
    uintptr_t region_end = region->start + region->bytes;
    for (size_t i = 0; i < OWN_MEMORY_MOST; i++) {
        uintptr_t start;
        uintptr_t end;
        if (!own_memory_at(i, &start, &end)) {
            continue;
        }
        if (start <= region->start && end >= region_end) {
            leak_gaps_add(gaps, start, region->start);
            leak_gaps_add(gaps, region_end, end);
        } else {
            leak_gaps_add(gaps, start, end);
        }
    }
}

bool leak_roots_find_gaps(const struct moat_state *state,
                          const struct leak_caller *caller,
                          struct leak_gaps *gaps)
{
    struct gap_search search = {
        .state = state,
        .gaps = gaps,
        .self = { .stack_pointer = caller->stack_pointer + RED_ZONE,
                  .alternate = thread_alternate_stack(),
                  .stack = thread_stack_in_signal(),
                  .storage = thread_storage() },
    };
    add_own_memory(&state->region, gaps);
    for (size_t i = 0; i <= others_count(); i++) {
        const struct other *thread = thread_at(&search, i);
        if (thread != NULL) {
            add_alternate(&search, thread);
            add_stack_in_block(&search, thread);
        }
    }
    return maps_each_range(find_stacks, &search);
}

struct visit {
    const struct region *region;
    const struct leak_gaps *gaps;
    leak_roots_visit visit;
    void *context;
};

static bool visit_range(const struct maps_range *range, void *context)
{
    const struct visit *visit = context;
    const struct region *region = visit->region;
    uintptr_t at = range->start;
    uintptr_t start;
    uintptr_t stop;
    if (region_contains(region, at)) {
        at = region->start + region->bytes;
    }
    while (range->is_readable && (range->is_writable || !range->is_shared)
           && leak_gaps_next(visit->gaps, &at, range->end, &start, &stop)) {
        visit->visit(start, stop, !range->is_writable, visit->context);
    }
    return true;
}

static void visit_register(uintptr_t start, uintptr_t end, void *context)
{
    const struct visit *visit = context;
    visit->visit(start, end, false, visit->context);
}

void leak_roots_each(const struct moat_state *state,
                     const struct leak_caller *caller,
                     const struct leak_gaps *gaps, leak_roots_visit visit,
                     void *context)
{
    struct visit all = { .region = &state->region,
                         .gaps = gaps,
                         .visit = visit,
                         .context = context };
    maps_each_range(visit_range, &all);
    /* Their stack pointers refer to stacks in blocks. */
    visit((uintptr_t)caller, (uintptr_t)(caller + 1), false, context);
    for (size_t i = 0; i < others_count(); i++) {
        const struct other *thread = others_at(i);
        if (thread != NULL) {
            visit((uintptr_t)thread, (uintptr_t)(thread + 1), false, context);
            context_each_register(thread->context, visit_register, &all);
        }
    }
}
