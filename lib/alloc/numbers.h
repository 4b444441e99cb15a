/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers: each allocation of the heap has one, counted from 1, which is the
 * number of its block in reports; and what the options stop_at, fail_at and
 * fail_rate make of some of them. One that is refused has a number too, so
 * that the numbers behind it do not change with the reason.
 *
 * Which of them chance refuses is a function of the seed and the number alone:
 * the same in each run that asks in the same order, with any number of
 * threads, and in both processes of a fork(), which both count on.
 *
 * Thread-safe; async-signal-safe.
 */
#ifndef ALLOC_NUMBERS_H
#define ALLOC_NUMBERS_H

#include "record/site.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An allocation, before it is made. */
struct numbers_request {
    size_t number;
    size_t bytes;
    site_id site;
};

struct numbers_settings {
    /* Allocation numbers; 0: none. */
    size_t stop_at;
    size_t fail_at;
    /* Refuse one in so many; 0: none. */
    size_t fail_rate;
    uint64_t seed;
    /* Called for number stop_at, before it is made. */
    void (*stop)(const struct numbers_request *request);
    /* Called for number fail_at, when it is refused. */
    void (*refuse)(const struct numbers_request *request);
};

/* Start counting; NULL: nothing is to be done with any. */
void numbers_start(const struct numbers_settings *settings);

/* Of numbers.c. */
struct numbers_state {
    /* Whether any number is special: all that most have to look at. */
    bool is_watched;
    _Atomic size_t taken;
};

extern struct numbers_state numbers_state __attribute__((visibility("hidden")));
bool numbers_watch(const struct numbers_request *request);

/* Take the number of an allocation of BYTES for SITE. Returns whether it may
 * be made, or is to be refused. */
static inline bool numbers_take(size_t bytes, site_id site, size_t *number)
{
    *number = atomic_fetch_add_explicit(&numbers_state.taken, 1,
                                        memory_order_relaxed)
              + 1;
    if (__builtin_expect(numbers_state.is_watched, false)) {
        struct numbers_request request = { .number = *number,
                                           .bytes = bytes,
                                           .site = site };
        return numbers_watch(&request);
    }
    return true;
}

/* An allocation that has a number could not be made. */
void numbers_note_refusal(void);

/* Whether chance refuses number NUMBER, one in RATE; a pure function. */
bool numbers_is_unlucky(uint64_t seed, size_t number, size_t rate);

struct numbers_counts {
    size_t taken;
    /* Of these, refused: in all, and because an option said so. */
    size_t refused;
    size_t on_purpose;
};

struct numbers_counts numbers_counts(void);

#endif
