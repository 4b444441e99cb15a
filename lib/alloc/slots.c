/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap; see slots.h. */
#include "alloc/slots.h"

#include "alloc/altered.h"
#include "alloc/arena.h"
#include "alloc/arena_damage.h"
#include "alloc/budget.h"
#include "alloc/canary_slots.h"
#include "alloc/large.h"
#include "alloc/numbers.h"
#include "alloc/shortfall.h"
#include "alloc/slot_cache.h"
#include "alloc/slot_class.h"
#include "alloc/slot_revoke.h"
#include "base/canary.h"
#include "os/address_space.h"
#include "os/checkers.h"
#include "os/revoke.h"
#include "os/turn.h"
#include "record/describe.h"

#include <errno.h>
#include <string.h>

/* Large blocks must stay sparse. */
#define MOST_FILLED ((size_t)64 << 10)

static struct {
    struct moat_state *state;
    const struct revoke_way *way;
    bool has_transfer;
    _Atomic size_t canaries_only;
} slots;

void slots_start(struct moat_state *state,
                 const struct slots_settings *settings)
{
    slots.state = state;
    slots.way = settings->way;
    slots.has_transfer = settings->has_transfer;
    altered_start(state);
    numbers_start(NULL);
    large_start(state);
    budget_start(settings->max_memory);
    slot_class_start(state, settings->quarantine, settings->way);
    slot_revoke_start(state);
    slot_cache_start(settings->spare_pages, settings->quarantine + 1);
    canary_slots_start(state, settings->quarantine);
}

/* What else looks at accesses learns of the block and its canaries. */
static void annotate(const struct block_record *block)
{
    checkers_note_dead(block->start - block->front_bytes,
                       block->front_bytes + block->bytes + block->tail_bytes);
    checkers_note_heap_allocated(block->start, block->bytes);
}

/* Let the world see the block. */
static void *publish(struct block_record *block,
                     const struct slots_request *request, size_t number)
{
    block->arena_offset = number;
    atomic_store_explicit(&block->traits, (uint8_t)request->family,
                          memory_order_relaxed);
    block->alloc_site = request->site;
    block->alloc_actor = actor_self(&slots.state->actors);
    if (checkers_are_there()) {
        annotate(block);
    }
    atomic_store_explicit(&block->state, BLOCK_LIVE, memory_order_release);
    return (void *)block->start;
}

static bool arm(struct slot_class *class, struct moat_arena *window,
                uintptr_t first, size_t data_bytes)
{
    if (data_bytes == 0) {
        return true;
    }
    bool splits = window->way == &revoke_mprotect;
    if (splits && !budget_take_mappings(false)) {
        return false;
    }
    int error = window->way->arm(first, data_bytes);
    if (error == 0) {
        slot_class_note_success(class);
        return true;
    }
    if (splits) {
        budget_give_mappings_back();
    }
    slot_class_note_failure(class, window);
    return false;
}

static struct block_record *allocate_slot(struct slot_class *class,
                                          const struct slots_request *request,
                                          const struct fence_place *place)
{
    size_t class_bytes = slot_class_pages(class) * slots.state->page_bytes;
    struct moat_arena *window;
    bool is_armed;
    slot_number slot = slot_cache_take(class, place->data_bytes == class_bytes,
                                       &window, &is_armed);
    if (slot == 0) {
        return NULL;
    }
    struct block_record *block = &window->blocks[slot - 1];
    uintptr_t first = window->base + slot_offset(window, slot);
    if (request->side == FENCE_AFTER) {
        first += class_bytes - place->data_bytes;
    }
    /* Who asks meanwhile is told that there is no block. */
    atomic_store_explicit(&block->state, BLOCK_UNUSED, memory_order_release);
    if (!is_armed && !arm(class, window, first, place->data_bytes)) {
        slot_cache_return(class, window, slot);
        return NULL;
    }
    uintptr_t start = first + place->start;
    uintptr_t end = start + request->bytes;
    if (is_armed && request->is_zeroed) {
        memset((void *)start, 0, request->bytes);
    }
    canary_stamp(slots.state->secret, start - place->front_bytes, start);
    if (place->tail_bytes > 0) {
        canary_stamp(slots.state->secret, end, end + place->tail_bytes);
    }
    block->start = start;
    block->bytes = request->bytes;
    block->front_bytes = (uint8_t)place->front_bytes;
    block->growths = 0;
    block->tail_bytes = (uint32_t)place->tail_bytes;
    return block;
}

