/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arenas; see arena.h. Damage is looked for in arena_damage.c. */
#include "alloc/arena.h"

#include "alloc/arena_annotate.h"
#include "alloc/arena_damage.h"
#include "alloc/arena_mark.h"
#include "alloc/arena_pages.h"
#include "alloc/arena_user.h"
#include "alloc/bump.h"
#include "alloc/extent.h"
#include "alloc/packed.h"
#include "alloc/shortfall.h"
#include "base/canary.h"
#include "base/size.h"
#include "os/address_space.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "record/describe.h"

#include <errno.h>
#include <string.h>

/*
 * An arena above 64 KiB arms pages ahead of need, one for each 16 it has, so
 * that the number of system calls grows with the logarithm of its size.
 */
enum { ARM_AHEAD_SHARE = 16 };

/*
 * A packed arena that may grow has so many pages more: the block that fills it
 * is to end at a guard page each time.
 */
enum { FILLS_AT_GUARD = 16 };

/* One fenced arena takes at most this part of the region, unless it must. */
enum { REGION_SHARE = 16 };

static struct {
    struct moat_state *state;
    struct arena_settings settings;
    /* NULL: not tried yet. A program that does nothing does not need it. */
    _Atomic(const struct revoke_way *) sparse_way;
} heap;

void arena_start(struct moat_state *state,
                 const struct arena_settings *settings)
{
    heap.state = state;
    heap.settings = *settings;
    heap.sparse_way = settings->sparse_way;
    extent_start(state, settings->quarantine);
}

