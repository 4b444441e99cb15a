/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/arena.h */
#include <moat/arena.h>

#include "alloc/arena.h"
#include "alloc/arena_mark.h"
#include "alloc/arena_realloc.h"
#include "alloc/arena_reset.h"
#include "api/arena_use.h"
#include "api/roots.h"
#include "api/runtime.h"
#include "base/size.h"
#include "diagnose/classify.h"
#include "record/describe.h"

#include <errno.h>
#include <string.h>

/* A call with an arena that was destroyed: report it, and refuse. */
static void report_destroyed(const struct moat_arena *arena,
                             enum moat_kind kind, enum moat_access access,
                             enum moat_seen seen, const void *caller)
{
    struct moat_finding finding;
    describe_start(&finding, kind, access, seen, arena->base);
    describe_arena(&moat_state, arena, &finding);
    runtime_report(&finding, caller);
    runtime_halt();
}

/* The same with a pointer that is no arena and never was. */
static void report_no_arena(const struct moat_arena *arena,
                            enum moat_seen seen, const void *caller)
{
    struct moat_finding finding;
    classify_owner(&moat_state, (uintptr_t)arena, &finding);
    finding.kind = MOAT_KIND_BAD_FREE;
    finding.access = MOAT_ACCESS_FREE;
    finding.seen = seen;
    runtime_report(&finding, caller);
    runtime_halt();
}

/* A call that would end some or all of what ARENA, no living arena, has. */
static void refuse_ending(const struct moat_arena *arena, enum moat_kind kind,
                          enum moat_seen seen, const void *caller)
{
    if (runtime_is_destroyed(arena)) {
        report_destroyed(arena, kind, MOAT_ACCESS_FREE, seen, caller);
    } else {
        report_no_arena(arena, seen, caller);
    }
}

/* Any other call. Returns EINVAL. */
static int refuse_using(const struct moat_arena *arena, const void *caller)
{
    if (runtime_is_destroyed(arena)) {
        int saved_errno = errno;
        report_destroyed(arena, MOAT_KIND_USE_AFTER_UNMAP, MOAT_ACCESS_ALLOC,
                         MOAT_SEEN_AT_ACCESS, caller);
        errno = saved_errno;
    }
    return EINVAL;
}

static struct moat_arena *create(const struct moat_arena_config *config,
                                 const void *caller)
{
    runtime_start();
    if (config->capacity == 0
        || (config->layout != MOAT_LAYOUT_PACKED
            && config->layout != MOAT_LAYOUT_FENCED)
        || (config->sharing != MOAT_SHARING_NONE
            && config->sharing != MOAT_SHARING_LOCKED)
        || (config->max_capacity != 0
            && config->max_capacity < config->capacity)) {
        errno = EINVAL;
        return NULL;
    }
    struct arena_request request = {
        .name = config->name,
        .capacity = config->capacity,
        .max_capacity = config->max_capacity,
        .at = (uintptr_t)config->at,
        .layout = config->layout == MOAT_LAYOUT_FENCED ? ARENA_FENCED
                                                       : ARENA_PACKED,
        .is_shared = config->sharing == MOAT_SHARING_LOCKED,
        .site = runtime_site(caller),
    };
    struct moat_arena *arena = NULL;
    struct moat_finding finding;
    int saved_errno = errno;
    int error = arena_create(&request, &arena, &finding);
    if (error == EEXIST) {
        runtime_report(&finding, caller);
        runtime_halt();
    }
    roots_note_arena();
    errno = error != 0 ? error : saved_errno;
    return error == 0 ? arena : NULL;
}

struct moat_arena *moat_arena_create(const char *name, size_t capacity)
{
    struct moat_arena_config config = { .name = name, .capacity = capacity };
    return create(&config, __builtin_return_address(0));
}

struct moat_arena *
moat_arena_create_with(const struct moat_arena_config *config)
{
    if (config == NULL) {
        errno = EINVAL;
        return NULL;
    }
    return create(config, __builtin_return_address(0));
}

void moat_arena_destroy(struct moat_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    int saved_errno = errno;
    const void *caller = __builtin_return_address(0);
    site_id site = runtime_site(caller);
    if (arena_use_begin(arena, MOAT_ACCESS_FREE, site, caller)
        != ARENA_USE_NONE) {
        if (runtime_sweep(arena, MOAT_SEEN_AT_DESTROY, caller) > 0) {
            runtime_halt();
        }
        arena_use_end_for_good(arena, site);
    } else {
        refuse_ending(arena, MOAT_KIND_DOUBLE_FREE, MOAT_SEEN_AT_DESTROY,
                      caller);
    }
    errno = saved_errno;
}

