/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking a freed slot: by its window's way, else by mprotect(), else by
 * stamping its bytes, each of which is counted (shortfall.h); then the slot
 * goes to the quarantine (slot_cache.h) unless it is as good as lost.
 *
 * Thread-safe; not for use in a signal handler. errno may change.
 */
#ifndef ALLOC_SLOT_REVOKE_H
#define ALLOC_SLOT_REVOKE_H

#include "base/size.h"
#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The pages that a block touches. */
struct page_span {
    uintptr_t start;
    uintptr_t end;
};

static inline struct page_span page_span_of(const struct block_record *block,
                                            size_t page_bytes)
{
    return (struct page_span){
        .start = size_round_down(block->start, page_bytes),
        .end = size_round_up(block->start + block->bytes, page_bytes),
    };
}

void slot_revoke_start(struct moat_state *state);

/* RECORD of WINDOW, the block of a slot, is claimed; SPAN are its pages. */
void slot_revoke_free(struct moat_arena *window, struct block_record *record,
                      struct page_span span);

/*
 * Make the accessible pages of a slot inaccessible where they are. RECORD is
 * that of the slot, of a freed block or of none yet. Returns whether the slot
 * can be used again.
 */
bool slot_revoke_in_place(struct moat_arena *window,
                          struct block_record *record, struct page_span span);

/* Pages of freed blocks that could not be moved to a spare slot. */
size_t slot_revoke_not_moved(void);

#endif
