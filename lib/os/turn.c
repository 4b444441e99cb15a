/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns; see turn.h.
 *
 * Nobody is woken, since that would be a system call and an interruption for
 * each revocation: who finds the turn taken sleeps, and sees afterwards how
 * many turns the others have had. Where these revoke all the time it sleeps
 * again, twice as long, so that one thread gets much done before the next looks
 * in; and threads that meet so often begin with the longest sleep. Where they
 * revoke now and then, meeting was chance, and the shortest sleep will do; and
 * it goes ahead where nothing was done, for then the one that has the turn does
 * not run. One that has waited for long asks for the turn, and the others then
 * leave it alone.
 */
#include "os/turn.h"

#include "os/process.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum {
    /* Nanoseconds. The first is about what a timer is late by default. */
    FIRST_SLEEP = 50 * 1000,
    LONGEST_SLEEP = 8000 * 1000,
    /* Asks from here on, and then looks in often. */
    LONG_WAIT = 8000 * 1000,
    LONGEST_WAIT = 20 * 1000 * 1000,
    /* Two waits within this time are often. */
    OFTEN = 20 * 1000 * 1000,
    /* A turn in each so long is all the time: a pair takes up to 20 us, by
     * mprotect() on a slow machine. */
    ALL_THE_TIME = 24 * 1000
};

static _Atomic bool is_taken;
static _Atomic bool is_asked_for;
/* Turns that have ended; written by who has the turn. */
static _Atomic unsigned turns;

/* When this thread last waited for others that revoked all the time; 0: never.
 */
static __thread int64_t last_waited
    __attribute__((tls_model("initial-exec")));

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool try_to_take(void)
{
    bool taken = false;
    return atomic_compare_exchange_strong_explicit(
        &is_taken, &taken, true, memory_order_acquire, memory_order_relaxed);
}

/* What others did while this thread slept. */
enum pace {
    /* Who has the turn is at nothing: it has lost its processor. */
    PACE_NONE,
    PACE_NOW_AND_THEN,
    PACE_ALL_THE_TIME
};

static enum pace sleep_and_look(long sleep)
{
    struct timespec time = { .tv_nsec = sleep };
    unsigned before = atomic_load_explicit(&turns, memory_order_relaxed);
    int64_t began = now();
    nanosleep(&time, NULL);
    unsigned made
        = atomic_load_explicit(&turns, memory_order_relaxed) - before;
    return made == 0 ? PACE_NONE
           : (int64_t)made * ALL_THE_TIME < now() - began
               ? PACE_NOW_AND_THEN
               : PACE_ALL_THE_TIME;
}

static void wait_for_turn(void)
{
    int saved_errno = errno;
    bool is_often = last_waited != 0 && now() - last_waited < OFTEN;
    bool has_asked = false;
    enum pace pace;
    long waited = 0;
    long sleep = is_often ? LONGEST_SLEEP : FIRST_SLEEP;
    int state = process_begin_uncancelled();
    do {
        pace = sleep_and_look(sleep);
        waited += sleep;
        sleep = pace != PACE_ALL_THE_TIME   ? FIRST_SLEEP
                : 2 * sleep < LONGEST_SLEEP ? 2 * sleep
                                            : LONGEST_SLEEP;
        if (waited >= LONG_WAIT) {
            atomic_store_explicit(&is_asked_for, true, memory_order_relaxed);
            has_asked = true;
            sleep = FIRST_SLEEP;
        }
    } while (!try_to_take() && pace != PACE_NONE && waited < LONGEST_WAIT);
    if (has_asked) {
        atomic_store_explicit(&is_asked_for, false, memory_order_relaxed);
    }
    process_end_uncancelled(state);
    last_waited = pace == PACE_ALL_THE_TIME ? now() : 0;
    errno = saved_errno;
}

void turn_begin(void)
{
    if (atomic_load_explicit(&is_asked_for, memory_order_relaxed)
        || !try_to_take()) {
        wait_for_turn();
    }
}

void turn_end(void)
{
    /* Two that have it at once, which is rare, may count as one. */
    unsigned made = atomic_load_explicit(&turns, memory_order_relaxed);
    atomic_store_explicit(&turns, made + 1, memory_order_relaxed);
    atomic_store_explicit(&is_taken, false, memory_order_release);
}

void turn_reset_after_fork(void)
{
    is_taken = false;
    is_asked_for = false;
}
