/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block records: one for each block of an arena, in the order of addresses,
 * kept outside the region.
 *
 * Starts of neighbouring blocks are at least 48 bytes apart (packed: 16 bytes
 * of block, 32 of canaries; fenced: a page), and a record takes 48 bytes. So
 * the records of an arena fit into as many bytes as the arena itself, and lie
 * at the same place of the range beside the region (see region.h) without any
 * allocation.
 */
#ifndef RECORD_BLOCK_H
#define RECORD_BLOCK_H

#include "record/actor.h"
#include "record/site.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum block_state {
    BLOCK_UNUSED = 0,
    BLOCK_LIVE = 1,
    /* Its pages are inaccessible. */
    BLOCK_REVOKED = 2,
    /* Its bytes are canary now. */
    BLOCK_STAMPED = 3,
    /* A thread is freeing it, which looks at its canaries: the pages are still
     * there. */
    BLOCK_ENDING = 4
};

/*
 * The traits of a block: its enum moat_family, and what the program itself has
 * done with the block's pages, by calls that are for pages; see
 * alloc/altered.h.
 */
enum block_trait {
    BLOCK_FAMILY = 3,
    /* mprotect(): they may be neither readable nor writable. */
    BLOCK_PROTECTED = 4,
    /* mlock(). */
    BLOCK_LOCKED = 8,
    /* They do not belong to the mapping around them any more: another mapping
     * lies there, or advice that splits it. */
    BLOCK_REMAPPED = 16,
    /* Its canaries may be gone, and looking for them may fault. */
    BLOCK_UNSTAMPED = 32,
    BLOCK_ALTERED
    = BLOCK_PROTECTED | BLOCK_LOCKED | BLOCK_REMAPPED | BLOCK_UNSTAMPED,
    /* What the last search for leaks has found, enum block_reach. */
    BLOCK_REACH = 64 | 128
};

enum block_reach {
    /* There was no search, or it has not come here. */
    BLOCK_UNREACHED = 0,
    BLOCK_REACHED = 64,
    /* Nothing refers to it. */
    BLOCK_LEAKED = 128,
    /* Only blocks that are leaked do. */
    BLOCK_LEAKED_WITH_OTHERS = 64 | 128
};

struct block_record {
    uintptr_t start;
    /* As asked for. */
    size_t bytes;
    /* Where a plain bump allocator would have put it in the arena. */
    size_t arena_offset;
    site_id alloc_site;
    site_id free_site;
    actor_id alloc_actor;
    actor_id free_actor;
    _Atomic uint8_t state;
    /* enum block_trait. Threads, and signal handlers, may add some at once. */
    _Atomic uint8_t traits;
    /* Canary bytes in front of the block (fenced), and behind it, slack
     * included. */
    uint8_t front_bytes;
    /* How often realloc() has made it larger; see large.h. */
    uint8_t growths;
    uint32_t tail_bytes;
};

_Static_assert(sizeof(struct block_record) == 48,
               "block records must fit beside the blocks they describe");

static inline bool block_has(const struct block_record *block,
                             enum block_trait traits)
{
    return (atomic_load_explicit(&block->traits, memory_order_relaxed)
            & (unsigned)traits)
           != 0;
}

static inline unsigned block_family(const struct block_record *block)
{
    return atomic_load_explicit(&block->traits, memory_order_relaxed)
           & BLOCK_FAMILY;
}

static inline enum block_reach block_reach(const struct block_record *block)
{
    return (enum block_reach)(atomic_load_explicit(&block->traits,
                                                   memory_order_relaxed)
                              & BLOCK_REACH);
}

static inline void block_set_reach(struct block_record *block,
                                   enum block_reach reach)
{
    uint8_t traits
        = atomic_load_explicit(&block->traits, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &block->traits, &traits,
        (uint8_t)((traits & ~(unsigned)BLOCK_REACH) | (unsigned)reach),
        memory_order_relaxed, memory_order_relaxed)) {
    }
}

static inline bool block_is_leaked(const struct block_record *block)
{
    return (block_reach(block) & BLOCK_LEAKED) != 0;
}

static inline bool block_is_freed(const struct block_record *block)
{
    uint8_t state = atomic_load_explicit(&block->state, memory_order_acquire);
    return state == BLOCK_REVOKED || state == BLOCK_STAMPED;
}

/*
 * Find the last of the COUNT BLOCKS that starts at or before ADDRESS: store
 * its index in *INDEX. Returns false when there is none. Async-signal-safe.
 */
static inline bool block_find(const struct block_record *blocks, size_t count,
                              uintptr_t address, size_t *index)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks[middle].start <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return false;
    }
    *index = low - 1;
    return true;
}

#endif
