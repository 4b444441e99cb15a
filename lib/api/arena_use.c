/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls on arenas; see arena_use.h. */
#include "api/arena_use.h"

#include "alloc/arena.h"
#include "alloc/extent.h"
#include "api/runtime.h"
#include "os/lock.h"
#include "os/process.h"
#include "record/describe.h"

#include <errno.h>

/* How many arenas the thread is in a call on. */
static __thread unsigned inside __attribute__((tls_model("initial-exec")));

static enum arena_use come_in(void)
{
    inside++;
    return ARENA_USE_OUTER;
}

static void report_race(struct moat_arena *arena, enum moat_access access,
                        uint64_t other, const void *caller)
{
    struct moat_finding finding;
    describe_start(&finding, MOAT_KIND_DATA_RACE, access, MOAT_SEEN_AT_ACCESS,
                   arena->base);
    describe_arena(&moat_state, arena, &finding);
    describe_other(&moat_state, arena_user_actor(other),
                   arena_user_site(other), &finding);
    runtime_report(&finding, caller);
    runtime_halt();
}

/* Who was in a call in another process when that forked this one. */
static bool is_left_behind(uint64_t other)
{
    const struct actor_record *actor
        = actor_find(&moat_state.actors, arena_user_actor(other));
    return actor != NULL && actor->pid != process_id();
}

/*
 * OTHER is there. One report for an arena: with halt_on_error=0 a program that
 * has one race has many. From then on those that would change the arena wait
 * for each other, because Moat's own records are at stake too.
 */
static __attribute__((noinline)) enum arena_use
meet(struct moat_arena *arena, enum moat_access access, uint64_t word,
     uint64_t other, const void *caller)
{
    bool is_reader = access == MOAT_ACCESS_READ;
    int saved_errno = errno;
    enum arena_use use = ARENA_USE_NONE;
    while (runtime_is_living(arena)) {
        if (other == 0 || is_left_behind(other)) {
            if (arena_user_come(arena, &other, word)) {
                use = come_in();
                break;
            }
            continue;
        }
        bool is_other_reader = (other & ARENA_USER_READS) != 0;
        if (arena_user_actor(other) == arena_user_actor(word)
            || (is_reader && is_other_reader)) {
            use = ARENA_USE_INNER;
            break;
        }
        if (!atomic_exchange_explicit(&arena->has_raced, true,
                                      memory_order_relaxed)) {
            report_race(arena, access, other, caller);
        }
        if (is_reader || is_other_reader) {
            /* It may be in the hands of a visitor, for long. */
            use = ARENA_USE_INNER;
            break;
        }
        process_yield();
        other = 0;
    }
    errno = saved_errno;
    return use;
}

static __attribute__((noinline)) enum arena_use
wait_for(struct moat_arena *arena, uint64_t word)
{
    uint64_t user = atomic_load_explicit(&arena->user, memory_order_relaxed);
    if (user != 0 && arena_user_actor(user) == arena_user_actor(word)) {
        return ARENA_USE_INNER;
    }
    int saved_errno = errno;
    lock_take(&arena->lock);
    errno = saved_errno;
    atomic_store_explicit(&arena->user, word, memory_order_relaxed);
    return come_in();
}

enum arena_use arena_use_begin(struct moat_arena *arena,
                               enum moat_access access, site_id site,
                               const void *caller)
{
    if (!runtime_is_living(arena)) {
        return ARENA_USE_NONE;
    }
    uint64_t word = arena_user_word(actor_self(&moat_state.actors), site,
                                    access == MOAT_ACCESS_READ);
    uint64_t other = 0;
    enum arena_use use;
    if (arena->is_shared) {
        use = wait_for(arena, word);
    } else if (arena_user_come(arena, &other, word)) {
        use = come_in();
    } else {
        use = meet(arena, access, word, other, caller);
    }
    if (use != ARENA_USE_NONE && !runtime_is_living(arena)) {
        /* The one before was about to destroy it. */
        arena_use_end(arena, use);
        return ARENA_USE_NONE;
    }
    return use;
}

void arena_use_end(struct moat_arena *arena, enum arena_use use)
{
    if (use == ARENA_USE_OUTER) {
        inside -= inside > 0;
        arena_user_go(arena);
    }
}

void arena_use_end_for_good(struct moat_arena *arena, site_id site)
{
    inside -= inside > 0;
    arena_end(arena, site);
}

static void leave_if_own(struct moat_arena *arena, void *actor)
{
    uint64_t user = atomic_load_explicit(&arena->user, memory_order_relaxed);
    if (user != 0 && arena_user_actor(user) == *(actor_id *)actor) {
        arena_user_go(arena);
    }
}

void arena_use_abandon(void)
{
    if (inside > 0) {
        inside = 0;
        actor_id self = actor_self(&moat_state.actors);
        extent_each_living(leave_if_own, &self);
    }
}