const struct revoke_way *arena_sparse_way(void)
{
    const struct revoke_way *way = heap.sparse_way;
    if (way == NULL) {
        /* Two threads find the same; a child of vfork() only what is left to
         * it. */
        way = revoke_sparse(heap.settings.way);
        if (!address_space_is_borrowed()) {
            heap.sparse_way = way;
        }
    }
    return way;
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

/* Slots see to their records themselves, and a large block has one. */
static size_t record_bytes_for(const struct arena_request *request)
{
    if (!request->is_heap) {
        return SIZE_MAX;
    }
    return request->layout == ARENA_SLOTS ? 0 : heap.state->page_bytes;
}

static int take_extent(const struct arena_request *request,
                       size_t extent_bytes, struct moat_arena **arena,
                       struct moat_finding *finding)
{
    size_t page_bytes = heap.state->page_bytes;
    if (request->at == 0) {
        return extent_take(extent_bytes, record_bytes_for(request), arena);
    }
    if (request->at % page_bytes != 0 || request->at < page_bytes) {
        return EINVAL;
    }
    int error = extent_take_at(request->at - page_bytes, extent_bytes, arena);
    if (error == EEXIST && (*arena)->is_heap) {
        /* Not a place for arenas. */
        return EINVAL;
    }
    if (error == EEXIST) {
        describe_start(finding, MOAT_KIND_ARENA_OVERLAP, MOAT_ACCESS_CREATE,
                       MOAT_SEEN_AT_ACCESS, request->at);
        describe_arena(heap.state, *arena, finding);
        set_requested(finding, request);
    }
    return error;
}

/*
 * How far from its base an arena can come. A fenced arena of many tiny blocks
 * would take 512 times its capacity; where the region is small for that, it
 * gets a part of it, and is full when that is.
 */
static bool reach_of(const struct arena_request *request, size_t capacity,
                     size_t *reach)
{
    size_t page_bytes = heap.state->page_bytes;
    if (request->is_heap) {
        /* One large block, or as many slots as fit. */
        return size_round_up_checked(capacity, page_bytes, reach);
    }
    if (request->layout == ARENA_PACKED) {
        bool may_grow = request->max_capacity > request->capacity;
        return packed_reach(capacity, page_bytes, reach)
               && (!may_grow
                   || size_add(*reach, FILLS_AT_GUARD * page_bytes, reach));
    }
    size_t share = heap.state->region.bytes / REGION_SHARE;
    if (!fence_reach(capacity, page_bytes, reach)) {
        return false;
    }
    if (*reach > share && 2 * capacity < share) {
        *reach = share;
    }
    return true;
}

/*
 * The way for an arena. Packed pages and large blocks are armed ahead of use
 * and may never be touched; they take a way that costs nothing until then.
 */
static const struct revoke_way *way_for(const struct arena_request *request)
{
    if (request->way != NULL) {
        return request->way;
    }
    bool is_sparse = request->layout == ARENA_PACKED
                     || (request->is_heap && request->layout == ARENA_FENCED);
    return is_sparse ? arena_sparse_way() : heap.settings.way;
}

int arena_create(const struct arena_request *request,
                 struct moat_arena **created, struct moat_finding *finding)
{
    size_t page_bytes = heap.state->page_bytes;
    size_t capacity;
    size_t max_capacity;
    size_t reach_bytes;
    size_t extent_bytes;
    if (!size_round_up_checked(request->capacity, BUMP_UNIT, &capacity)
        || !size_round_up_checked(request->max_capacity, BUMP_UNIT,
                                  &max_capacity)) {
        return ENOMEM;
    }
    if (max_capacity < capacity) {
        max_capacity = capacity;
    }
    if (!reach_of(request, max_capacity, &reach_bytes)
        || !size_add(reach_bytes, 2 * page_bytes, &extent_bytes)
        || extent_bytes > heap.state->region.bytes) {
        return ENOMEM;
    }
    struct moat_arena *arena;
    int error = take_extent(request, extent_bytes, &arena, finding);
    if (error != 0) {
        return error;
    }
    arena_pages_take_way(arena, way_for(request));
    set_name(arena, request->name);
    /* Guards survive in an extent that is used again; see extent_take(). */
    arena->base = request->at != 0 ? request->at
                                   : arena->extent_start + page_bytes;
    arena->reach_bytes = reach_bytes;
    if (!request->is_heap) {
        /* What the extent has more is room for what comes after a rewind. */
        arena->reach_bytes = arena->extent_start + arena->extent_bytes
                             - page_bytes - arena->base;
    }
    arena->layout = request->layout;
    arena->is_placed = request->at != 0;
    atomic_store_explicit(&arena->user, 0, memory_order_relaxed);
    atomic_store_explicit(&arena->has_raced, false, memory_order_relaxed);
    arena->is_shared = request->is_shared;
    arena->lock = (struct lock){ 0 };
    arena->is_heap = request->is_heap;
    arena->is_growing = false;
    arena->stays_prepared = false;
    arena->slot_bytes = 0;
    arena->has_canaries_only = false;
    arena->capacity = capacity;
    arena->max_capacity = max_capacity;
    arena->cursor = 0;
    arena->placed_end = 0;
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
    arena->reset_site = 0;
    arena->reset_actor = 0;
    arena->resets = 0;
    arena->era = arena_mark_new_era();
    arena->rewinds = 0;
    arena->kept_rewinds = 0;
    arena->reset_bytes = 0;
    arena->stale_blocks = 0;
    arena->has_blocks = true;
    atomic_store_explicit(&arena->armed_bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&arena->block_count, 0, memory_order_relaxed);
    arena_annotate_created(arena);
    extent_publish(arena);
    if (arena->is_shared) {
        arena_user_enlist(arena);
    }
    *created = arena;
    return 0;
}

int arena_grow(struct moat_arena *arena, size_t capacity)
{
    size_t rounded;
    if (!size_round_up_checked(capacity, BUMP_UNIT, &rounded)
        || rounded > arena->max_capacity) {
        return ENOMEM;
    }
    if (rounded < arena->capacity) {
        return EINVAL;
    }
    arena->capacity = rounded;
    return 0;
}

/* Where a block goes, and the canary bytes around it: addresses. */
struct placement {
    size_t arena_offset;
    size_t next_cursor;
    size_t placed_end;
    uintptr_t canary_start;
    uintptr_t start;
    uintptr_t canary_end;
};

/* Where the next block may start at the earliest, when that is not yet
 * accessible: behind a hole. Else where accessible bytes end. */
static size_t armed_end(const struct moat_arena *arena)
{
    size_t armed = arena->armed_bytes;
    return armed > arena->placed_end ? armed : arena->placed_end;
}

/* Make the bytes from there to NEEDED accessible, at least. */
static int arm_ahead(struct moat_arena *arena, size_t needed)
{
    size_t page_bytes = heap.state->page_bytes;
    size_t armed = armed_end(arena);
    size_t wanted
        = size_round_down(armed + armed / ARM_AHEAD_SHARE, page_bytes);
    needed = size_round_up(needed, page_bytes);
    if (wanted > arena->reach_bytes) {
        wanted = arena->reach_bytes;
    }
    if (wanted < needed) {
        wanted = needed;
    }
    int error = arena_pages_arm(arena, armed, wanted);
    if (error == 0) {
        atomic_store_explicit(&arena->armed_bytes, wanted,
                              memory_order_release);
    }
    return error;
}

static int place_packed(struct moat_arena *arena, size_t alignment,
                        size_t bytes, struct placement *placement)
{
    struct packed_fill fill = {
        .capacity = arena->capacity,
        .cursor = arena->cursor,
        .packed_end = arena->placed_end,
        .armed = armed_end(arena),
        .page_bytes = heap.state->page_bytes,
        .growth = arena->max_capacity - arena->capacity,
        .reach = arena->reach_bytes,
    };
    struct packed_place place;
    if (alignment < BUMP_UNIT) {
        alignment = BUMP_UNIT;
    }
    if (!packed_place(&fill, alignment, bytes, &place)) {
        return ENOMEM;
    }
    if (place.canary_end > fill.armed) {
        int error = arm_ahead(arena, place.canary_end);
        if (error != 0) {
            return error;
        }
    }
    *placement = (struct placement){
        .arena_offset = place.arena_offset,
        .next_cursor = place.next_cursor,
        .placed_end = place.canary_end,
        .canary_start = arena->base + arena->placed_end,
        .start = arena->base + place.start,
        .canary_end = arena->base + place.canary_end,
    };
    return 0;
}

/* What ALIGNMENT_DEFAULT means for BYTES in the fenced layout. */
static size_t default_alignment(size_t bytes)
{
    return heap.settings.alignment == ARENA_ALIGNMENT_NATURAL
               ? fence_natural_alignment(bytes, heap.state->page_bytes)
               : heap.settings.alignment;
}

static int place_fenced(struct moat_arena *arena, enum fence_placement side,
                        size_t alignment, size_t bytes,
                        struct placement *placement)
{
    size_t page_bytes = heap.state->page_bytes;
    size_t counted = alignment < BUMP_UNIT ? BUMP_UNIT : alignment;
    if (alignment == ARENA_ALIGNMENT_DEFAULT) {
        /* An option must not change at which call an arena is full. */
        alignment = default_alignment(bytes);
    }
    size_t data_start = arena->placed_end;
    if (alignment > page_bytes) {
        /* Only large blocks; the room for it is in the capacity. */
        data_start = size_round_up(arena->base + data_start, alignment)
                     - arena->base;
        side = FENCE_AFTER;
        alignment = page_bytes;
        counted = BUMP_UNIT;
    }
    struct fence_place place;
    if (!bump_place(arena->capacity, arena->cursor, counted, bytes,
                    &placement->arena_offset, &placement->next_cursor)
        || !fence_place(bytes, alignment, side, page_bytes, &place)) {
        return ENOMEM;
    }
    size_t data_end = data_start + place.data_bytes;
    if (place.data_bytes != 0) {
        int error = arena_pages_arm(arena, data_start, data_end);
        if (error != 0) {
            return error;
        }
        atomic_store_explicit(&arena->armed_bytes, data_end,
                              memory_order_release);
    }
    placement->start = arena->base + data_start + place.start;
    placement->canary_start = placement->start - place.front_bytes;
    placement->canary_end = placement->start + bytes + place.tail_bytes;
    placement->placed_end = data_end + page_bytes;
    return 0;
}

/* A NULL that the program goes on with is then known by its origin. */
static void note_refusal(struct moat_arena *arena, size_t bytes, site_id site)
{
    arena->refused++;
    if (arena->is_heap) {
        /* The heap tries something else first. */
        return;
    }
    struct refusal refusal = { .number = arena->block_count + 1,
                               .bytes = bytes,
                               .site = site,
                               .actor = actor_self(&heap.state->actors) };
    memcpy(refusal.arena, arena->name, sizeof refusal.arena);
    refusal_note(&heap.state->refusals, &refusal);
}

static void *allocate(struct moat_arena *arena, enum fence_placement side,
                      size_t alignment, size_t bytes, site_id site, int *error)
{
    struct placement placement;
    bool is_fenced = arena->layout != ARENA_PACKED;
    *error = is_fenced
                 ? place_fenced(arena, side, alignment, bytes, &placement)
                 : place_packed(arena, alignment, bytes, &placement);
    if (*error != 0) {
        /* EPERM, EACCES and the like: what a caller can do is the same. */
        *error = ENOMEM;
        note_refusal(arena, bytes, site);
        return NULL;
    }
    uint64_t secret = heap.state->secret;
    uintptr_t end = placement.start + bytes;
    canary_stamp(secret, placement.canary_start, placement.start);
    canary_stamp(secret, end, placement.canary_end);

    size_t index
        = atomic_load_explicit(&arena->block_count, memory_order_relaxed);
    struct block_record *block = &arena->blocks[index];
    block->start = placement.start;
    block->bytes = bytes;
    block->arena_offset = placement.arena_offset;
    block->front_bytes
        = is_fenced ? (uint8_t)(placement.start - placement.canary_start) : 0;
    atomic_store_explicit(&block->traits, 0, memory_order_relaxed);
    block->growths = 0;
    block->tail_bytes = (uint32_t)(placement.canary_end - end);
    block->alloc_site = site;
    block->alloc_actor = actor_self(&heap.state->actors);
    atomic_store_explicit(&block->state, BLOCK_LIVE, memory_order_relaxed);
    atomic_store_explicit(&arena->block_count, index + 1,
                          memory_order_release);

    arena->slack_bytes += placement.next_cursor - arena->cursor - bytes;
    arena->cursor = placement.next_cursor;
    arena->placed_end = placement.placed_end;
    arena->live_blocks++;
    arena->live_bytes += bytes;
    return (void *)placement.start;
}

/* Canaries are stamped on what is dead for other checkers. */
static __attribute__((noinline)) void *
allocate_annotated(struct moat_arena *arena, enum fence_placement side,
                   size_t alignment, size_t bytes, site_id site, int *error)
{
    checkers_pause();
    void *block = allocate(arena, side, alignment, bytes, site, error);
    checkers_resume();
    if (block != NULL && !arena->is_heap) {
        checkers_note_allocated(arena, (uintptr_t)block, bytes);
    }
    return block;
}

void *arena_allocate_on(struct moat_arena *arena, enum fence_placement side,
                        size_t alignment, size_t bytes, site_id site,
                        int *error)
{
    return checkers_are_there()
               ? allocate_annotated(arena, side, alignment, bytes, site, error)
               : allocate(arena, side, alignment, bytes, site, error);
}

void *arena_allocate(struct moat_arena *arena, size_t alignment, size_t bytes,
                     site_id site, int *error)
{
    return arena_allocate_on(
        arena, fence_turn(heap.settings.placement, arena->block_count),
        alignment, bytes, site, error);
}

void arena_describe_bad_free(const struct moat_arena *arena, uintptr_t block,
                             struct moat_finding *finding)
{
    struct moat_state *state = heap.state;
    describe_start(finding, MOAT_KIND_BAD_FREE, MOAT_ACCESS_FREE,
                   MOAT_SEEN_AT_FREE, block);
    struct moat_arena *owner = state_arena_at(state, block);
    bool is_known = owner != NULL && arena_state_of(owner) != ARENA_UNUSED;
    if (is_known && describe_nearest(state, owner, finding)
        && (owner == arena || (arena == NULL && owner->is_heap))
        && finding->block.is_freed
        && finding->block.start == (const void *)block) {
        finding->kind = MOAT_KIND_DOUBLE_FREE;
    }
    if (finding->kind == MOAT_KIND_BAD_FREE && is_known
        && arena_state_of(owner) == ARENA_LIVE
        && finding->distance.where != MOAT_WHERE_INSIDE) {
        describe_taken_back(state, owner, finding);
    }
    if (arena != NULL && owner != arena) {
        finding->requested.is_known = true;
        finding->requested.is_arena = true;
        memcpy(finding->requested.name, arena->name, sizeof arena->name);
        finding->requested.base = (const void *)arena->base;
        finding->requested.capacity = arena->capacity;
    }
}

void arena_revoke_block(struct moat_arena *arena, struct block_record *record)
{
    size_t page_bytes = heap.state->page_bytes;
    uintptr_t start = size_round_down(record->start, page_bytes);
    uintptr_t end = size_round_up(record->start + record->bytes, page_bytes);
    atomic_store_explicit(&record->state, BLOCK_REVOKED, memory_order_release);
    if (start == end
        || arena_pages_revoke(arena, start - arena->base, end - arena->base)
               == 0) {
        return;
    }
    canary_stamp(heap.state->secret, record->start,
                 record->start + record->bytes);
    atomic_store_explicit(&record->state, BLOCK_STAMPED, memory_order_release);
    shortfall_note(SHORTFALL_STAMPED);
}

bool arena_free(struct moat_arena *arena, uintptr_t block, site_id site,
                struct moat_finding *finding)
{
    size_t index;
    if (arena == NULL
        || !block_find(arena->blocks, arena->block_count, block, &index)
        || arena->blocks[index].start != block
        || arena->blocks[index].state != BLOCK_LIVE) {
        arena_describe_bad_free(arena, block, finding);
        return true;
    }
    struct block_record *record = &arena->blocks[index];
    arena_annotate_begin();
    bool is_damaged
        = arena_damage_around(heap.state, arena, index, finding);
    record->free_site = site;
    record->free_actor = actor_self(&heap.state->actors);
    if (arena->layout == ARENA_FENCED) {
        arena_revoke_block(arena, record);
    } else {
        /* The check at exit may come while this runs: stamp, then say so. */
        canary_stamp(heap.state->secret, block, block + record->bytes);
        atomic_store_explicit(&record->state, BLOCK_STAMPED,
                              memory_order_release);
    }
    arena_annotate_end();
    arena_annotate_freed(arena, block, record->bytes);
    arena->live_blocks--;
    arena->live_bytes -= record->bytes;
    arena->freed_bytes += record->bytes;
    return is_damaged;
}

struct arena_sweep arena_sweep_behind(const struct moat_arena *arena,
                                      size_t blocks)
{
    return (struct arena_sweep){ .gap
                                 = arena_damage_first_gap(arena, blocks) };
}

/* An overflow that went through a block and further is found in pieces. */
static void follow(struct arena_sweep *sweep, struct moat_finding *finding)
{
    if (sweep->reached == finding->block.number && sweep->reached != 0
        && arena_damage_goes_on(finding)) {
        finding->reached_from = sweep->reached_from;
    }
    sweep->reached = finding->reached.number;
    sweep->reached_from = finding->reached_from != 0 ? finding->reached_from
                                                     : finding->block.number;
}

static bool next_damage(struct moat_arena *arena, struct arena_sweep *sweep,
                        enum moat_seen seen, struct moat_finding *finding)
{
    if (sweep->has_pending) {
        arena_damage_repair(heap.state, finding);
        sweep->has_pending = false;
    }
    size_t gaps = arena_damage_gaps(arena);
    for (; sweep->gap < gaps; sweep->gap++) {
        if (arena_damage_at(heap.state, arena, sweep->gap, seen, finding)) {
            sweep->has_pending = true;
            follow(sweep, finding);
            return true;
        }
    }
    *sweep = (struct arena_sweep){ .gap = 0 };
    return false;
}

bool arena_next_damage(struct moat_arena *arena, struct arena_sweep *sweep,
                       enum moat_seen seen, struct moat_finding *finding)
{
    arena_annotate_begin();
    bool is_damaged = next_damage(arena, sweep, seen, finding);
    arena_annotate_end();
    return is_damaged;
}

int arena_end(struct moat_arena *arena, site_id site)
{
    /* The record first, then the pages: a racing access finds both. */
    arena->destroy_site = site;
    arena->destroy_actor = actor_self(&heap.state->actors);
    if (!extent_retire(arena)) {
        return EALREADY;
    }
    /* Who waits for it finds it destroyed. The record may be another arena's
     * once it is in the quarantine. */
    arena_user_go(arena);
    if (arena->is_shared) {
        arena_user_delist(arena);
    }
    arena_annotate_ended(arena);
    int error = arena_pages_close(arena);
    extent_quarantine(arena);
    return error;
}
