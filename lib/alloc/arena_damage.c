/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding damage and who did it; see arena_damage.h. */
#include "alloc/arena_damage.h"

#include "alloc/altered.h"
#include "alloc/packed.h"
#include "base/canary.h"
#include "os/pages.h"
#include "record/describe.h"
#include "record/hole.h"

#include <string.h>

/* Room for what lies on one side of a fenced block: slack of less than an
 * alignment of 4096, or 64 bytes. */
enum { PEEK_BYTES = 4096 };

/* Canary bytes, and the blocks on either side of them. */
struct gap {
    uintptr_t start;
    uintptr_t end;
    /* What of it is inaccessible; both at START: nothing. */
    uintptr_t hole_start;
    uintptr_t hole_end;
    bool has_before;
    bool has_behind;
    /* Index of the block behind; the one before is INDEX - 1. */
    size_t index;
};

static struct gap packed_gap(const struct moat_arena *arena, size_t number,
                             size_t page_bytes)
{
    const struct block_record *blocks = arena->blocks;
    struct gap gap = {
        .start = arena->base,
        .end = arena->base,
        .has_before = number > 0,
        .has_behind = number < arena->block_count,
        .index = number,
    };
    if (gap.has_before) {
        gap.start = blocks[number - 1].start + blocks[number - 1].bytes;
        gap.end = gap.start + blocks[number - 1].tail_bytes;
    }
    if (gap.has_behind) {
        gap.end = blocks[number].start;
    }
    gap.hole_start = gap.start;
    gap.hole_end = gap.start;
    if (gap.has_behind) {
        uintptr_t start;
        uintptr_t end;
        if (hole_before(arena, number, page_bytes, &start, &end)) {
            gap.hole_start = start;
            gap.hole_end = end;
        }
    }
    return gap;
}

/* Whether the pages of a fenced block are not there to be looked at, but by
 * the thread that is freeing it. */
static bool is_out_of_reach(const struct block_record *block)
{
    uint8_t state = atomic_load_explicit(&block->state, memory_order_acquire);
    return state != BLOCK_LIVE && state != BLOCK_STAMPED;
}

static bool is_gone(const struct block_record *block)
{
    return is_out_of_reach(block)
           && atomic_load_explicit(&block->state, memory_order_acquire)
                  != BLOCK_ENDING;
}

static struct gap fenced_gap(const struct moat_arena *arena, size_t number)
{
    size_t index = number / 2;
    const struct block_record *block = &arena->blocks[index];
    uintptr_t end = block->start + block->bytes;
    struct gap gap = { .start = 0, .end = 0 };
    if (is_gone(block)
        || (block_has(block, BLOCK_ALTERED) && !altered_open(block))) {
        /* Nothing to look at, or no way to. */
        return gap;
    }
    if (number % 2 == 0) {
        gap.start = block->start - block->front_bytes;
        gap.end = block->start;
        gap.has_behind = true;
        gap.index = index;
    } else {
        gap.start = end;
        gap.end = end + block->tail_bytes;
        gap.has_before = true;
        gap.index = index + 1;
    }
    return gap;
}

static struct gap gap_of(const struct moat_state *state,
                         const struct moat_arena *arena, size_t number)
{
    return arena->layout != ARENA_PACKED
               ? fenced_gap(arena, number)
               : packed_gap(arena, number, state->page_bytes);
}

size_t arena_damage_first_gap(const struct moat_arena *arena, size_t blocks)
{
    return arena->layout != ARENA_PACKED ? 2 * blocks : blocks;
}

size_t arena_damage_gaps(const struct moat_arena *arena)
{
    return arena->layout != ARENA_PACKED ? 2 * arena->block_count
                                         : arena->block_count + 1;
}

/*
 * At exit other threads may still be running, and free a fenced block while
 * it is being looked at. So look at a copy that the kernel makes, which does
 * not fault. A copy made while the pages went away may be of zeroes
 * (installing guard markers first drops the page); but the block says that it
 * is revoked before its pages are, so a block that is still live has a copy
 * that is true.
 */
