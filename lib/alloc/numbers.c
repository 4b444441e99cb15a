/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers; see numbers.h. */
#include "alloc/numbers.h"

#include "base/random.h"

struct numbers_state numbers_state;

static struct {
    struct numbers_settings settings;
    _Atomic size_t refused;
    _Atomic size_t on_purpose;
} watch;

void numbers_start(const struct numbers_settings *settings)
{
    static const struct numbers_settings nothing;
    watch.settings = settings == NULL ? nothing : *settings;
    numbers_state.is_watched = watch.settings.stop_at != 0
                         || watch.settings.fail_at != 0
                         || watch.settings.fail_rate != 0;
    numbers_state.taken = 0;
    watch.refused = 0;
    watch.on_purpose = 0;
}

bool numbers_is_unlucky(uint64_t seed, size_t number, size_t rate)
{
    /* The odd constant is SplitMix64's own step from one value to the next. */
    uint64_t drawn = random_mix(random_mix(seed)
                                + number * UINT64_C(0x9e3779b97f4a7c15));
    return rate != 0 && drawn % rate == 0;
}

/* Returns whether the allocation may be made. */
bool numbers_watch(const struct numbers_request *request)
{
    const struct numbers_settings *settings = &watch.settings;
    if (request->number == settings->stop_at && settings->stop != NULL) {
        settings->stop(request);
    }
    bool is_the_one = request->number == settings->fail_at;
    if (!is_the_one
        && !numbers_is_unlucky(settings->seed, request->number,
                               settings->fail_rate)) {
        return true;
    }
    atomic_fetch_add_explicit(&watch.on_purpose, 1, memory_order_relaxed);
    if (is_the_one && settings->refuse != NULL) {
        settings->refuse(request);
    }
    return false;
}

void numbers_note_refusal(void)
{
    atomic_fetch_add_explicit(&watch.refused, 1, memory_order_relaxed);
}

struct numbers_counts numbers_counts(void)
{
    return (struct numbers_counts){ .taken = numbers_state.taken,
                                    .refused = watch.refused,
                                    .on_purpose = watch.on_purpose };
}
