/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The region; see region.h. */
#include "record/region.h"

#include "base/size.h"
#include "os/books.h"
#include "os/pages.h"

#include <errno.h>

/*
 * Of the address space that RLIMIT_AS leaves, one part in four goes to Moat:
 * the program set the limit for itself.
 */
enum { SHARE_OF_LIMIT = 4 };

/*
 * Block records become accessible in steps, so that under strict commit
 * limits only what is used counts, and a core dump does not walk terabytes.
 */
#define BLOCKS_STEP ((size_t)16 << 20)

/*
 * Notes on granules that no arena needs become accessible, up to so many pages,
 * where that saves a mapping: arenas that take spans as a whole lie between
 * others.
 */
enum { NOTES_GAP = 64 };

static size_t owner_table_bytes(size_t region_bytes, int shift)
{
    return size_round_up((region_bytes >> shift) * sizeof(uint32_t),
                         pages_size());
}

/*
 * All in one mapping, because each costs every exec:
 *
 *   | up to a span | region | what is left of the span | records | granules |
 */
static int reserve_all(struct region *region, size_t bytes)
{
    size_t granule_bytes = owner_table_bytes(bytes, REGION_GRANULE_SHIFT);
    size_t all_bytes = REGION_SPAN + 2 * bytes + granule_bytes;
    uintptr_t all = 0;
    uintptr_t spans = 0;
    int error = pages_reserve(all_bytes, &all);
    if (error == 0) {
        error = books_take(owner_table_bytes(bytes, REGION_SPAN_SHIFT),
                           &spans);
    }
    if (error != 0) {
        if (all != 0) {
            pages_unmap(all, all_bytes);
        }
        return error;
    }
    pages_set_sparse(all, all_bytes);
    region->start = size_round_up(all, REGION_SPAN);
    region->bytes = bytes;
    region->reserved_start = all;
    region->reserved_bytes = all_bytes;
    region->granule_owner
        = (_Atomic uint32_t *)(all + all_bytes - granule_bytes);
    region->span_owner = (_Atomic uint32_t *)spans;
    region->blocks_start = all + REGION_SPAN + bytes;
    region->usable_from = 0;
    region->usable_to = 0;
    region->notes_from = (uintptr_t)region->granule_owner;
    region->notes_to = region->notes_from;
    return 0;
}

int region_reserve(struct region *region, size_t bytes)
{
    size_t left = pages_address_space_left();
    /* The region and the block records, each of this size. */
    while (bytes > REGION_SPAN
           && (bytes + REGION_SPAN) * 2 > left / SHARE_OF_LIMIT) {
        bytes /= 2;
    }
    for (;;) {
        int error = reserve_all(region, bytes);
        if (error == 0) {
            return 0;
        }
        if (bytes <= REGION_SPAN) {
            *region = (struct region){ .bytes = 0 };
            return error;
        }
        bytes /= 2;
    }
}

static int allow_records(struct region *region, size_t offset, size_t bytes)
{
    size_t end = size_round_up(offset + bytes, BLOCKS_STEP);
    if (end > region->bytes) {
        end = region->bytes;
    }
    /* An extent is aligned to its size, so the gap in front is no larger. */
    size_t gap = bytes > REGION_SPAN ? bytes : REGION_SPAN;
    bool is_near = offset >= region->usable_from
                   && offset <= region->usable_to + gap;
    if (bytes == 0 || (is_near && offset + bytes <= region->usable_to)) {
        return 0;
    }
    /*
     * One piece while arenas follow one another. One behind a window of slots,
     * or one that the program has placed, begins another.
     */
    size_t first
        = is_near ? region->usable_to : size_round_down(offset, BLOCKS_STEP);
    int error = pages_provide(region->blocks_start + first, end - first);
    if (error == 0) {
        region->usable_from = is_near ? region->usable_from : first;
        region->usable_to = end;
    }
    return error;
}

/* Make the notes from FIRST to END accessible, in one piece with the last ones
 * where those are near. */
static int allow_notes(struct region *region, uintptr_t first, uintptr_t end)
{
    bool is_near = first >= region->notes_from
                   && first <= region->notes_to + NOTES_GAP * pages_size();
    if (is_near && end <= region->notes_to) {
        return 0;
    }
    if (is_near) {
        first = region->notes_to;
    }
    int error = pages_provide(first, end - first);
    if (error == 0) {
        region->notes_from = is_near ? region->notes_from : first;
        region->notes_to = end;
    }
    return error;
}

/* The notes on granules of the spans that are not taken as a whole. */
static int allow_granules(struct region *region, size_t offset, size_t bytes)
{
    size_t page_bytes = pages_size();
    size_t per_span = REGION_SPAN >> REGION_GRANULE_SHIFT;
    int error = 0;
    for (size_t span = size_round_down(offset, REGION_SPAN);
         error == 0 && span < offset + bytes; span += REGION_SPAN) {
        bool is_whole = span >= offset && span + REGION_SPAN <= offset + bytes;
        _Atomic uint32_t *owner
            = &region->span_owner[span >> REGION_SPAN_SHIFT];
        if (is_whole || *owner == REGION_MIXED) {
            continue;
        }
        uintptr_t notes
            = (uintptr_t)&region->granule_owner[span >> REGION_GRANULE_SHIFT];
        error = allow_notes(region, size_round_down(notes, page_bytes),
                            size_round_up(notes + per_span * sizeof(uint32_t),
                                          page_bytes));
        if (error == 0) {
            atomic_store_explicit(owner, REGION_MIXED, memory_order_release);
        }
    }
    return error;
}

int region_allow(struct region *region, uintptr_t start, size_t bytes,
                 size_t record_bytes)
{
    size_t offset = start - region->start;
    int error = allow_granules(region, offset, bytes);
    return error != 0 ? error : allow_records(region, offset, record_bytes);
}

static void note(_Atomic uint32_t *place, uint32_t owner)
{
    atomic_store_explicit(place, owner, memory_order_release);
}

void region_set_owner(struct region *region, uintptr_t start, size_t bytes,
                      uint32_t owner)
{
    size_t offset = start - region->start;
    size_t end = offset + bytes;
    while (offset < end) {
        _Atomic uint32_t *span
            = &region->span_owner[offset >> REGION_SPAN_SHIFT];
        if (offset % REGION_SPAN == 0 && end - offset >= REGION_SPAN
            && *span != REGION_MIXED) {
            note(span, owner);
            offset += REGION_SPAN;
        } else {
            note(&region->granule_owner[offset >> REGION_GRANULE_SHIFT],
                 owner);
            offset += REGION_GRANULE;
        }
    }
}

uint32_t region_first_owner(const struct region *region, uintptr_t start,
                            size_t bytes)
{
    for (size_t offset = 0; offset < bytes; offset += REGION_GRANULE) {
        uint32_t owner = region_owner(region, start + offset);
        if (owner != 0) {
            return owner;
        }
    }
    return 0;
}
