/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filling findings; see describe.h. */
#include "record/describe.h"

#include "os/process.h"
#include "record/hole.h"

#include <string.h>

/* An access that leaves a block step by step meets the first inaccessible byte
 * by less than the widest register. */
enum { NEAR_BYTES = 64 };

void describe_start(struct moat_finding *finding, enum moat_kind kind,
                    enum moat_access access, enum moat_seen seen,
                    uintptr_t address)
{
    memset(finding, 0, sizeof *finding);
    finding->kind = kind;
    finding->access = access;
    finding->seen = seen;
    finding->has_address = true;
    finding->address = (const void *)address;
}

static struct moat_actor actor_of(const struct moat_state *state, actor_id id)
{
    struct moat_actor actor = { .is_known = false };
    const struct actor_record *record = actor_find(&state->actors, id);
    if (record != NULL) {
        actor.is_known = true;
        actor.thread = record->thread;
        actor.pid = record->pid;
        memcpy(actor.name, record->name, sizeof actor.name);
    }
    return actor;
}

void describe_self(struct moat_state *state, struct moat_finding *finding)
{
    finding->pid = process_id();
    finding->actor = actor_of(state, actor_self(&state->actors));
    finding->seed = state->seed;
}

void describe_other(const struct moat_state *state, actor_id actor,
                    site_id site, struct moat_finding *finding)
{
    finding->other = actor_of(state, actor);
    describe_site(state, site, &finding->stacks.other);
}

void describe_refusal(const struct moat_state *state,
                      struct moat_finding *finding)
{
    struct refusal last;
    if (refusal_last(&state->refusals, &last)) {
        finding->refused.number = last.number;
        finding->refused.size = last.bytes;
        memcpy(finding->refused.arena, last.arena,
               sizeof finding->refused.arena);
        finding->refused.asked_by = actor_of(state, last.actor);
        describe_site(state, last.site, &finding->stacks.refused);
    }
}

enum moat_where describe_where(uintptr_t address, uintptr_t start, size_t bytes,
                               size_t *bytes_away)
{
    if (address < start) {
        *bytes_away = start - address;
        return MOAT_WHERE_BEFORE;
    }
    if (address - start < bytes) {
        *bytes_away = address - start;
        return MOAT_WHERE_INSIDE;
    }
    *bytes_away = address - start - bytes;
    return MOAT_WHERE_AFTER;
}

void describe_site(const struct moat_state *state, site_id site,
                   struct moat_stack *stack)
{
    const uintptr_t *frames = NULL;
    size_t count = site_frames(&state->sites, site, &frames);
    stack->is_return_address = true;
    stack->frames = 0;
    while (stack->frames < count && stack->frames < MOAT_STACK_MAX) {
        stack->frame[stack->frames] = (const void *)frames[stack->frames];
        stack->frames++;
    }
}

static void describe_reset(const struct moat_state *state,
                           const struct moat_arena *arena,
                           struct moat_finding *finding)
{
    finding->arena.is_reset = true;
    finding->arena.reset_by = actor_of(state, arena->reset_actor);
    describe_site(state, arena->reset_site, &finding->stacks.reset);
}

void describe_arena(const struct moat_state *state,
                    const struct moat_arena *arena,
                    struct moat_finding *finding)
{
    if (arena->is_heap) {
        return;
    }
    uintptr_t address = (uintptr_t)finding->address;
    size_t bytes
        = atomic_load_explicit(&arena->armed_bytes, memory_order_relaxed);
    if (bytes == 0) {
        bytes = arena->capacity;
    }
    memcpy(finding->arena.name, arena->name, sizeof finding->arena.name);
    finding->arena.name[sizeof finding->arena.name - 1] = '\0';
    finding->arena.base = (const void *)arena->base;
    finding->arena.bytes = bytes;
    finding->arena.capacity = arena->capacity;
    finding->arena.offset = (long)(address - arena->base);
    finding->arena.is_destroyed = arena_state_of(arena) == ARENA_DESTROYED;
    finding->arena.created_by = actor_of(state, arena->create_actor);
    describe_site(state, arena->create_site, &finding->stacks.create);
    if (finding->arena.is_destroyed) {
        finding->arena.destroyed_by = actor_of(state, arena->destroy_actor);
        describe_site(state, arena->destroy_site, &finding->stacks.destroy);
    }
    if (arena_state_of(arena) == ARENA_RESET) {
        describe_reset(state, arena, finding);
    }
    finding->distance.where = describe_where(address, arena->base, bytes,
                                             &finding->distance.bytes);
}