static void *allocate_canaries_only(const struct slots_request *request,
                                    size_t number, enum shortfall reason)
{
    /* A large block wastes less than a page: it saves no memory. */
    size_t most = reason == SHORTFALL_OVER_MEMORY ? CANARY_SLOTS_SMALL
                                                  : CANARY_SLOTS_MOST;
    struct block_record *block
        = canary_slots_allocate(request->bytes, request->alignment, most);
    if (block == NULL) {
        return NULL;
    }
    if (request->is_zeroed) {
        memset((void *)block->start, 0, request->bytes);
    }
    atomic_fetch_add_explicit(&slots.canaries_only, 1, memory_order_relaxed);
    shortfall_note(reason);
    return publish(block, request, number);
}

static void *allocate_fenced(const struct slots_request *request,
                             size_t number, const struct fence_place *place,
                             bool *is_short)
{
    struct block_record *block = NULL;
    size_t page_bytes = slots.state->page_bytes;
    size_t pages = place->data_bytes / page_bytes;
    if (request->alignment <= page_bytes) {
        struct slot_class *class = slot_class_for(pages == 0 ? 1 : pages);
        if (class != NULL) {
            block = allocate_slot(class, request, place);
        }
    }
    if (block == NULL) {
        /* Too large, or slots are refused: other addresses, a sparse way. */
        struct large_request large = { .bytes = request->bytes,
                                       .alignment = request->alignment,
                                       .side = request->side,
                                       .is_growing = request->is_growing,
                                       .site = request->site };
        block = large_allocate(&large, is_short);
    }
    return block == NULL ? NULL : publish(block, request, number);
}

/*
 * The child of a clone() or _Fork(), of which no handler told: the guards are
 * brought back before anything is done. One load when there is nothing to do.
 */
static inline void adopt_address_space(void)
{
    if (address_space_is_new() && slots.way->adopt != NULL) {
        slots.way->adopt();
    }
}

static void *allocate(const struct slots_request *request, size_t number)
{
    size_t page_bytes = slots.state->page_bytes;
    adopt_address_space();
    struct fence_place place;
    size_t alignment
        = request->alignment < page_bytes ? request->alignment : page_bytes;
    if (!fence_place(request->bytes, alignment, request->side, page_bytes,
                     &place)) {
        return NULL;
    }
    void *block = NULL;
    bool is_within = budget_take(place.data_bytes);
    if (!is_within) {
        block = allocate_canaries_only(request, number, SHORTFALL_OVER_MEMORY);
        if (block != NULL) {
            return block;
        }
    }
    bool is_short;
    block = allocate_fenced(request, number, &place, &is_short);
    if (block == NULL) {
        if (is_within) {
            budget_give_back(place.data_bytes);
        }
        block
            = allocate_canaries_only(request, number, SHORTFALL_OVER_MAPPINGS);
        if (block == NULL && is_short) {
            shortfall_note(SHORTFALL_REFUSED);
        }
        return block;
    }
    if (!is_within) {
        /* Not before it is there: it may be as large as no memory is. */
        budget_force(place.data_bytes);
    }
    return block;
}

/* A string that is not terminated shall run into the guard page instead of a
 * lucky zero. */
static void fill(void *fresh, size_t bytes,
                 const struct slots_request *request)
{
    if (request->fill != 0 && !request->is_zeroed) {
        memset(fresh, request->fill,
               bytes < MOST_FILLED ? bytes : MOST_FILLED);
    }
}

static void *allocate_filled(const struct slots_request *request,
                             size_t number)
{
    void *block = allocate(request, number);
    if (block != NULL) {
        fill(block, request->bytes, request);
    }
    return block;
}

/* Canaries are stamped on what may be dead for other checkers. */
static __attribute__((noinline)) void *
allocate_annotated(const struct slots_request *request, size_t number)
{
    checkers_pause();
    void *block = allocate_filled(request, number);
    checkers_resume();
    return block;
}

/* Nothing comes of the request with that NUMBER. */
static void note_refusal(const struct slots_request *request, size_t number)
{
    struct refusal refusal = { .number = number,
                               .bytes = request->bytes,
                               .site = request->site,
                               .actor = actor_self(&slots.state->actors) };
    numbers_note_refusal();
    refusal_note(&slots.state->refusals, &refusal);
}

void *slots_allocate(const struct slots_request *request)
{
    size_t number;
    void *block = NULL;
    if (numbers_take(request->bytes, request->site, &number)) {
        block = checkers_are_there() ? allocate_annotated(request, number)
                                     : allocate_filled(request, number);
    }
    if (block == NULL) {
        note_refusal(request, number);
    }
    return block;
}

/* The record of BLOCK, if it is the start of a block of no arena. */
static struct block_record *find_block(uintptr_t block,
                                       struct moat_arena **owner)
{
    struct moat_arena *arena = state_arena_at(slots.state, block);
    if (arena == NULL || !arena->is_heap || block < arena->base
        || arena_state_of(arena) != ARENA_LIVE) {
        return NULL;
    }
    size_t index = arena->layout == ARENA_SLOTS
                       ? (block - arena->base) / arena->slot_bytes
                       : 0;
    if (index >= arena->block_count || arena->blocks[index].start != block) {
        return NULL;
    }
    *owner = arena;
    return &arena->blocks[index];
}

