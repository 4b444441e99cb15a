/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap; see heap.h. */
#include "api/heap.h"

#include "alloc/altered.h"
#include "alloc/arena.h"
#include "alloc/budget.h"
#include "alloc/shortfall.h"
#include "alloc/slots.h"
#include "api/runtime.h"
#include "api/tally.h"
#include "os/pages.h"
#include "record/state.h"

#include <errno.h>
#include <stdatomic.h>

static struct heap_settings heap;

/* What the program may have. */
static _Atomic size_t most_bytes = SIZE_MAX;

/* Counts blocks where sides alternate. */
static _Atomic size_t turns;

void heap_start(const struct heap_settings *settings)
{
    heap = *settings;
}

bool heap_is_ready(void)
{
    return runtime_is_started();
}

static struct slots_request request_for(size_t bytes, size_t alignment,
                                        bool is_zeroed,
                                        enum moat_family family,
                                        const void *caller)
{
    if (alignment == 0) {
        alignment = heap.alignment == ARENA_ALIGNMENT_NATURAL
                        ? fence_natural_alignment(bytes, pages_size())
                        : heap.alignment;
    }
    enum fence_placement side = heap.placement;
    if (side == FENCE_ALTERNATE) {
        side = fence_turn(
            side, atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed));
    }
    return (struct slots_request){ .bytes = bytes,
                                   .alignment = alignment,
                                   .side = side,
                                   .is_zeroed = is_zeroed,
                                   .fill = heap.fill,
                                   .family = heap.may_mismatch
                                                 ? MOAT_FAMILY_UNKNOWN
                                                 : family,
                                   .site = runtime_site(caller) };
}

static bool is_over_limit(size_t bytes)
{
    size_t most = atomic_load_explicit(&most_bytes, memory_order_relaxed);
    if (most == SIZE_MAX || bytes < BUDGET_LARGE) {
        return false;
    }
    size_t large = budget_taken_by_large();
    return bytes >= most || large >= most - bytes;
}

void *heap_allocate(size_t bytes, size_t alignment, bool is_zeroed,
                    enum moat_family family, const void *caller)
{
    int saved_errno = errno;
    runtime_start();
    if (is_over_limit(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    struct slots_request request
        = request_for(bytes, alignment, is_zeroed, family, caller);
    void *block = slots_allocate(&request);
    errno = block == NULL ? ENOMEM : saved_errno;
    return block;
}

void *heap_reallocate(void *block, size_t bytes, const void *caller)
{
    if (block == NULL) {
        return heap_allocate(bytes, 0, false, MOAT_FAMILY_MALLOC, caller);
    }
    int saved_errno = errno;
    bool is_wrong;
    struct moat_finding finding;
    runtime_start();
    if (is_over_limit(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    struct slots_request request
        = request_for(bytes, 0, false, MOAT_FAMILY_MALLOC, caller);
    void *moved
        = slots_reallocate((uintptr_t)block, &request, &is_wrong, &finding);
    if (is_wrong) {
        runtime_report(&finding, caller);
        runtime_halt();
    }
    errno = moved == NULL ? ENOMEM : saved_errno;
    return moved;
}

size_t heap_bytes(const void *block)
{
    size_t bytes;
    return slots_find((uintptr_t)block, &bytes) ? bytes : 0;
}

bool heap_holds(const void *address)
{
    return region_contains(&moat_state.region, (uintptr_t)address);
}

bool heap_meets(const void *start, size_t bytes)
{
    uintptr_t first = (uintptr_t)start;
    const struct region *region = &moat_state.region;
    return bytes != 0 && bytes <= UINTPTR_MAX - first
           && first < region->start + region->bytes
           && first + bytes > region->start && region->bytes != 0;
}

void heap_keep_unlocked(void)
{
    const struct region *region = &moat_state.region;
    if (region->bytes != 0) {
        /* All of it: the kernel counts what is locked in an int for each
         * mapping (seen with 6.18), so 16 terabytes are as good as none, and
         * only the same mappings take away what they have added. */
        pages_keep_unlocked(region->reserved_start, region->reserved_bytes);
    }
}

void heap_note_alteration(uintptr_t start, uintptr_t end,
                          enum heap_alteration what)
{
    static const uint8_t traits[] = {
        [HEAP_DROPPED] = 0,
        [HEAP_PROTECTED] = BLOCK_PROTECTED,
        [HEAP_LOCKED] = BLOCK_LOCKED,
        [HEAP_ADVISED] = BLOCK_REMAPPED,
        [HEAP_REPLACED] = BLOCK_REMAPPED | BLOCK_UNSTAMPED,
    };
    if (traits[what] != 0) {
        altered_note(start, end, traits[what]);
    }
}

bool heap_next_pages(uintptr_t *at, uintptr_t end, bool is_whole,
                     uintptr_t *start, uintptr_t *stop)
{
    struct altered_pages pages;
    bool is_found = altered_next(at, end, is_whole, &pages);
    if (is_found) {
        *start = pages.start;
        *stop = pages.end;
    }
    return is_found;
}

bool heap_owns(uintptr_t start, uintptr_t end)
{
    return altered_is_owned(start, end);
}

void heap_refill(uintptr_t start, uintptr_t end)
{
    altered_refill(start, end);
}

size_t heap_reserved_bytes(void)
{
    /* The region and its records, what they are aligned by, and a part of that
     * for all else. */
    size_t bytes = 2 * moat_state.region.bytes + REGION_SPAN;
    return bytes + bytes / 64;
}

void heap_limit(size_t most)
{
    most_bytes = most;
}

void heap_note_passed_through(void)
{
    shortfall_note(SHORTFALL_PASSED_THROUGH);
}

void heap_note_replaced(void)
{
    runtime_start();
    tally_note_own_malloc();
    shortfall_note(SHORTFALL_OWN_MALLOC);
}

void heap_free(void *block, enum moat_family family, const void *caller)
{
    int saved_errno = errno;
    struct moat_finding finding;
    runtime_start();
    if (slots_free((uintptr_t)block, family, runtime_site(caller), &finding)) {
        runtime_report(&finding, caller);
        runtime_halt();
    }
    errno = saved_errno;
}
