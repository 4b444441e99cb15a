/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arena records: what Moat remembers of an arena, living or destroyed. The
 * public handle `struct moat_arena *` points to one.
 *
 * Records lie in one table that never moves. A record of a destroyed arena
 * stays as it was until its addresses are used again.
 *
 * Protocol for readers without a lock (a signal handler): members are written
 * first, then published by a release store of STATE (arena) or BLOCK_COUNT
 * (blocks).
 */
#ifndef RECORD_ARENA_RECORD_H
#define RECORD_ARENA_RECORD_H

#include "os/lock.h"
#include "record/block.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct revoke_way;

enum arena_state {
    ARENA_UNUSED = 0,
    ARENA_LIVE = 1,
    ARENA_DESTROYED = 2,
    /* What another arena held before it was reset; no handle points here. */
    ARENA_RESET = 3
};

enum arena_layout {
    ARENA_PACKED = 0,
    ARENA_FENCED = 1,
    /* Slots of one size, used again and again: a class of alloc/slots. */
    ARENA_SLOTS = 2
};

enum { ARENA_NAME_BYTES = 64 };

/* A rewind: its number in the arena, and how many blocks it left. */
struct arena_rewind {
    size_t number;
    size_t blocks;
};

enum { ARENA_REWINDS = 8 };

/*
 *   extent_start      base          base + armed_bytes         extent end
 *   | guard page(s)   | blocks      | guarded, for later blocks |
 *
 * Packed: all of the blocks' part is accessible. Fenced and slots: there is a
 * guard page between any two blocks.
 */
struct moat_arena {
    _Atomic uint32_t state;
    char name[ARENA_NAME_BYTES];
    enum arena_layout layout;
    /*
     * Whether it is no arena of the program's, but holds blocks that belong to
     * none: a class of slots, or one large block (fenced). Reports leave the
     * arena out, and ARENA_OFFSET of a block is its number.
     */
    bool is_heap;
    /*
     * Of one large block: its pages and the room behind them were made in one
     * piece and can be handed over in one; see large.h.
     */
    bool is_growing;
    /* In slots: the data pages and the guard page behind them, and which class
     * of alloc/slot_class has them. */
    size_t slot_bytes;
    unsigned slot_class;
    /* Of slots: they have canaries only, no guard pages; see canary_slots.h. */
    bool has_canaries_only;
    /* Whether the program chose where it is. */
    bool is_placed;

    /* Who is in a call on it; see alloc/arena_user.h. */
    _Atomic uint64_t user;
    /* Whether two threads at once were reported. */
    _Atomic bool has_raced;
    /* Whether those that come wait for LOCK. */
    bool is_shared;
    struct lock lock;
    struct moat_arena *next_shared;

    /* All addresses that the arena holds: whole granules. */
    uintptr_t extent_start;
    size_t extent_bytes;
    /* Where the first block starts: a page boundary. */
    uintptr_t base;
    /* From BASE: the end of the last accessible page; grows. */
    _Atomic size_t armed_bytes;
    /* From the extent's start: what went through revoke_way->prepare(). */
    _Atomic size_t prepared_bytes;
    /* From BASE: what blocks and canaries can reach at most. */
    size_t reach_bytes;
    const struct revoke_way *way;

    /* As a plain bump allocator counts: see moat/arena.h. */
    size_t capacity;
    size_t cursor;
    /* What the capacity can become; the extent has room for that. */
    size_t max_capacity;
    /* From BASE: the end of the last block's canary, or of its guard page. */
    size_t placed_end;

    /* Whether prepare() failed: further pages are armed by mprotect(). */
    _Atomic bool is_unprepared;

    struct block_record *blocks;
    _Atomic size_t block_count;
    size_t live_blocks;
    size_t live_bytes;
    size_t freed_bytes;
    size_t slack_bytes;
    size_t refused;

    site_id create_site;
    site_id destroy_site;
    actor_id create_actor;
    actor_id destroy_actor;
    /* Of the last reset or rewind. */
    site_id reset_site;
    actor_id reset_actor;
    unsigned resets;
    /*
     * Of a living arena that was reset where it is, or rewound: how far from
     * BASE its pages ever were accessible, and how many block records of
     * before that there are; those that newer ones have not replaced are
     * still as they were.
     */
    size_t reset_bytes;
    size_t stale_blocks;
    /*
     * For marks: this life of the arena, which a reset ends; the rewinds since,
     * and those of them that a mark may be too young or too old for, each going
     * back less far than the next.
     */
    uint64_t era;
    size_t rewinds;
    unsigned kept_rewinds;
    struct arena_rewind rewind[ARENA_REWINDS];

    /* Destroyed arenas wait in a list, oldest first; numbers of records. */
    uint32_t older;
    uint32_t newer;
    bool is_retired;
    /* Whether the block records are still there. */
    bool has_blocks;
    /* Whether the extent may be used for another arena as it is. */
    bool is_reusable;
};

struct arena_table {
    /* Record 0 stays unused: number 0 means "none". */
    struct moat_arena *records;
    size_t capacity;
    _Atomic size_t used;
};

/* Make TABLE, empty. Returns 0 or a positive errno value. */
int arena_table_create(struct arena_table *table);

/* The record of NUMBER; NULL when NUMBER is 0 or beyond the table. */
static inline struct moat_arena *
arena_record_at(const struct arena_table *table, uint32_t number)
{
    return number == 0
                   || number >= atomic_load_explicit(&table->used,
                                                     memory_order_acquire)
               ? NULL
               : &table->records[number];
}

static inline uint32_t arena_record_number(const struct arena_table *table,
                                           const struct moat_arena *arena)
{
    return (uint32_t)(arena - table->records);
}

static inline enum arena_state arena_state_of(const struct moat_arena *arena)
{
    return (enum arena_state)atomic_load_explicit(&arena->state,
                                                  memory_order_acquire);
}

/*
 * Whether ARENA, any pointer at all, is a record that is or was an arena.
 * Follows it only when it points to a record. Async-signal-safe.
 */
bool arena_is_record(const struct arena_table *table,
                     const struct moat_arena *arena);

#endif
