/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arenas; see arena.h. Damage is looked for in arena_damage.c. */
#include "alloc/arena.h"

#include "alloc/arena_damage.h"
#include "alloc/extent.h"
#include "alloc/packed.h"
#include "base/canary.h"
#include "base/size.h"
#include "os/output.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "record/describe.h"

#include <errno.h>
#include <string.h>

/*
 * Pages are prepared for their guards in steps: a small arena's in one call,
 * so that all small arenas share one mapping; a large one's as it grows,
 * because a guard takes a page table entry.
 */
#define PREPARE_STEP ((size_t)256 << 10)

/*
 * An arena above 64 KiB arms pages ahead of need, one for each 16 it has, so
 * that the number of system calls grows with the logarithm of its size.
 */
enum { ARM_AHEAD_SHARE = 16 };

static struct {
    struct moat_state *state;
    const struct revoke_way *way;
} heap;

void arena_start(struct moat_state *state, const struct revoke_way *way,
                 size_t quarantine)
{
    heap.state = state;
    heap.way = way;
    extent_start(state, quarantine);
}

static void set_name(struct moat_arena *arena, const char *name)
{
    if (name == NULL) {
        name = "unnamed";
    }
    memset(arena->name, 0, sizeof arena->name);
    memcpy(arena->name, name, strnlen(name, sizeof arena->name - 1));
}

static void set_requested(struct moat_finding *finding,
                          const struct arena_request *request)
{
    struct moat_arena named;
    set_name(&named, request->name);
    finding->requested.is_known = true;
    finding->requested.is_arena = true;
    memcpy(finding->requested.name, named.name, sizeof named.name);
    finding->requested.base = (const void *)request->at;
    finding->requested.capacity = request->capacity;
}

static int take_extent(const struct arena_request *request,
                       size_t extent_bytes, struct moat_arena **arena,
                       struct moat_finding *finding)
{
    size_t page_bytes = heap.state->page_bytes;
    if (request->at == 0) {
        return extent_take(extent_bytes, arena);
    }
    if (request->at % page_bytes != 0 || request->at < page_bytes) {
        return EINVAL;
    }
    int error = extent_take_at(request->at - page_bytes, extent_bytes, arena);
    if (error == EEXIST) {
        describe_start(finding, MOAT_KIND_ARENA_OVERLAP, MOAT_ACCESS_CREATE,
                       MOAT_SEEN_AT_ACCESS, request->at);
        describe_arena(heap.state, *arena, finding);
        set_requested(finding, request);
    }
    return error;
}

int arena_create(const struct arena_request *request,
                 struct moat_arena **created, struct moat_finding *finding)
{
    size_t page_bytes = heap.state->page_bytes;
    size_t capacity;
    size_t reach_bytes;
    size_t extent_bytes;
    if (!size_round_up_checked(request->capacity, PACKED_UNIT, &capacity)
        || !packed_reach(capacity, page_bytes, &reach_bytes)
        || !size_add(reach_bytes, 2 * page_bytes, &extent_bytes)
        || extent_bytes > heap.state->region.bytes) {
        return ENOMEM;
    }
    struct moat_arena *arena;
    int error = take_extent(request, extent_bytes, &arena, finding);
    if (error != 0) {
        return error;
    }
    set_name(arena, request->name);
    /* Guards survive in an extent that is used again; see extent_take(). */
    arena->base = request->at != 0 ? request->at
                                   : arena->extent_start + page_bytes;
    arena->reach_bytes = reach_bytes;
    arena->way = heap.way;
    arena->capacity = capacity;
    arena->cursor = 0;
    arena->packed_end = 0;
    arena->is_unprepared = false;
    arena->blocks = region_blocks(&heap.state->region, arena->extent_start);
    arena->live_blocks = 0;
    arena->live_bytes = 0;
    arena->freed_bytes = 0;
    arena->slack_bytes = 0;
    arena->refused = 0;
    arena->create_site = request->site;
    arena->destroy_site = 0;
    arena->create_actor = actor_self(&heap.state->actors);
    arena->destroy_actor = 0;
    arena->has_blocks = true;
    atomic_store_explicit(&arena->armed_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&arena->block_count, 0, memory_order_relaxed);
    extent_publish(arena);
    *created = arena;
    return 0;
}