/*
 * Of two threads that free the same block, one is told that it is the second,
 * before either has looked at the canaries, whose pages go when it is freed.
 * Returns what BLOCK was: if it was live, it is the caller's.
 */
static enum block_state claim(struct block_record *block)
{
    uint8_t found = BLOCK_LIVE;
    atomic_compare_exchange_strong(&block->state, &found, BLOCK_ENDING);
    return (enum block_state)found;
}

/* Of BLOCK, which was no living one: RECORD is NULL, or it was FOUND. */
static void describe_second_free(const struct block_record *record,
                                 enum block_state found, uintptr_t block,
                                 struct moat_finding *finding)
{
    arena_describe_bad_free(NULL, block, finding);
    if (record != NULL && found == BLOCK_ENDING) {
        finding->kind = MOAT_KIND_DOUBLE_FREE;
    }
}

/* RECORD of OWNER is claimed. */
static inline __attribute__((always_inline)) void
free_claimed(struct moat_arena *owner, struct block_record *record,
             site_id site)
{
    struct page_span span = page_span_of(record, slots.state->page_bytes);
    record->free_site = site;
    record->free_actor = actor_self(&slots.state->actors);
    if (checkers_are_there()) {
        checkers_note_heap_freed(record->start, record->bytes);
    }
    /* An access that races with this finds the block freed. */
    atomic_store_explicit(&record->state, BLOCK_REVOKED, memory_order_release);
    if (owner->has_canaries_only) {
        if (block_has(record, BLOCK_ALTERED)) {
            altered_undo(record);
        }
        canary_slots_free(owner, record);
        return;
    }
    budget_give_back(span.end - span.start);
    if (owner->layout == ARENA_SLOTS) {
        slot_revoke_free(owner, record, span);
    } else {
        large_free(owner, site);
    }
}

bool slots_find(uintptr_t block, size_t *bytes)
{
    struct moat_arena *owner;
    const struct block_record *record = find_block(block, &owner);
    if (record == NULL || record->state != BLOCK_LIVE) {
        return false;
    }
    *bytes = record->bytes;
    return true;
}

/* Whether all is well around a living block, at one look; else a closer one is
 * to be taken. */
static inline bool has_intact_canaries(const struct block_record *block)
{
    uintptr_t end = block->start + block->bytes;
    uint64_t secret = slots.state->secret;
    return !block_has(block, BLOCK_ALTERED)
           && canary_is_intact(secret, block->start - block->front_bytes,
                               block->start)
           && (block->tail_bytes == 0
               || canary_is_intact(secret, end, end + block->tail_bytes));
}

/* Whether it may be freed as one of FAMILY. */
static inline bool is_of_family(const struct block_record *block,
                                enum moat_family family)
{
    unsigned allocated = block_family(block);
    return family == MOAT_FAMILY_UNKNOWN || allocated == family
           || allocated == MOAT_FAMILY_UNKNOWN;
}

static __attribute__((noinline)) bool
look_closer(const struct moat_arena *owner, const struct block_record *record,
            enum moat_family family, struct moat_finding *finding)
{
    size_t index = (size_t)(record - owner->blocks);
    if (arena_damage_around(slots.state, owner, index, finding)) {
        return true;
    }
    if (is_of_family(record, family)) {
        return false;
    }
    unsigned allocated = block_family(record);
    describe_start(finding, MOAT_KIND_ALLOC_DEALLOC_MISMATCH, MOAT_ACCESS_FREE,
                   MOAT_SEEN_AT_FREE, record->start);
    describe_block(slots.state, owner, index, finding);
    finding->mismatch.allocated_by = (enum moat_family)allocated;
    finding->mismatch.freed_by = family;
    return true;
}

/*
 * Whether RECORD, a living block of OWNER, is damaged or no block of FAMILY;
 * then *FINDING says so.
 */
static inline bool is_wrong_to_free(const struct moat_arena *owner,
                                    const struct block_record *record,
                                    enum moat_family family,
                                    struct moat_finding *finding)
{
    return !(has_intact_canaries(record) && is_of_family(record, family))
           && look_closer(owner, record, family, finding);
}

static bool free_block(uintptr_t block, enum moat_family family, site_id site,
                       struct moat_finding *finding)
{
    struct moat_arena *owner = NULL;
    adopt_address_space();
    struct block_record *record = find_block(block, &owner);
    enum block_state found = record != NULL ? claim(record) : BLOCK_UNUSED;
    if (found != BLOCK_LIVE) {
        describe_second_free(record, found, block, finding);
        return true;
    }
    bool is_wrong = is_wrong_to_free(owner, record, family, finding);
    free_claimed(owner, record, site);
    return is_wrong;
}