static bool is_gap_intact(const struct moat_state *state,
                          const struct moat_arena *arena, size_t number,
                          const struct gap *gap, enum moat_seen seen)
{
    size_t bytes = gap->end - gap->start;
    if (bytes == 0) {
        return true;
    }
    if (arena->layout != ARENA_PACKED && seen == MOAT_SEEN_AT_EXIT) {
        unsigned char copy[PEEK_BYTES];
        if (bytes <= sizeof copy) {
            return !pages_peek(gap->start, bytes, copy)
                   || canary_is_copy_intact(state->secret, gap->start,
                                            gap->end, copy)
                   || is_out_of_reach(&arena->blocks[number / 2]);
        }
    }
    if (gap->hole_start < gap->hole_end) {
        return canary_is_intact(state->secret, gap->start, gap->hole_start)
               && canary_is_intact(state->secret, gap->hole_end, gap->end);
    }
    return canary_is_intact(state->secret, gap->start, gap->end);
}

/* The next run of damage in GAP from FROM on. */
static bool find_damage(const struct moat_state *state, const struct gap *gap,
                        uintptr_t from, uintptr_t *start, uintptr_t *end)
{
    if (gap->hole_start < gap->hole_end && from < gap->hole_end) {
        if (from < gap->hole_start
            && canary_find_damage(state->secret, from, gap->hole_start, start,
                                  end)) {
            return true;
        }
        from = gap->hole_end;
    }
    return canary_find_damage(state->secret, from, gap->end, start, end);
}

/*
 * Whether START in GAP lies where rewinding has taken blocks back, and no newer
 * one has come: behind the canary of the block before.
 */
static bool is_of_taken_back(const struct moat_arena *arena,
                             const struct gap *gap, uintptr_t start)
{
    if (arena->layout != ARENA_PACKED || arena->rewinds == 0
        || !gap->has_before
        || (gap->has_behind && gap->hole_start == gap->hole_end)) {
        return false;
    }
    uintptr_t canary = size_round_up(gap->start, BUMP_UNIT) + PACKED_CANARY;
    uintptr_t end = gap->has_behind ? gap->hole_start : gap->end;
    return start >= canary && start < end;
}

/* Whether the run [START, END) in GAP was written from the block behind it,
 * running down, rather than from the one before, running up. */
static bool is_underflow(const struct gap *gap, uintptr_t start, uintptr_t end)
{
    if (!gap->has_before || !gap->has_behind) {
        return !gap->has_before;
    }
    return gap->end - end < start - gap->start;
}

/* Whether the run [START, END) is all there is between two blocks. */
static bool fills(const struct gap *gap, uintptr_t start, uintptr_t end)
{
    return gap->has_before && gap->has_behind && start == gap->start
           && end == gap->end;
}

static void set_reached(const struct moat_arena *arena, const struct gap *gap,
                        struct moat_finding *finding)
{
    const struct block_record *block = &arena->blocks[gap->index];
    finding->reached.number = gap->index + 1;
    finding->reached.size = block->bytes;
    finding->reached.start = (const void *)block->start;
}

static void add_damage(struct moat_finding *finding, uintptr_t start,
                       uintptr_t end)
{
    if (finding->damage_ranges == MOAT_DAMAGE_MAX) {
        finding->has_more_damage = true;
        return;
    }
    struct moat_damage *damage = &finding->damage[finding->damage_ranges++];
    damage->start = (const void *)start;
    damage->bytes = end - start;
    damage->found_bytes = damage->bytes < sizeof damage->found
                              ? damage->bytes
                              : sizeof damage->found;
    /* Not by memcpy(): AddressSanitizer's looks whether this may be read. */
    const volatile unsigned char *found
        = (const volatile unsigned char *)start;
    for (size_t i = 0; i < damage->found_bytes; i++) {
        damage->found[i] = found[i];
    }
}

/* Collect the runs of damage in a gap that the same block is blamed for as
 * for the first one. */
static void collect(const struct moat_state *state, const struct gap *gap,
                    bool from_behind, uintptr_t start, uintptr_t end,
                    struct moat_finding *finding)
{
    do {
        if (is_underflow(gap, start, end) == from_behind) {
            add_damage(finding, start, end);
        }
    } while (find_damage(state, gap, end, &start, &end));
}

static void set_distances(struct moat_finding *finding)
{
    for (unsigned i = 0; i < finding->damage_ranges; i++) {
        struct moat_damage *damage = &finding->damage[i];
        bool has_block = finding->block.number != 0;
        damage->where = describe_where(
            (uintptr_t)damage->start,
            (uintptr_t)(has_block ? finding->block.start
                                  : finding->arena.base),
            has_block ? finding->block.size : finding->arena.bytes,
            &damage->distance);
    }
}

