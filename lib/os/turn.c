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

struct turn turn;

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
    unsigned before = atomic_load_explicit(&turn.ended, memory_order_relaxed);
    int64_t began = now();
    nanosleep(&time, NULL);
    unsigned made
        = atomic_load_explicit(&turn.ended, memory_order_relaxed) - before;
    return made == 0 ? PACE_NONE
           : (int64_t)made * ALL_THE_TIME < now() - began
               ? PACE_NOW_AND_THEN
               : PACE_ALL_THE_TIME;
}

void turn_wait(void)
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
            atomic_store_explicit(&turn.is_asked_for, true,
                                  memory_order_relaxed);
            has_asked = true;
            sleep = FIRST_SLEEP;
        }
    } while (!turn_try() && pace != PACE_NONE && waited < LONGEST_WAIT);
    if (has_asked) {
        atomic_store_explicit(&turn.is_asked_for, false, memory_order_relaxed);
    }
    process_end_uncancelled(state);
    last_waited = pace == PACE_ALL_THE_TIME ? now() : 0;
    errno = saved_errno;
}

void turn_reset_after_fork(void)
{
    turn.is_taken = false;
    turn.is_asked_for = false;
}