bool slots_free(uintptr_t block, enum moat_family family, site_id site,
                struct moat_finding *finding)
{
    if (!checkers_are_there()) {
        return free_block(block, family, site, finding);
    }
    checkers_pause();
    bool is_wrong = free_block(block, family, site, finding);
    checkers_resume();
    return is_wrong;
}

/* Whether OLD may be moved page by page to REQUEST. */
static bool may_transfer(const struct moat_arena *owner,
                         const struct block_record *old,
                         const struct slots_request *request, unsigned growths)
{
    return slots.has_transfer && owner->layout == ARENA_FENCED
           && !block_has(old, BLOCK_ALTERED)
           && old->bytes >= LARGE_TRANSFER_BYTES && request->bytes > old->bytes
           && growths >= LARGE_TRANSFER_GROWTHS
           && old->start % request->alignment == 0
           && request->alignment <= slots.state->page_bytes;
}

/*
 * The same bytes in a new block, of no more than both have. One that seems to
 * grow on gets room for it.
 */
static void *copy(const struct block_record *old,
                  const struct slots_request *request, size_t number,
                  unsigned growths)
{
    struct slots_request with_room = *request;
    with_room.is_growing = slots.has_transfer
                           && growths + 1 >= LARGE_TRANSFER_GROWTHS
                           && request->bytes >= LARGE_TRANSFER_BYTES
                           && request->alignment <= slots.state->page_bytes;
    void *moved = allocate_filled(&with_room, number);
    if (moved != NULL) {
        memcpy(moved, (const void *)old->start,
               old->bytes < request->bytes ? old->bytes : request->bytes);
    }
    return moved;
}

/* No new block: the old one lives on. Returns NULL. */
static void *keep_old(struct block_record *old,
                      const struct slots_request *request, size_t number)
{
    atomic_store_explicit(&old->state, BLOCK_LIVE, memory_order_release);
    note_refusal(request, number);
    return NULL;
}

void *slots_reallocate(uintptr_t block, const struct slots_request *request,
                       bool *is_wrong, struct moat_finding *finding)
{
    struct moat_arena *owner = NULL;
    struct moat_arena *new_owner = NULL;
    struct block_record *old = find_block(block, &owner);
    enum block_state found = old != NULL ? claim(old) : BLOCK_UNUSED;
    if (found != BLOCK_LIVE) {
        describe_second_free(old, found, block, finding);
        *is_wrong = true;
        return NULL;
    }
    *is_wrong = is_wrong_to_free(owner, old, request->family, finding);
    unsigned growths = old->growths;
    if (request->bytes > old->bytes && growths < UINT8_MAX) {
        growths++;
    }
    struct block_record *record = NULL;
    void *moved = NULL;
    size_t number;
    if (!numbers_take(request->bytes, request->site, &number)) {
        return keep_old(old, request, number);
    }
    if (may_transfer(owner, old, request, growths)) {
        record = large_transfer(owner, old, request->bytes, request->site);
    }
    if (record != NULL) {
        struct page_span span = page_span_of(record, slots.state->page_bytes);
        budget_force(span.end - span.start);
        moved = publish(record, request, number);
        fill((char *)moved + old->bytes, request->bytes - old->bytes, request);
    } else {
        moved = copy(old, request, number, growths);
        record
            = moved == NULL ? NULL : find_block((uintptr_t)moved, &new_owner);
    }
    if (moved == NULL) {
        return keep_old(old, request, number);
    }
    record->growths = (uint8_t)growths;
    free_claimed(owner, old, request->site);
    return moved;
}

void slots_count_blocks(size_t *fenced, size_t *canaries_only)
{
    struct numbers_counts counts = numbers_counts();
    *canaries_only = slots.canaries_only;
    *fenced = counts.taken - counts.refused - *canaries_only;
}

struct slots_counts slots_counts(void)
{
    size_t fenced;
    size_t canaries_only;
    slots_count_blocks(&fenced, &canaries_only);
    return (struct slots_counts){
        .fenced = fenced,
        .canaries_only = canaries_only,
        .not_moved = slot_revoke_not_moved(),
        .waiting = slot_class_waiting(),
        .memory = budget_taken(),
        .memory_peak = budget_peak(),
    };
}

void slots_before_fork(void)
{
    slot_class_before_fork();
    canary_slots_before_fork();
}

void slots_after_fork_in_parent(void)
{
    canary_slots_after_fork_in_parent();
    slot_class_after_fork_in_parent();
}

void slots_after_fork_in_child(void)
{
    turn_reset_after_fork();
    canary_slots_after_fork_in_child();
    slot_class_after_fork_in_child();
    slot_cache_after_fork_in_child();
}
