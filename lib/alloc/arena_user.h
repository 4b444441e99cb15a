/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is in a call on an arena.
 *
 * An arena that is not shared is for one thread at a time. A word in it says
 * which thread is in a call, so that another one that comes meanwhile is
 * found; one that comes later is not another user, but the next. In a shared
 * arena those that come wait for a lock, and the word is for telling the
 * thread that has it already.
 *
 * The word: the site of the call, whether that only reads, and the actor.
 */
#ifndef ALLOC_ARENA_USER_H
#define ALLOC_ARENA_USER_H

#include "record/state.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ARENA_USER_IS_IN ((uint64_t)1 << 31)
#define ARENA_USER_READS ((uint64_t)1 << 30)

static inline uint64_t arena_user_word(actor_id actor, site_id site,
                                       bool is_reader)
{
    return (uint64_t)site << 32 | ARENA_USER_IS_IN
           | (is_reader ? ARENA_USER_READS : 0) | actor;
}

static inline actor_id arena_user_actor(uint64_t word)
{
    return (actor_id)(word & (ARENA_USER_READS - 1));
}

static inline site_id arena_user_site(uint64_t word)
{
    return (site_id)(word >> 32);
}

/* Come into ARENA, which is not shared, where *FOUND is; what is there instead
 * is stored in *FOUND. */
static inline bool arena_user_come(struct moat_arena *arena, uint64_t *found,
                                   uint64_t word)
{
    return atomic_compare_exchange_strong_explicit(
        &arena->user, found, word, memory_order_acquire, memory_order_relaxed);
}

/* Leave ARENA, shared or not. */
void arena_user_go(struct moat_arena *arena);

/* Let a fork wait for who is in ARENA, a shared one; and no longer. */
void arena_user_enlist(struct moat_arena *arena);
void arena_user_delist(struct moat_arena *arena);

/* The child of a fork gets each shared arena when nobody is in it, but for the
 * thread that forks. In the child after actor_forget_self_after_fork(). */
void arena_user_before_fork(struct moat_state *state);
void arena_user_after_fork_in_parent(void);
void arena_user_after_fork_in_child(struct moat_state *state);

#endif
