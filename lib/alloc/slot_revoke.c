/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Revoking slots; see slot_revoke.h. */
#include "alloc/slot_revoke.h"

#include "alloc/altered.h"
#include "alloc/budget.h"
#include "alloc/shortfall.h"
#include "alloc/slot_cache.h"
#include "alloc/slot_class.h"
#include "base/canary.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "os/turn.h"

#include <errno.h>

static struct {
    struct moat_state *state;
    _Atomic size_t not_moved;
    /* A block was revoked and found out of reach. */
    _Atomic bool is_proven;
} slot_revoke;

void slot_revoke_start(struct moat_state *state)
{
    slot_revoke.state = state;
}

/*
 * Hand the pages of a freed slot to the slot that is allocated next. Returns
 * whether that revoked them.
 */
static bool make_spare(struct slot_class *class, struct moat_arena *window,
                       struct page_span span)
{
    size_t bytes = span.end - span.start;
    if (window->way->transfer == NULL
        || bytes != slot_class_pages(class) * slot_revoke.state->page_bytes) {
        return false;
    }
    slot_number spare = slot_cache_take_for_spare(class, window);
    if (spare == 0) {
        return false;
    }
    if (window->way->transfer(span.start,
                              window->base + slot_offset(window, spare), bytes)
        != 0) {
        atomic_fetch_add_explicit(&slot_revoke.not_moved, 1,
                                  memory_order_relaxed);
        slot_cache_return(class, window, spare);
        return false;
    }
    slot_cache_keep_spare(class, spare);
    return true;
}

/* The bytes of a block that stays accessible are canary from now on. */
static void stamp(struct block_record *record)
{
    if (record->state != BLOCK_UNUSED) {
        canary_stamp(slot_revoke.state->secret, record->start,
                     record->start + record->bytes);
        atomic_store_explicit(&record->state, BLOCK_STAMPED,
                              memory_order_release);
    }
    shortfall_note(SHORTFALL_STAMPED);
}

bool slot_revoke_in_place(struct moat_arena *window,
                          struct block_record *record, struct page_span span)
{
    bool fell_back;
    int error = revoke_or_deny(window->way, span.start, span.end - span.start,
                               &fell_back);
    if (error != 0) {
        stamp(record);
    } else if (fell_back) {
        shortfall_note(SHORTFALL_REVOKED_BY_MPROTECT);
    }
    if (window->way == &revoke_mprotect && error == 0) {
        budget_give_mappings_back();
    }
    return error == 0 && !fell_back;
}

static bool is_out_of_reach(struct page_span span)
{
    uintptr_t page = span.start;
    while (page < span.end && pages_touch(page) == EFAULT) {
        page += slot_revoke.state->page_bytes;
    }
    return page == span.end;
}

/*
 * Pages that the program has altered, and of which nothing can be undone. What
 * it has mapped there is not Moat's to write to: it may be a file.
 */
static void leave(struct block_record *record, struct page_span span)
{
    size_t bytes = span.end - span.start;
    if (pages_deny(span.start, bytes) == 0 || is_out_of_reach(span)) {
        shortfall_note(SHORTFALL_REVOKED_BY_MPROTECT);
    } else if (block_has(record, BLOCK_REMAPPED)
               || (block_has(record, BLOCK_PROTECTED)
                   && pages_allow(span.start, bytes) != 0)) {
        shortfall_note(SHORTFALL_NOT_STAMPED);
    } else {
        stamp(record);
    }
}

/*
 * slot_revoke_in_place() for pages that the program has altered. What cannot
 * be undone is mapped anew, and made ready as it was when the window was new;
 * so its mapping becomes one with those beside it again.
 */
static bool revoke_altered_slot(struct moat_arena *window,
                                struct block_record *record,
                                struct page_span span)
{
    size_t bytes = span.end - span.start;
    if (altered_undo(record)) {
        return slot_revoke_in_place(window, record, span);
    }
    if (revoke_renew(span.start, bytes) != 0) {
        leave(record, span);
        return false;
    }
    if (window->way == &revoke_mprotect) {
        budget_give_mappings_back();
    }
    return window->way->prepare(span.start, bytes) == 0;
}

static bool revoke_by_way(struct slot_class *class, struct moat_arena *window,
                          struct block_record *record, struct page_span span)
{
    if (block_has(record, BLOCK_ALTERED)) {
        return revoke_altered_slot(window, record, span);
    }
    return make_spare(class, window, span)
           || slot_revoke_in_place(window, record, span);
}

/*
 * At start a way is proven to guard a page, and not to guard one again that
 * was a block's, which would cost every start what the first free does here.
 */
static bool is_proven_revoked(struct page_span span)
{
    if (atomic_load_explicit(&slot_revoke.is_proven, memory_order_relaxed)) {
        return true;
    }
    int reach = pages_touch(span.start);
    if (reach == 0) {
        revoke_mprotect.revoke(span.start, span.end - span.start);
        shortfall_note(SHORTFALL_NOT_REVOKED);
        return false;
    }
    if (reach == EFAULT) {
        atomic_store_explicit(&slot_revoke.is_proven, true,
                              memory_order_relaxed);
    }
    return true;
}

void slot_revoke_free(struct moat_arena *window, struct block_record *record,
                      struct page_span span)
{
    struct slot_class *class = slot_class_of(window);
    bool can_be_used_again = true;
    if (span.start != span.end) {
        turn_begin();
        can_be_used_again = revoke_by_way(class, window, record, span)
                            && is_proven_revoked(span);
        turn_end();
    }
    if (can_be_used_again) {
        slot_number slot = (slot_number)(record - window->blocks + 1);
        slot_cache_give(class, window, slot);
    } else {
        /* Not for the window's way any more: it stays as it is. */
        slot_class_note_failure(class, window);
    }
}

size_t slot_revoke_not_moved(void)
{
    return slot_revoke.not_moved;
}