/*
 * Prepare pages up to NEEDED, counted from the extent's start. When the way
 * cannot, the pages stay PROT_NONE and mprotect() will arm them.
 */
static void prepare(struct moat_arena *arena, size_t needed)
{
    if (arena->is_unprepared || needed <= arena->prepared_bytes) {
        return;
    }
    size_t end = size_round_up(needed, PREPARE_STEP);
    if (end > arena->extent_bytes) {
        end = arena->extent_bytes;
    }
    int error
        = arena->way->prepare(arena->extent_start + arena->prepared_bytes,
                              end - arena->prepared_bytes);
    if (error == 0) {
        arena->prepared_bytes = end;
        return;
    }
    arena->is_unprepared = true;
    static atomic_flag is_said = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_said)) {
        output_message("warning: guard markers were refused; "
                       "using mprotect for some arenas");
    }
}

static int arm_pages(struct moat_arena *arena, uintptr_t start, uintptr_t end)
{
    prepare(arena, end - arena->extent_start);
    uintptr_t prepared_end = arena->extent_start + arena->prepared_bytes;
    uintptr_t middle = prepared_end < end ? prepared_end : end;
    int error = 0;
    if (start < middle) {
        error = arena->way->arm(start, middle - start);
    } else {
        middle = start;
    }
    if (error == 0 && middle < end) {
        error = pages_allow(middle, end - middle);
    }
    return error;
}

/* Make the first NEEDED bytes accessible, a multiple of the page size. */
static int arm(struct moat_arena *arena, size_t needed)
{
    size_t armed = arena->armed_bytes;
    size_t ahead = size_round_down(armed + armed / ARM_AHEAD_SHARE,
                                   heap.state->page_bytes);
    size_t wanted = ahead > needed ? ahead : needed;
    if (wanted > arena->reach_bytes) {
        wanted = arena->reach_bytes;
    }
    if (needed > arena->reach_bytes) {
        return ENOMEM;
    }
    int error
        = arm_pages(arena, arena->base + armed, arena->base + wanted);
    if (error == 0) {
        atomic_store_explicit(&arena->armed_bytes, wanted,
                              memory_order_release);
    }
    return error;
}

void *arena_allocate(struct moat_arena *arena, size_t alignment, size_t bytes,
                     site_id site, int *error)
{
    struct packed_fill fill = {
        .capacity = arena->capacity,
        .cursor = arena->cursor,
        .packed_end = arena->packed_end,
        .armed = arena->armed_bytes,
        .page_bytes = heap.state->page_bytes,
    };
    struct packed_place place;
    *error = ENOMEM;
    if (!packed_place(&fill, alignment, bytes, &place)) {
        arena->refused++;
        return NULL;
    }
    if (place.canary_end > fill.armed
        && arm(arena, size_round_up(place.canary_end, fill.page_bytes)) != 0) {
        arena->refused++;
        return NULL;
    }
    uintptr_t start = arena->base + place.start;
    uint64_t secret = heap.state->secret;
    canary_stamp(secret, arena->base + fill.packed_end, start);
    canary_stamp(secret, start + bytes, arena->base + place.canary_end);

    size_t index
        = atomic_load_explicit(&arena->block_count, memory_order_relaxed);
    struct block_record *block = &arena->blocks[index];
    block->start = start;
    block->bytes = bytes;
    block->arena_offset = place.arena_offset;
    block->tail_bytes = (uint32_t)(place.canary_end - place.start - bytes);
    block->alloc_site = site;
    block->alloc_actor = actor_self(&heap.state->actors);
    atomic_store_explicit(&block->state, BLOCK_LIVE, memory_order_relaxed);
    atomic_store_explicit(&arena->block_count, index + 1,
                          memory_order_release);

    arena->slack_bytes += place.next_cursor - arena->cursor - bytes;
    arena->cursor = place.next_cursor;
    arena->packed_end = place.canary_end;
    arena->live_blocks++;
    arena->live_bytes += bytes;
    return (void *)start;
}

