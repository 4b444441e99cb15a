/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The region: the one reserved address range in which every arena lives, and
 * from which the owner of any address is found.
 *
 * The range is divided into granules of 64 KiB, and 1024 granules make a span.
 * An owner is the number of an arena record; it is noted for each granule, or
 * for whole spans, so that an arena of a terabyte is 16384 notes and not 16
 * million. The table of granules is accessible only for spans that need it.
 *
 *   address - start --> span number    --> span_owner[] --> if mixed:
 *                       granule number --> granule_owner[]
 *
 * Beside the region lies a second range of the same size for block records:
 * those of the blocks in a range of the region lie at the same distance in
 * there (see block.h). It is out of reach of an overflow.
 *
 * Reading needs no lock and is async-signal-safe. Writing is for one thread at
 * a time.
 */
#ifndef RECORD_REGION_H
#define RECORD_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGION_GRANULE_SHIFT = 16, REGION_SPAN_SHIFT = 26 };

#define REGION_GRANULE ((size_t)1 << REGION_GRANULE_SHIFT)
#define REGION_SPAN ((size_t)1 << REGION_SPAN_SHIFT)

/* Of a span: its granules have owners of their own. */
#define REGION_MIXED UINT32_MAX

struct region {
    uintptr_t start;
    /* 0: nothing could be reserved. A multiple of a span. */
    size_t bytes;
    /* All that was reserved, the region and what lies beside it. */
    uintptr_t reserved_start;
    size_t reserved_bytes;
    _Atomic uint32_t *granule_owner;
    _Atomic uint32_t *span_owner;
    /* The range for block records, and what of it was made accessible last;
     * other pieces may be. */
    uintptr_t blocks_start;
    size_t usable_from;
    size_t usable_to;
    /* The same for the table of granules. */
    uintptr_t notes_from;
    uintptr_t notes_to;
};

/*
 * Reserve REGION: as much address space as the kernel and RLIMIT_AS allow, at
 * most BYTES, a power of two of at least a span.
 *
 * Returns 0, or the errno value for which not even one span could be had;
 * REGION is then empty.
 */
int region_reserve(struct region *region, size_t bytes);

/*
 * Make room for notes on the BYTES from START, whole granules, and the first
 * RECORD_BYTES of their block records accessible. To be done before
 * region_set_owner(). Returns 0 or a positive errno value.
 */
int region_allow(struct region *region, uintptr_t start, size_t bytes,
                 size_t record_bytes);

static inline bool region_contains(const struct region *region,
                                   uintptr_t address)
{
    return address - region->start < region->bytes;
}

/* Where the block records for START of the region are. */
static inline void *region_blocks(const struct region *region, uintptr_t start)
{
    return (void *)(region->blocks_start + (start - region->start));
}

/* The owner of ADDRESS, which is in the region; 0: nobody. */
static inline uint32_t region_owner(const struct region *region,
                                    uintptr_t address)
{
    size_t offset = address - region->start;
    uint32_t owner
        = atomic_load_explicit(&region->span_owner[offset >> REGION_SPAN_SHIFT],
                               memory_order_acquire);
    return owner != REGION_MIXED
               ? owner
               : atomic_load_explicit(
                     &region->granule_owner[offset >> REGION_GRANULE_SHIFT],
                     memory_order_acquire);
}

/*
 * Note OWNER for the BYTES from START, whole granules. The range must have no
 * owner, or be all that one owner has, or OWNER must be 0.
 */
void region_set_owner(struct region *region, uintptr_t start, size_t bytes,
                      uint32_t owner);

/*
 * The first owner found in the BYTES from START, whole granules; 0: nobody.
 */
uint32_t region_first_owner(const struct region *region, uintptr_t start,
                            size_t bytes);

#endif