void moat_arena_reset(struct moat_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    int saved_errno = errno;
    const void *caller = __builtin_return_address(0);
    site_id site = runtime_site(caller);
    enum arena_use use
        = arena_use_begin(arena, MOAT_ACCESS_FREE, site, caller);
    if (use != ARENA_USE_NONE) {
        if (runtime_sweep(arena, MOAT_SEEN_AT_RESET, caller) > 0) {
            runtime_halt();
        }
        arena_reset(&moat_state, arena, site);
        arena_use_end(arena, use);
    } else {
        refuse_ending(arena, MOAT_KIND_USE_AFTER_UNMAP, MOAT_SEEN_AT_RESET,
                      caller);
    }
    errno = saved_errno;
}

struct moat_mark moat_arena_mark(const struct moat_arena *arena)
{
    const void *caller = __builtin_return_address(0);
    /* Not const for us: it says who is in a call on it. */
    struct moat_arena *used = (struct moat_arena *)arena;
    enum arena_use use = arena_use_begin(used, MOAT_ACCESS_READ,
                                         runtime_site(caller), caller);
    if (use != ARENA_USE_NONE) {
        struct moat_mark mark = arena_mark(arena);
        arena_use_end(used, use);
        return mark;
    }
    errno = refuse_using(arena, caller);
    return (struct moat_mark){ .arena = NULL };
}

/* A mark that is none, or no longer, of ARENA. */
static void report_bad_mark(const struct moat_arena *arena,
                            const struct moat_mark *mark, const void *caller)
{
    struct moat_finding finding;
    classify_owner(&moat_state, (uintptr_t)mark->place, &finding);
    finding.kind = MOAT_KIND_BAD_FREE;
    finding.access = MOAT_ACCESS_FREE;
    finding.seen = MOAT_SEEN_AT_RESET;
    finding.requested.is_known = true;
    finding.requested.is_arena = true;
    finding.requested.base = (const void *)arena->base;
    finding.requested.capacity = arena->capacity;
    memcpy(finding.requested.name, arena->name, sizeof arena->name);
    runtime_report(&finding, caller);
    runtime_halt();
}

void moat_arena_rewind(struct moat_arena *arena, struct moat_mark mark)
{
    if (arena == NULL) {
        return;
    }
    int saved_errno = errno;
    const void *caller = __builtin_return_address(0);
    site_id site = runtime_site(caller);
    enum arena_use use
        = arena_use_begin(arena, MOAT_ACCESS_FREE, site, caller);
    if (use != ARENA_USE_NONE) {
        if (!arena_mark_is_good(arena, &mark)) {
            report_bad_mark(arena, &mark, caller);
            saved_errno = EINVAL;
        } else if (arena->block_count > mark.blocks) {
            if (runtime_sweep_behind(arena, mark.blocks, MOAT_SEEN_AT_RESET,
                                     caller)
                > 0) {
                runtime_halt();
            }
            arena_rewind(&moat_state, arena, &mark, site);
        }
        arena_use_end(arena, use);
    } else {
        refuse_ending(arena, MOAT_KIND_USE_AFTER_UNMAP, MOAT_SEEN_AT_RESET,
                      caller);
    }
    errno = saved_errno;
}

int moat_arena_grow(struct moat_arena *arena, size_t capacity)
{
    const void *caller = __builtin_return_address(0);
    enum arena_use use = arena_use_begin(arena, MOAT_ACCESS_ALLOC,
                                         runtime_site(caller), caller);
    if (use == ARENA_USE_NONE) {
        return refuse_using(arena, caller);
    }
    int error = arena_grow(arena, capacity);
    arena_use_end(arena, use);
    return error;
}

/* What a block holds from the start. */
enum contents { CONTENTS_ANY, CONTENTS_ZERO, CONTENTS_COPY };

/*
 * All allocations come through here; ALIGNMENT is as in alloc/arena.h. The
 * block is filled while the arena is still in use: another thread that resets
 * a shared one then comes before all of this call or behind it.
 */
static inline __attribute__((always_inline)) void *
allocate(struct moat_arena *arena, size_t alignment, size_t size,
         enum contents contents, const void *source, const void *caller)
{
    site_id site = runtime_site(caller);
    enum arena_use use
        = arena_use_begin(arena, MOAT_ACCESS_ALLOC, site, caller);
    if (use == ARENA_USE_NONE) {
        errno = refuse_using(arena, caller);
        return NULL;
    }
    int error;
    void *block = arena_allocate(arena, alignment, size, site, &error);
    if (block != NULL && contents == CONTENTS_ZERO) {
        memset(block, 0, size);
    } else if (block != NULL && contents == CONTENTS_COPY) {
        memcpy(block, source, size);
    }
    arena_use_end(arena, use);
    if (block == NULL) {
        errno = error;
    }
    return block;
}

