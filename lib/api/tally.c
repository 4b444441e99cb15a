/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tally; see tally.h. */
#include "api/tally.h"

#include "alloc/shortfall.h"
#include "alloc/slots.h"
#include "os/process.h"
#include "os/shared.h"
#include "os/userfault.h"
#include "record/tally.h"

#include <stdbool.h>
#include <stdlib.h>

static struct tally *shared;

/* What has been added for this process. */
static struct {
    _Atomic uint64_t fenced;
    _Atomic uint64_t canaries_only;
    _Atomic uint64_t shortfalls;
    _Atomic uint64_t passed_through;
    _Atomic bool has_ended;
} added;

static uint64_t count_shortfalls(void)
{
    struct userfault_counts lost = userfault_counts();
    uint64_t count = lost.lost + lost.replaced;
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        count += shortfall_count(what);
    }
    return count;
}

void tally_start(void)
{
    const char *path = getenv(TALLY_VARIABLE);
    void *mapped;
    /* A set-user-id program must not write where its caller likes. */
    if (path == NULL || process_is_privileged()
        || shared_map(path, sizeof *shared, &mapped) != 0) {
        return;
    }
    struct tally *found = mapped;
    if (found->magic == TALLY_MAGIC) {
        shared = found;
        shared->processes++;
    }
}

_Atomic uint64_t *tally_reports(void)
{
    return shared == NULL ? NULL : &shared->reports;
}

uint64_t tally_share_seed(uint64_t seed)
{
    uint64_t common = 0;
    if (shared == NULL
        || atomic_compare_exchange_strong(&shared->seed, &common, seed)) {
        return seed;
    }
    return common;
}

/* Add to SUM what COUNT is above KNOWN; of two threads, each adds its part. */
static void add(_Atomic uint64_t *sum, _Atomic uint64_t *known, uint64_t count)
{
    uint64_t before = atomic_exchange(known, count);
    atomic_fetch_add(sum, count - before);
}

void tally_add(void)
{
    if (shared == NULL) {
        return;
    }
    size_t fenced;
    size_t canaries_only;
    slots_count_blocks(&fenced, &canaries_only);
    add(&shared->fenced, &added.fenced, fenced);
    add(&shared->canaries_only, &added.canaries_only, canaries_only);
    add(&shared->passed_through, &added.passed_through,
        shortfall_count(SHORTFALL_PASSED_THROUGH));
    add(&shared->shortfalls, &added.shortfalls, count_shortfalls());
    if (!atomic_exchange(&added.has_ended, true)) {
        shared->ended++;
    }
}

void tally_after_fork_in_child(void)
{
    if (shared == NULL) {
        return;
    }
    size_t fenced;
    size_t canaries_only;
    slots_count_blocks(&fenced, &canaries_only);
    added.fenced = fenced;
    added.canaries_only = canaries_only;
    added.shortfalls = count_shortfalls();
    added.passed_through = shortfall_count(SHORTFALL_PASSED_THROUGH);
    added.has_ended = false;
    shared->processes++;
}

void tally_note_own_malloc(void)
{
    if (shared != NULL) {
        shared->own_malloc++;
    }
}

void tally_set_aside(int by)
{
    if (shared != NULL) {
        shared->set_aside += (uint64_t)by;
    }
}
