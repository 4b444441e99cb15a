/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trials; see trials.h. */
#include "api/trials.h"

#include "alloc/numbers.h"
#include "api/tally.h"
#include "diagnose/symbol.h"
#include "os/output.h"
#include "os/process.h"
#include "record/state.h"

#include <stdint.h>

static struct {
    size_t fail_at;
    size_t fail_rate;
    /* Whether a stop ends the process where there is no debugger. */
    bool is_stop_fatal;
} trials;

/* "WHAT: allocation #N of B bytes, asked for at PLACE" */
static void describe(struct text *text, const char *what,
                     const struct numbers_request *request)
{
    const uintptr_t *frames = NULL;
    text_string(text, what);
    text_string(text, ": allocation #");
    text_decimal(text, request->number);
    text_string(text, " of ");
    text_decimal(text, request->bytes);
    text_string(text, request->bytes == 1 ? " byte" : " bytes");
    if (site_frames(&moat_state.sites, request->site, &frames) > 0
        && frames[0] != 0) {
        text_string(text, ", asked for at ");
        /* The call, not the place to return to. */
        text_hex(text, frames[0] - 1);
        text_character(text, ' ');
        symbol_locate(text, frames[0] - 1);
    }
    text_string(text, ", in process ");
    text_decimal(text, (uint64_t)process_id());
}

static void stop(const struct numbers_request *request)
{
    char buffer[480];
    struct text text = text_in(buffer, sizeof buffer);
    describe(&text, "stop_at", request);
    output_message(text.buffer);
    process_trap(trials.is_stop_fatal);
}

static void refuse(const struct numbers_request *request)
{
    char buffer[480];
    struct text text = text_in(buffer, sizeof buffer);
    describe(&text, "fail_at", request);
    text_string(&text, ": refused");
    output_message(text.buffer);
}

/* Any but 0, and short enough to be typed in again. */
static uint64_t seed_by_chance(void)
{
    uint64_t seed = process_secret() & UINT32_MAX;
    return seed == 0 ? 1 : seed;
}

void trials_start(const struct options *options)
{
    struct numbers_settings settings = {
        .stop_at = options->stop_at,
        .fail_at = options->fail_at,
        .fail_rate = options->fail_rate,
        .stop = stop,
        .refuse = refuse,
    };
    trials.fail_at = options->fail_at;
    trials.fail_rate = options->fail_rate;
    trials.is_stop_fatal = options->abort_on_error;
    if (options->fail_rate != 0) {
        settings.seed = tally_share_seed(
            options->seed != 0 ? options->seed : seed_by_chance());
        moat_state.seed = settings.seed;
    }
    numbers_start(&settings);
}

bool trials_describe(struct text *text)
{
    if (trials.fail_at == 0 && trials.fail_rate == 0) {
        return false;
    }
    struct numbers_counts counts = numbers_counts();
    text_string(text, "stats: refused on purpose: ");
    text_decimal(text, counts.on_purpose);
    text_string(text, " of ");
    text_decimal(text, counts.taken);
    text_string(text, " allocations");
    if (trials.fail_at != 0) {
        text_string(text, "; fail_at=");
        text_decimal(text, trials.fail_at);
    }
    if (trials.fail_rate != 0) {
        text_string(text, "; fail_rate=");
        text_decimal(text, trials.fail_rate);
        text_string(text, ", seed=");
        text_decimal(text, moat_state.seed);
    }
    return true;
}