/* What is wrong with freeing BLOCK, which is no live block of ARENA. */
static void describe_bad_free(struct moat_arena *arena, uintptr_t block,
                              struct moat_finding *finding)
{
    struct moat_state *state = heap.state;
    describe_start(finding, MOAT_KIND_BAD_FREE, MOAT_ACCESS_FREE,
                   MOAT_SEEN_AT_FREE, block);
    struct moat_arena *owner = NULL;
    if (region_contains(&state->region, block)) {
        owner = arena_record_at(&state->arenas,
                                region_owner(&state->region, block));
    }
    if (owner != NULL && arena_state_of(owner) != ARENA_UNUSED
        && describe_nearest(state, owner, finding) && owner == arena
        && finding->block.is_freed
        && finding->block.start == (const void *)block) {
        finding->kind = MOAT_KIND_DOUBLE_FREE;
    }
    if (arena != NULL && owner != arena) {
        finding->requested.is_known = true;
        finding->requested.is_arena = true;
        memcpy(finding->requested.name, arena->name, sizeof arena->name);
        finding->requested.base = (const void *)arena->base;
        finding->requested.capacity = arena->capacity;
    }
}

bool arena_free(struct moat_arena *arena, uintptr_t block, site_id site,
                struct moat_finding *finding)
{
    size_t index;
    if (arena == NULL
        || !block_find(arena->blocks, arena->block_count, block, &index)
        || arena->blocks[index].start != block
        || arena->blocks[index].state != BLOCK_LIVE) {
        describe_bad_free(arena, block, finding);
        return true;
    }
    struct block_record *record = &arena->blocks[index];
    bool is_damaged
        = arena_damage_around(heap.state, arena, index, finding);
    /* The check at exit may come while this runs: stamp, then say so. */
    canary_stamp(heap.state->secret, block, block + record->bytes);
    record->free_site = site;
    record->free_actor = actor_self(&heap.state->actors);
    atomic_store_explicit(&record->state, BLOCK_FREED, memory_order_release);
    arena->live_blocks--;
    arena->live_bytes -= record->bytes;
    arena->freed_bytes += record->bytes;
    return is_damaged;
}

bool arena_next_damage(struct moat_arena *arena, struct arena_sweep *sweep,
                       enum moat_seen seen, struct moat_finding *finding)
{
    if (sweep->has_pending) {
        arena_damage_repair(heap.state, finding);
        sweep->has_pending = false;
    }
    size_t count = arena->block_count;
    for (; sweep->gap <= count; sweep->gap++) {
        if (arena_damage_at(heap.state, arena, sweep->gap, seen, finding)) {
            sweep->has_pending = true;
            return true;
        }
    }
    *sweep = (struct arena_sweep){ .gap = 0 };
    return false;
}

int arena_end(struct moat_arena *arena, site_id site)
{
    /* The record first, then the pages: a racing access finds both. */
    arena->destroy_site = site;
    arena->destroy_actor = actor_self(&heap.state->actors);
    if (!extent_retire(arena)) {
        return EALREADY;
    }
    int error = 0;
    size_t armed = arena->armed_bytes;
    if (armed != 0) {
        bool fell_back;
        error = revoke_or_deny(arena->way, arena->base, armed, &fell_back);
        if (fell_back || arena->is_unprepared) {
            arena->prepared_bytes = 0;
        }
        arena->is_reusable = error == 0;
    }
    extent_quarantine(arena);
    return error;
}