static bool is_gap_damaged(struct moat_state *state,
                           const struct moat_arena *arena, size_t number,
                           enum moat_seen seen, struct moat_finding *finding)
{
    struct gap gap = gap_of(state, arena, number);
    if (is_gap_intact(state, arena, number, &gap, seen)) {
        return false;
    }
    uintptr_t start = 0;
    uintptr_t end = 0;
    find_damage(state, &gap, gap.start, &start, &end);
    bool from_behind = is_underflow(&gap, start, end);
    if (is_of_taken_back(arena, &gap, start)) {
        describe_start(finding, MOAT_KIND_USE_AFTER_RESET, MOAT_ACCESS_WRITE,
                       seen, start);
        describe_before_reset(state, arena, finding);
        collect(state, &gap, from_behind, start, end, finding);
        set_distances(finding);
        return true;
    }
    describe_start(finding,
                   from_behind ? MOAT_KIND_HEAP_BUFFER_UNDERFLOW
                               : MOAT_KIND_HEAP_BUFFER_OVERFLOW,
                   MOAT_ACCESS_WRITE, seen, start);
    describe_block(state, arena, from_behind ? gap.index : gap.index - 1,
                   finding);
    if (fills(&gap, start, end)) {
        set_reached(arena, &gap, finding);
    }
    collect(state, &gap, from_behind, start, end, finding);
    set_distances(finding);
    return true;
}

static bool is_freed_block_damaged(struct moat_state *state,
                                   const struct moat_arena *arena,
                                   size_t index, enum moat_seen seen,
                                   struct moat_finding *finding)
{
    if (index >= arena->block_count
        || arena->blocks[index].state != BLOCK_STAMPED) {
        return false;
    }
    struct gap body = {
        .start = arena->blocks[index].start,
        .end = arena->blocks[index].start + arena->blocks[index].bytes,
    };
    if (canary_is_intact(state->secret, body.start, body.end)) {
        return false;
    }
    uintptr_t start = 0;
    uintptr_t end = 0;
    canary_find_damage(state->secret, body.start, body.end, &start, &end);
    describe_start(finding, MOAT_KIND_HEAP_USE_AFTER_FREE, MOAT_ACCESS_WRITE,
                   seen, start);
    describe_block(state, arena, index, finding);
    collect(state, &body, is_underflow(&body, start, end), start, end,
            finding);
    set_distances(finding);
    return true;
}

bool arena_damage_at(struct moat_state *state, const struct moat_arena *arena,
                     size_t gap, enum moat_seen seen,
                     struct moat_finding *finding)
{
    size_t index = arena->layout != ARENA_PACKED ? gap / 2 : gap;
    return is_gap_damaged(state, arena, gap, seen, finding)
           || is_freed_block_damaged(state, arena, index, seen, finding);
}

void arena_damage_repair(const struct moat_state *state,
                         const struct moat_finding *finding)
{
    for (unsigned i = 0; i < finding->damage_ranges; i++) {
        uintptr_t start = (uintptr_t)finding->damage[i].start;
        canary_stamp(state->secret, start, start + finding->damage[i].bytes);
    }
}

bool arena_damage_goes_on(const struct moat_finding *finding)
{
    return finding->kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW
           && finding->damage_ranges != 0
           && finding->damage[0].where == MOAT_WHERE_AFTER
           && finding->damage[0].distance == 0;
}

/* Whether damage fills all in front of block INDEX. */
static bool is_reached(const struct moat_state *state,
                       const struct moat_arena *arena, size_t index)
{
    if (arena->layout != ARENA_PACKED || index == 0) {
        return false;
    }
    struct gap gap = packed_gap(arena, index, state->page_bytes);
    uintptr_t start;
    uintptr_t end;
    return find_damage(state, &gap, gap.start, &start, &end)
           && fills(&gap, start, end);
}

bool arena_damage_around(struct moat_state *state,
                         const struct moat_arena *arena, size_t index,
                         struct moat_finding *finding)
{
    size_t front = arena->layout != ARENA_PACKED ? 2 * index : index;
    bool is_damaged
        = is_gap_damaged(state, arena, front + 1, MOAT_SEEN_AT_FREE, finding)
          || is_gap_damaged(state, arena, front, MOAT_SEEN_AT_FREE, finding);
    if (is_damaged) {
        if (arena_damage_goes_on(finding)
            && is_reached(state, arena, index)) {
            finding->reached_from = index;
        }
        arena_damage_repair(state, finding);
    }
    return is_damaged;
}
