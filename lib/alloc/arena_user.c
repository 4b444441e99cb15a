/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is in an arena; see arena_user.h. */
#include "alloc/arena_user.h"

#include "os/lock.h"

#include <stddef.h>

/* Taken before the lock of any arena, and not while one is held. */
static struct {
    struct lock lock;
    struct moat_arena *first;
    /* The thread that forks, 0: none. It may be in a call itself, where a
     * visitor forks. */
    actor_id forking;
} shared;

void arena_user_go(struct moat_arena *arena)
{
    atomic_store_explicit(&arena->user, 0, memory_order_release);
    if (arena->is_shared) {
        lock_release(&arena->lock);
    }
}

void arena_user_enlist(struct moat_arena *arena)
{
    lock_take(&shared.lock);
    arena->next_shared = shared.first;
    shared.first = arena;
    lock_release(&shared.lock);
}

void arena_user_delist(struct moat_arena *arena)
{
    lock_take(&shared.lock);
    struct moat_arena **link = &shared.first;
    while (*link != NULL && *link != arena) {
        link = &(*link)->next_shared;
    }
    if (*link != NULL) {
        *link = arena->next_shared;
    }
    lock_release(&shared.lock);
}

static bool is_forking_in(const struct moat_arena *arena)
{
    uint64_t user = atomic_load_explicit(&arena->user, memory_order_relaxed);
    return shared.forking != 0 && user != 0
           && arena_user_actor(user) == shared.forking;
}

void arena_user_before_fork(struct moat_state *state)
{
    lock_take(&shared.lock);
    shared.forking = shared.first != NULL ? actor_self(&state->actors) : 0;
    for (struct moat_arena *arena = shared.first; arena != NULL;
         arena = arena->next_shared) {
        if (!is_forking_in(arena)) {
            lock_take(&arena->lock);
        }
    }
}

void arena_user_after_fork_in_parent(void)
{
    for (struct moat_arena *arena = shared.first; arena != NULL;
         arena = arena->next_shared) {
        if (!is_forking_in(arena)) {
            lock_release(&arena->lock);
        }
    }
    shared.forking = 0;
    lock_release(&shared.lock);
}

void arena_user_after_fork_in_child(struct moat_state *state)
{
    for (struct moat_arena *arena = shared.first; arena != NULL;
         arena = arena->next_shared) {
        if (is_forking_in(arena)) {
            /* The thread goes on in there, under another number. */
            uint64_t user = arena->user;
            arena->user
                = user - arena_user_actor(user) + actor_self(&state->actors);
        } else {
            arena->user = 0;
            lock_reset_after_fork(&arena->lock);
        }
    }
    shared.forking = 0;
    lock_reset_after_fork(&shared.lock);
}