void *moat_arena_alloc(struct moat_arena *arena, size_t size)
{
    return allocate(arena, ARENA_ALIGNMENT_DEFAULT, size, CONTENTS_ANY, NULL,
                    __builtin_return_address(0));
}

void *moat_arena_calloc(struct moat_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    bool fits = size_multiply(count, size, &bytes);
    /* What does not fit is still refused by the arena, which counts it. */
    return allocate(arena, ARENA_ALIGNMENT_DEFAULT, fits ? bytes : SIZE_MAX,
                    CONTENTS_ZERO, NULL, __builtin_return_address(0));
}

void *moat_arena_aligned_alloc(struct moat_arena *arena, size_t alignment,
                               size_t size)
{
    if (!size_is_power_of_two(alignment) || alignment > MOAT_ALIGNMENT_MAX) {
        errno = EINVAL;
        return NULL;
    }
    return allocate(arena, alignment, size, CONTENTS_ANY, NULL,
                    __builtin_return_address(0));
}

char *moat_arena_strdup(struct moat_arena *arena, const char *text)
{
    if (text == NULL) {
        errno = EINVAL;
        return NULL;
    }
    return allocate(arena, 1, strlen(text) + 1, CONTENTS_COPY, text,
                    __builtin_return_address(0));
}

/* What the program freed into, which is no living arena. */
static void describe_requested(const struct moat_arena *arena,
                               struct moat_finding *finding)
{
    finding->requested.is_known = true;
    finding->requested.base = arena;
    if (runtime_is_destroyed(arena)) {
        finding->requested.is_arena = true;
        finding->requested.base = (const void *)arena->base;
        finding->requested.capacity = arena->capacity;
        memcpy(finding->requested.name, arena->name, sizeof arena->name);
    }
}

void moat_arena_free(struct moat_arena *arena, void *block)
{
    if (block == NULL) {
        return;
    }
    int saved_errno = errno;
    const void *caller = __builtin_return_address(0);
    struct moat_finding finding;
    site_id site = runtime_site(caller);
    enum arena_use use
        = arena_use_begin(arena, MOAT_ACCESS_FREE, site, caller);
    struct moat_arena *living = use != ARENA_USE_NONE ? arena : NULL;
    bool is_wrong = arena_free(living, (uintptr_t)block, site, &finding);
    arena_use_end(arena, use);
    if (is_wrong) {
        if (living == NULL) {
            describe_requested(arena, &finding);
        }
        runtime_report(&finding, caller);
        runtime_halt();
    }
    errno = saved_errno;
}

void *moat_arena_realloc(struct moat_arena *arena, void *block, size_t size)
{
    const void *caller = __builtin_return_address(0);
    if (block == NULL) {
        return allocate(arena, ARENA_ALIGNMENT_DEFAULT, size, CONTENTS_ANY,
                        NULL, caller);
    }
    int saved_errno = errno;
    struct moat_finding finding;
    site_id site = runtime_site(caller);
    enum arena_use use
        = arena_use_begin(arena, MOAT_ACCESS_ALLOC, site, caller);
    struct moat_arena *living = use != ARENA_USE_NONE ? arena : NULL;
    void *moved;
    int error;
    bool is_wrong = arena_reallocate(living, (uintptr_t)block, size, site,
                                     &moved, &error, &finding);
    arena_use_end(arena, use);
    if (is_wrong) {
        if (living == NULL) {
            describe_requested(arena, &finding);
        }
        runtime_report(&finding, caller);
        runtime_halt();
    }
    errno = moved == NULL ? error : saved_errno;
    return moved;
}

size_t moat_arena_check(const struct moat_arena *arena)
{
    const void *caller = __builtin_return_address(0);
    /* Not const for us: damage that was reported is stamped anew. */
    struct moat_arena *used = (struct moat_arena *)arena;
    enum arena_use use = arena_use_begin(used, MOAT_ACCESS_WRITE,
                                         runtime_site(caller), caller);
    if (use == ARENA_USE_NONE) {
        errno = EINVAL;
        return 0;
    }
    size_t damaged = runtime_sweep(used, MOAT_SEEN_AT_CHECK, caller);
    arena_use_end(used, use);
    if (damaged > 0) {
        runtime_halt();
    }
    return damaged;
}

void *moat_arena_base(const struct moat_arena *arena)
{
    if (!runtime_is_living(arena) && !runtime_is_destroyed(arena)) {
        errno = EINVAL;
        return NULL;
    }
    return (void *)arena->base;
}

void *moat_arena_limit(const struct moat_arena *arena)
{
    if (!runtime_is_living(arena) && !runtime_is_destroyed(arena)) {
        errno = EINVAL;
        return NULL;
    }
    return (void *)(arena->base + arena->armed_bytes);
}