void describe_block(const struct moat_state *state,
                    const struct moat_arena *arena, size_t index,
                    struct moat_finding *finding)
{
    describe_arena(state, arena, finding);
    const struct block_record *block = &arena->blocks[index];
    uintptr_t address = (uintptr_t)finding->address;
    finding->block.number = arena->is_heap ? block->arena_offset : index + 1;
    finding->block.size = block->bytes;
    finding->block.start = (const void *)block->start;
    finding->block.is_freed = block_is_freed(block);
    finding->block.allocated_by = actor_of(state, block->alloc_actor);
    describe_site(state, block->alloc_site, &finding->stacks.alloc);
    if (finding->block.is_freed) {
        finding->block.freed_by = actor_of(state, block->free_actor);
        describe_site(state, block->free_site, &finding->stacks.free);
    }
    finding->distance.where = describe_where(
        address, block->start, block->bytes, &finding->distance.bytes);
    if (arena->is_heap) {
        return;
    }
    /*
     * Counted as the capacity is: canaries do not exist there, so the offset
     * is the block's, plus the distance from its start.
     */
    finding->arena.offset
        = (long)block->arena_offset + (long)(address - block->start);
}

void describe_copy(const struct moat_state *state,
                   const struct block_record *copy, size_t number,
                   struct moat_finding *finding)
{
    finding->block.number = number;
    finding->block.size = copy->bytes;
    finding->block.start = (const void *)copy->start;
    finding->block.allocated_by = actor_of(state, copy->alloc_actor);
    describe_site(state, copy->alloc_site, &finding->stacks.alloc);
    finding->distance.where
        = describe_where((uintptr_t)finding->address, copy->start,
                         copy->bytes, &finding->distance.bytes);
}

/* How far ADDRESS is from BLOCK; SIZE_MAX when there is none. */
static size_t distance_from(const struct block_record *block,
                            uintptr_t address)
{
    size_t bytes = SIZE_MAX;
    if (atomic_load_explicit(&block->state, memory_order_acquire)
        != BLOCK_UNUSED) {
        enum moat_where where
            = describe_where(address, block->start, block->bytes, &bytes);
        if (where == MOAT_WHERE_INSIDE) {
            bytes = 0;
        }
    }
    return bytes;
}

/* The slot of ADDRESS, or the one before or behind it if that is closer. */
static bool describe_slot(const struct moat_state *state,
                          const struct moat_arena *arena, size_t count,
                          struct moat_finding *finding)
{
    uintptr_t address = (uintptr_t)finding->address;
    size_t here = address < arena->base
                      ? 0
                      : (address - arena->base) / arena->slot_bytes;
    size_t first = here > 0 ? here - 1 : 0;
    size_t nearest = 0;
    size_t least = SIZE_MAX;
    for (size_t index = first; index <= here + 1 && index < count; index++) {
        size_t bytes = distance_from(&arena->blocks[index], address);
        /* At the same distance the one before, whose end is that far. */
        if (bytes < least) {
            least = bytes;
            nearest = index;
        }
    }
    if (least == SIZE_MAX) {
        return false;
    }
    describe_block(state, arena, nearest, finding);
    return true;
}

