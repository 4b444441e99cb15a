/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of an arena; see arena_pages.h. */
#include "alloc/arena_pages.h"

#include "alloc/arena_annotate.h"
#include "alloc/shortfall.h"
#include "base/size.h"
#include "os/address_space.h"
#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>

/*
 * Pages are prepared for their guards in steps: a small arena's in one call,
 * so that all small arenas share one mapping; a large one's as it grows,
 * because a guard takes a page table entry.
 */
#define PREPARE_STEP ((size_t)256 << 10)

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
    if (arena->layout != ARENA_SLOTS || !address_space_is_borrowed()) {
        /* Else the child of a vfork() gets a block elsewhere, see slots.c. */
        shortfall_note(SHORTFALL_UNPREPARED);
    }
}

void arena_pages_take_way(struct moat_arena *arena,
                          const struct revoke_way *way)
{
    if (arena->prepared_bytes != 0 && arena->way != way) {
        arena->prepared_bytes = 0;
        /* Where that is refused, mprotect() arms what is guarded already. */
        arena->is_unprepared
            = revoke_renew(arena->extent_start, arena->extent_bytes) != 0;
    } else {
        arena->is_unprepared = false;
    }
    arena->way = way;
}

void arena_pages_prepare(struct moat_arena *arena, size_t end)
{
    prepare(arena, arena->base + end - arena->extent_start);
}

/*
 * Arm prepared pages. Where userfaultfd refuses (a sandbox, the child of a
 * vfork() that has closed the descriptor), they are mapped anew for
 * mprotect().
 */
static int arm_prepared(struct moat_arena *arena, uintptr_t first,
                        uintptr_t last)
{
    int error = arena->way->arm(first, last - first);
    if (error == 0 || arena->way->is_sparse || error == ENOMEM) {
        return error;
    }
    arena->is_unprepared = true;
    error = revoke_renew(first, last - first);
    if (error == 0) {
        error = pages_provide(first, last - first);
    }
    shortfall_note(SHORTFALL_ARMED_BY_MPROTECT);
    return error;
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
        error = arm_prepared(arena, first, middle);
    } else {
        middle = first;
    }
    /* mprotect() may have revoked any of these pages, see below. */
    uintptr_t denied = arena->is_unprepared ? first : middle;
    if (error == 0 && denied < last) {
        error = pages_provide(denied, last - denied);
        if (error != 0 && first < middle) {
            /* All or nothing: no page is open that no block will have. */
            arena->way->revoke(first, middle - first);
        }
    }
    if (error == 0) {
        arena_annotate_pages(first, last - first);
    } else if (!arena->is_heap) {
        shortfall_note(SHORTFALL_REFUSED);
    }
    return error;
}

int arena_pages_revoke(struct moat_arena *arena, size_t start, size_t end)
{
    bool fell_back;
    arena_annotate_pages(arena->base + start, end - start);
    /*
     * Once the way has failed here, mprotect() does all of it: it revokes what
     * the way has armed, but the way not always what mprotect() has.
     */
    const struct revoke_way *way
        = arena->is_unprepared ? &revoke_mprotect : arena->way;
    int error
        = revoke_or_deny(way, arena->base + start, end - start, &fell_back);
    if (fell_back) {
        arena->is_unprepared = true;
        shortfall_note(SHORTFALL_REVOKED_BY_MPROTECT);
    }
    return error;
}

static int renew(struct moat_arena *arena)
{
    int error = revoke_renew(arena->extent_start, arena->extent_bytes);
    if (error == 0) {
        arena->prepared_bytes = 0;
    }
    return error;
}

/* Make what is accessible inaccessible. Returns whether all pages are as they
 * were when they had been prepared. */
static bool revoke_armed(struct moat_arena *arena, bool *is_open)
{
    size_t armed = arena->armed_bytes;
    *is_open = armed != 0 && arena_pages_revoke(arena, 0, armed) != 0;
    return !*is_open && !arena->is_unprepared;
}

/*
 * Mapped anew, an extent is one with what is reserved beside it. Of those that
 * wait there may be tens of thousands: with some pages prepared and some not,
 * each would be two mappings for as long as that.
 */
int arena_pages_close(struct moat_arena *arena)
{
    bool is_open;
    arena_annotate_pages(arena->base, arena->armed_bytes);
    arena->is_reusable = true;
    if (arena->stays_prepared && revoke_armed(arena, &is_open)) {
        return 0;
    }
    int error = renew(arena);
    if (error == 0 || revoke_armed(arena, &is_open)) {
        return 0;
    }
    if (is_open) {
        shortfall_note(SHORTFALL_LEFT_OPEN);
    }
    /* Where some pages have guards and some do not, nobody can go on. */
    arena->is_reusable = false;
    arena->prepared_bytes = 0;
    return error;
}
