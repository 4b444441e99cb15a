/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large blocks: each fenced in an extent of its own, with the same records and
 * reports as slots. Its pages take memory only when they are touched, so that
 * a huge block of which little is used stays small.
 *
 * Thread-safe. errno may change.
 */
#ifndef ALLOC_LARGE_H
#define ALLOC_LARGE_H

#include "alloc/fence.h"
#include "record/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on growing blocks are moved page by page, see large_transfer(). */
#define LARGE_TRANSFER_BYTES ((size_t)128 << 10)
enum { LARGE_TRANSFER_GROWTHS = 3 };

void large_start(struct moat_state *state);

struct large_request {
    size_t bytes;
    /* Any power of two. */
    size_t alignment;
    /* At a guard page; above a page of alignment a block starts at its first
     * page whatever it is. */
    enum fence_placement side;
    /* Whether there shall be room to grow by large_transfer(). */
    bool is_growing;
    site_id site;
};

/*
 * Allocate a block of zeroes. Returns the record, of which the number is
 * missing; or NULL, with *IS_SHORT saying whether it is for want of mappings,
 * or of memory for pages, and not of addresses.
 */
struct block_record *large_allocate(const struct large_request *request,
                                    bool *is_short);

/*
 * Allocate BYTES that begin with what is in OLD, a live large block of OWNER,
 * by handing its pages over instead of copying them: possible when OLD was
 * made to grow, up to the power of two that its extent is. The block keeps its
 * place in its first page; so it need not end at the guard page, and the rest
 * of its last page is canary. OLD's pages are out of reach when this returns,
 * but OLD is not freed yet.
 *
 * Returns the record, of which the number is missing; or NULL, and OLD is as
 * it was.
 */
struct block_record *large_transfer(struct moat_arena *owner,
                                    const struct block_record *old,
                                    size_t bytes, site_id site);

/* The block of OWNER is freed: its pages become inaccessible. */
void large_free(struct moat_arena *owner, site_id site);

#endif