bool describe_nearest(const struct moat_state *state,
                      const struct moat_arena *arena,
                      struct moat_finding *finding)
{
    uintptr_t address = (uintptr_t)finding->address;
    size_t count
        = atomic_load_explicit(&arena->block_count, memory_order_acquire);
    if (count == 0 || !arena->has_blocks) {
        describe_arena(state, arena, finding);
        return false;
    }
    if (arena->layout == ARENA_SLOTS) {
        return describe_slot(state, arena, count, finding);
    }
    size_t index = 0;
    if (block_find(arena->blocks, count, address, &index)
        && index + 1 < count) {
        /* Between two blocks: the one whose edge is closer. */
        const struct block_record *block = &arena->blocks[index];
        size_t from_end = 0;
        enum moat_where where = describe_where(address, block->start,
                                               block->bytes, &from_end);
        size_t from_next = arena->blocks[index + 1].start - address;
        if (where == MOAT_WHERE_AFTER && from_next <= from_end) {
            index++;
        }
    }
    describe_block(state, arena, index, finding);
    return true;
}

/* The block that ADDRESS was in before ARENA was reset or rewound. */
static bool find_taken_back(const struct moat_arena *arena, size_t count,
                            uintptr_t address, size_t *index)
{
    const struct block_record *stale = &arena->blocks[count];
    size_t place;
    if (!arena->has_blocks || count >= arena->stale_blocks
        || !block_find(stale, arena->stale_blocks - count, address, &place)
        || (address != stale[place].start
            && address - stale[place].start >= stale[place].bytes)) {
        return false;
    }
    *index = count + place;
    return true;
}

bool describe_taken_back(const struct moat_state *state,
                         const struct moat_arena *arena,
                         struct moat_finding *finding)
{
    size_t count
        = atomic_load_explicit(&arena->block_count, memory_order_acquire);
    size_t index;
    if (!find_taken_back(arena, count, (uintptr_t)finding->address, &index)) {
        return false;
    }
    describe_block(state, arena, index, finding);
    describe_reset(state, arena, finding);
    return true;
}

void describe_before_reset(const struct moat_state *state,
                           const struct moat_arena *arena,
                           struct moat_finding *finding)
{
    if (!describe_taken_back(state, arena, finding)) {
        memset(&finding->block, 0, sizeof finding->block);
        finding->stacks.alloc.frames = 0;
        finding->stacks.free.frames = 0;
        describe_arena(state, arena, finding);
        describe_reset(state, arena, finding);
    }
}

/* Whether ADDRESS was accessible once and is not now; *EDGE is where that
 * begins. */
static bool is_taken_back(const struct moat_state *state,
                          const struct moat_arena *arena, size_t count,
                          uintptr_t address, uintptr_t *edge)
{
    uintptr_t end;
    size_t index;
    size_t next = block_find(arena->blocks, count, address, &index) ? index + 1
                                                                    : 0;
    if (next < count) {
        return hole_before(arena, next, state->page_bytes, edge, &end)
               && address >= *edge && address < end;
    }
    *edge = arena->base + arena->armed_bytes;
    return address >= *edge && address - arena->base < arena->reset_bytes;
}

bool describe_stale(const struct moat_state *state,
                    const struct moat_arena *arena,
                    struct moat_finding *finding)
{
    uintptr_t address = (uintptr_t)finding->address;
    size_t count
        = atomic_load_explicit(&arena->block_count, memory_order_acquire);
    uintptr_t edge;
    size_t index;
    if (arena->is_heap || !arena->has_blocks
        || !is_taken_back(state, arena, count, address, &edge)) {
        return false;
    }
    /* Right behind a block of now: more likely that one is too short. In a
     * packed arena that shows at the first inaccessible byte. */
    bool is_near = finding->distance.bytes < state->page_bytes;
    if (is_near && arena->layout == ARENA_PACKED && arena->rewinds != 0
        && find_taken_back(arena, count, address, &index)) {
        is_near = address - edge < NEAR_BYTES;
    }
    if (count != 0 && is_near) {
        return false;
    }
    describe_before_reset(state, arena, finding);
    return true;
}
