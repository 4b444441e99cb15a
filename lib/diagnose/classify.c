/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Classifying; see classify.h. */
#include "diagnose/classify.h"

#include "base/size.h"
#include "record/describe.h"

/* The arena, living or destroyed, that holds ADDRESS; NULL: none. */
static const struct moat_arena *holder_of(const struct moat_state *state,
                                          uintptr_t address)
{
    const struct moat_arena *arena = state_arena_at(state, address);
    return arena != NULL && arena_state_of(arena) != ARENA_UNUSED ? arena
                                                                  : NULL;
}

/*
 * The arena whose end lies closest below ADDRESS, which no arena holds: a
 * large overflow, or a wild one. Looks back over 64 MiB.
 */
static const struct moat_arena *holder_below(const struct moat_state *state,
                                             uintptr_t address)
{
    if (!region_contains(&state->region, address)) {
        return NULL;
    }
    for (size_t back = 0; back <= REGION_SPAN; back += REGION_GRANULE) {
        const struct moat_arena *arena = holder_of(state, address - back);
        if (arena != NULL) {
            return arena;
        }
    }
    return NULL;
}

/*
 * Guard pages of neighbours touch: an address behind ARENA may be closer to
 * the first block of the next arena, and one before it closer to the last
 * block of the previous. The program most likely came from there.
 */
static const struct moat_arena *closer_neighbour(
    const struct moat_state *state, const struct moat_arena *arena,
    const struct moat_finding *found)
{
    uintptr_t beside = found->distance.where == MOAT_WHERE_BEFORE
                           ? arena->extent_start - 1
                           : arena->extent_start + arena->extent_bytes;
    const struct moat_arena *neighbour = holder_of(state, beside);
    if (neighbour == NULL || arena_state_of(neighbour) != ARENA_LIVE
        || neighbour->block_count == 0) {
        return NULL;
    }
    struct moat_finding other;
    describe_start(&other, found->kind, found->access, found->seen,
                   (uintptr_t)found->address);
    describe_nearest(state, neighbour, &other);
    return other.distance.where != MOAT_WHERE_NOWHERE
                   && other.distance.bytes < found->distance.bytes
               ? neighbour
               : NULL;
}

static enum moat_kind kind_in_arena(const struct moat_arena *arena,
                                    const struct moat_finding *finding)
{
    if (finding->arena.is_destroyed) {
        return MOAT_KIND_USE_AFTER_UNMAP;
    }
    if (finding->arena.is_reset) {
        return MOAT_KIND_USE_AFTER_RESET;
    }
    if (arena->layout != ARENA_PACKED && finding->block.is_freed) {
        /* The pages are the block's own, its slack included. */
        return MOAT_KIND_HEAP_USE_AFTER_FREE;
    }
    switch (finding->distance.where) {
    case MOAT_WHERE_NOWHERE:
        return MOAT_KIND_SEGV;
    case MOAT_WHERE_AFTER:
        return MOAT_KIND_HEAP_BUFFER_OVERFLOW;
    case MOAT_WHERE_BEFORE:
        return MOAT_KIND_HEAP_BUFFER_UNDERFLOW;
    default:
        if (finding->block.number == 0) {
            /* Nothing has been allocated there yet. */
            return MOAT_KIND_HEAP_BUFFER_OVERFLOW;
        }
        /* Inside: the program has changed the protection of the page. */
        return finding->block.is_freed ? MOAT_KIND_HEAP_USE_AFTER_FREE
                                       : MOAT_KIND_SEGV;
    }
}

void classify_fault(const struct moat_state *state,
                    const struct classify_fault *fault,
                    struct moat_finding *finding)
{
    describe_start(finding, MOAT_KIND_SEGV, fault->access, MOAT_SEEN_AT_ACCESS,
                   fault->address);
    finding->has_address = fault->has_address;
    if (!fault->has_address) {
        return;
    }
    const struct moat_arena *arena = holder_of(state, fault->address);
    if (arena == NULL) {
        arena = holder_below(state, fault->address);
    }
    if (arena != NULL) {
        describe_nearest(state, arena, finding);
        if (arena_state_of(arena) == ARENA_LIVE
            && !describe_stale(state, arena, finding)
            && finding->distance.where != MOAT_WHERE_INSIDE) {
            const struct moat_arena *closer
                = closer_neighbour(state, arena, finding);
            if (closer != NULL) {
                arena = closer;
                describe_nearest(state, arena, finding);
            }
        }
        finding->kind = kind_in_arena(arena, finding);
    } else if (fault->is_stack_end) {
        finding->kind = MOAT_KIND_STACK_OVERFLOW;
    } else if (fault->address < CLASSIFY_NULL_BYTES) {
        finding->kind = MOAT_KIND_NULL_DEREFERENCE;
        describe_refusal(state, finding);
    }
}

bool classify_owner(const struct moat_state *state, uintptr_t address,
                    struct moat_finding *finding)
{
    describe_start(finding, MOAT_KIND_NONE, MOAT_ACCESS_UNKNOWN,
                   MOAT_SEEN_AT_ACCESS, address);
    const struct moat_arena *arena = holder_of(state, address);
    if (arena == NULL) {
        return false;
    }
    describe_nearest(state, arena, finding);
    return finding->block.number != 0 || finding->arena.base != NULL;
}

bool classify_is_of_live_block(const struct moat_state *state,
                               uintptr_t address)
{
    struct moat_finding finding;
    if (!classify_owner(state, address, &finding) || finding.block.number == 0
        || finding.block.is_freed || finding.arena.is_destroyed
        || finding.arena.is_reset) {
        return false;
    }
    uintptr_t start = (uintptr_t)finding.block.start;
    uintptr_t end = start + finding.block.size;
    return address >= size_round_down(start, state->page_bytes)
           && address < size_round_up(end, state->page_bytes);
}
