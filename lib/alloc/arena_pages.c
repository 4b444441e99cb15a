/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of an arena; see arena_pages.h. */
#include "alloc/arena_pages.h"

#include "base/size.h"
#include "os/output.h"
#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>

/*
 * Pages are prepared for their guards in steps: a small arena's in one call,
 * so that all small arenas share one mapping; a large one's as it grows,
 * because a guard takes a page table entry.
 */
#define PREPARE_STEP ((size_t)256 << 10)

/* Once for each process; a weaker way is not a reason to fill a log. */
static void say_once(atomic_flag *is_said, const char *message)
{
    if (!atomic_flag_test_and_set(is_said)) {
        output_message(message);
    }
}

/*
 * Prepare pages up to NEEDED, counted from the extent's start. When the way
 * cannot, the pages stay PROT_NONE and mprotect() will arm them.
 */
static void prepare(struct moat_arena *arena, size_t needed)
{
    if (arena->is_unprepared || needed <= arena->prepared_bytes) {
        return;
    }
    size_t end = size_round_up(needed, PREPARE_STEP);
    if (end > arena->extent_bytes) {
        end = arena->extent_bytes;
    }
    int error
        = arena->way->prepare(arena->extent_start + arena->prepared_bytes,
                              end - arena->prepared_bytes);
    if (error == 0) {
        arena->prepared_bytes = end;
        return;
    }
    arena->is_unprepared = true;
    static atomic_flag is_said = ATOMIC_FLAG_INIT;
    say_once(&is_said, "warning: pages could not be prepared for guards; "
                       "using mprotect for some arenas");
}

void arena_pages_prepare(struct moat_arena *arena, size_t end)
{
    prepare(arena, arena->base + end - arena->extent_start);
}

int arena_pages_arm(struct moat_arena *arena, size_t start, size_t end)
{
    if (end > arena->reach_bytes) {
        return ENOMEM;
    }
    uintptr_t first = arena->base + start;
    uintptr_t last = arena->base + end;
    prepare(arena, last - arena->extent_start);
    uintptr_t prepared_end = arena->extent_start + arena->prepared_bytes;
    uintptr_t middle = prepared_end < last ? prepared_end : last;
    int error = 0;
    if (first < middle) {
        error = arena->way->arm(first, middle - first);
    } else {
        middle = first;
    }
    /* mprotect() may have revoked any of these pages, see below. */
    uintptr_t denied = arena->is_unprepared ? first : middle;
    if (error == 0 && denied < last) {
        error = pages_allow(denied, last - denied);
        if (error != 0 && first < middle) {
            /* All or nothing: no page is open that no block will have. */
            arena->way->revoke(first, middle - first);
        }
    }
    if (error != 0) {
        static atomic_flag is_said = ATOMIC_FLAG_INIT;
        say_once(&is_said,
                 "warning: pages could not be made accessible (see "
                 "vm.max_map_count); allocations are refused");
    }
    return error;
}

int arena_pages_revoke(struct moat_arena *arena, size_t start, size_t end)
{
    bool fell_back;
    /*
     * Once the way has failed here, mprotect() does all of it: slots are armed
     * again, and then it must be known that no page has both, a marker that
     * mprotect() does not lift and a protection that arm() does not.
     */
    const struct revoke_way *way
        = arena->is_unprepared ? &revoke_mprotect : arena->way;
    int error = revoke_or_deny(way, arena->base + start, end - start,
                               &fell_back);
    if (fell_back) {
        arena->is_unprepared = true;
        static atomic_flag is_said = ATOMIC_FLAG_INIT;
        say_once(&is_said, "warning: guards could not be put back; "
                           "using mprotect for some pages");
    }
    return error;
}
