/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers; see numbers.h. */
#include "alloc/numbers.h"

#include "base/random.h"

#include <stdatomic.h>

static struct {
    /* Whether any number is special: all that the others have to look at. */
    bool is_watched;
    struct numbers_settings settings;
    _Atomic size_t taken;
    _Atomic size_t refused;
    _Atomic size_t on_purpose;
} numbers;

void numbers_start(const struct numbers_settings *settings)
{
    static const struct numbers_settings nothing;
    numbers.settings = settings == NULL ? nothing : *settings;
    numbers.is_watched = numbers.settings.stop_at != 0
                         || numbers.settings.fail_at != 0
                         || numbers.settings.fail_rate != 0;
    numbers.taken = 0;
    numbers.refused = 0;
    numbers.on_purpose = 0;
}

bool numbers_is_unlucky(uint64_t seed, size_t number, size_t rate)
{
    /* The odd constant is SplitMix64's own step from one value to the next. */
    uint64_t drawn = random_mix(random_mix(seed)
                                + number * UINT64_C(0x9e3779b97f4a7c15));
    return rate != 0 && drawn % rate == 0;
}

/* Returns whether the allocation may be made. */
static bool watch(const struct numbers_request *request)
{
    const struct numbers_settings *settings = &numbers.settings;
    if (request->number == settings->stop_at && settings->stop != NULL) {
        settings->stop(request);
    }
    bool is_the_one = request->number == settings->fail_at;
    if (!is_the_one
        && !numbers_is_unlucky(settings->seed, request->number,
                               settings->fail_rate)) {
        return true;
    }
    atomic_fetch_add_explicit(&numbers.on_purpose, 1, memory_order_relaxed);
    if (is_the_one && settings->refuse != NULL) {
        settings->refuse(request);
    }
    return false;
}

bool numbers_take(size_t bytes, site_id site, size_t *number)
{
    *number = atomic_fetch_add_explicit(&numbers.taken, 1,
                                        memory_order_relaxed)
              + 1;
    if (__builtin_expect(numbers.is_watched, false)) {
        struct numbers_request request = { .number = *number,
                                           .bytes = bytes,
                                           .site = site };
        return watch(&request);
    }
    return true;
}

void numbers_note_refusal(void)
{
    atomic_fetch_add_explicit(&numbers.refused, 1, memory_order_relaxed);
}

struct numbers_counts numbers_counts(void)
{
    return (struct numbers_counts){ .taken = numbers.taken,
                                    .refused = numbers.refused,
                                    .on_purpose = numbers.on_purpose };
}
