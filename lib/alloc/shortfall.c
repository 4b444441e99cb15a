/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shortfalls; see shortfall.h. */
#include "alloc/shortfall.h"

#include "base/text.h"
#include "os/output.h"
#include "os/process.h"

#include <stdatomic.h>

static const struct {
    const char *name;
    const char *message;
} texts[SHORTFALLS] = {
    [SHORTFALL_UNPREPARED]
    = { "ranges without guards of the chosen way",
        "pages could not be prepared for guards; using mprotect for some "
        "arenas" },
    [SHORTFALL_REVOKED_BY_MPROTECT]
    = { "pages revoked by mprotect instead",
        "guards could not be put back; using mprotect for some pages" },
    [SHORTFALL_ARMED_BY_MPROTECT]
    = { "pages armed by mprotect instead",
        "userfaultfd refuses pages; using mprotect for some" },
    [SHORTFALL_REFUSED]
    = { "allocations refused",
        "pages could not be made accessible (see vm.max_map_count); "
        "allocations are refused" },
    [SHORTFALL_STAMPED]
    = { "freed blocks left accessible",
        "freed blocks could not be made inaccessible (see vm.max_map_count); "
        "only writes to them are found" },
    [SHORTFALL_NOT_STAMPED]
    = { "freed blocks left as they were",
        "the pages of a freed block that the program has mapped or protected "
        "could not be taken back; uses of it are not found" },
    [SHORTFALL_NOT_REVOKED]
    = { "freed blocks found accessible",
        "a freed block was tried and found accessible; using mprotect for it "
        "and its like" },
    [SHORTFALL_LEFT_OPEN]
    = { "destroyed arenas left accessible",
        "a destroyed arena could not be made inaccessible (see "
        "vm.max_map_count); uses of it are not found" },
    [SHORTFALL_WEAKER_WAY]
    = { "sizes moved to a weaker way",
        "the way to revoke stopped working for a size of blocks; using the "
        "next weaker one" },
    [SHORTFALL_UNPROVEN]
    = { "guards that did not hold at start",
        "a guard page was tried at start and did not hold; using a weaker "
        "way" },
    [SHORTFALL_NO_GUARDS]
    = { "no guards that hold",
        "guard pages were tried at start and none holds here: errors are not "
        "stopped where they happen" },
    [SHORTFALL_OVER_MEMORY]
    = { "blocks with canaries only: max_memory",
        "max_memory is reached; new small blocks get canaries only, and no "
        "guard page" },
    [SHORTFALL_OVER_MAPPINGS]
    = { "blocks with canaries only: not fenced",
        "blocks could not be fenced (see vm.max_map_count); they get canaries "
        "only" },
    [SHORTFALL_PASSED_THROUGH]
    = { "blocks passed through to libc",
        "a block came from libc's own malloc(), past Moat; it and its like "
        "are not fenced" },
    [SHORTFALL_OWN_MALLOC]
    = { "malloc() of the program's own",
        "the program brings its own malloc(); its blocks are not fenced" },
};

static struct {
    bool is_strict;
    int exit_status;
    _Atomic size_t counts[SHORTFALLS];
} shortfalls;

void shortfall_start(bool is_strict, int exit_status)
{
    shortfalls.is_strict = is_strict;
    shortfalls.exit_status = exit_status;
}

void shortfall_note(enum shortfall what)
{
    size_t before = atomic_fetch_add_explicit(&shortfalls.counts[what], 1,
                                              memory_order_relaxed);
    if (before != 0 && !shortfalls.is_strict) {
        return;
    }
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    text_string(&text, shortfalls.is_strict ? "error: require=strict: "
                                            : "warning: ");
    text_string(&text, texts[what].message);
    output_message(text.buffer);
    if (shortfalls.is_strict) {
        process_exit(shortfalls.exit_status);
    }
}

size_t shortfall_count(enum shortfall what)
{
    return atomic_load_explicit(&shortfalls.counts[what],
                                memory_order_relaxed);
}

const char *shortfall_name(enum shortfall what)
{
    return texts[what].name;
}
