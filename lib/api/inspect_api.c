/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moat/inspect.h */
#include <moat/inspect.h>

#include "alloc/arena_inspect.h"
#include "alloc/arena_snapshot.h"
#include "api/arena_use.h"
#include "api/leaks.h"
#include "api/runtime.h"
#include "diagnose/classify.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A call that changes nothing but who is in it. */
static enum arena_use look_into(const struct moat_arena *arena,
                                const void *caller)
{
    return arena_use_begin((struct moat_arena *)arena, MOAT_ACCESS_READ,
                           runtime_site(caller), caller);
}

static void look_away(const struct moat_arena *arena, enum arena_use use)
{
    arena_use_end((struct moat_arena *)arena, use);
}

void moat_arena_stats(const struct moat_arena *arena, struct moat_stats *stats)
{
    if (stats == NULL) {
        return;
    }
    enum arena_use use = look_into(arena, __builtin_return_address(0));
    if (use == ARENA_USE_NONE) {
        memset(stats, 0, sizeof *stats);
        errno = EINVAL;
        return;
    }
    arena_stats(arena, stats);
    look_away(arena, use);
}

int moat_arena_walk(const struct moat_arena *arena, moat_block_visitor visit,
                    void *context)
{
    enum arena_use use
        = visit == NULL ? ARENA_USE_NONE
                        : look_into(arena, __builtin_return_address(0));
    if (use == ARENA_USE_NONE) {
        return EINVAL;
    }
    int result = arena_walk(arena, visit, context);
    look_away(arena, use);
    return result;
}

/* What OUT can show. */
static struct arena_map_look look_of(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    int saved_errno = errno;
    struct arena_map_look look = {
        .is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        /* A stream may have no file (fmemopen()). */
        .is_colorful = fileno(out) >= 0 && isatty(fileno(out))
                       && (no_color == NULL || no_color[0] == '\0')
                       && terminal != NULL && strcmp(terminal, "dumb") != 0,
    };
    errno = saved_errno;
    return look;
}

void moat_arena_dump(const struct moat_arena *arena, FILE *out,
                     enum moat_dump style)
{
    if (out == NULL) {
        return;
    }
    enum arena_use use = look_into(arena, __builtin_return_address(0));
    if (use == ARENA_USE_NONE) {
        errno = EINVAL;
        return;
    }
    switch (style) {
    case MOAT_DUMP_TEXT:
        arena_dump_text(arena, out);
        break;
    case MOAT_DUMP_HEX:
        arena_dump_hex(arena, out);
        break;
    case MOAT_DUMP_MAP:
        arena_dump_map(&moat_state, arena, out, look_of(out));
        break;
    default:
        errno = EINVAL;
    }
    look_away(arena, use);
}

struct moat_snapshot *moat_arena_snapshot(const struct moat_arena *arena)
{
    enum arena_use use = look_into(arena, __builtin_return_address(0));
    if (use == ARENA_USE_NONE) {
        errno = EINVAL;
        return NULL;
    }
    struct moat_snapshot *snapshot = arena_snapshot_take(arena);
    look_away(arena, use);
    if (snapshot == NULL) {
        errno = ENOMEM;
    }
    return snapshot;
}

int moat_snapshot_diff(const struct moat_snapshot *before,
                       const struct moat_snapshot *after, FILE *out)
{
    if (!arena_snapshot_is_comparable(before, after)) {
        errno = EINVAL;
        return -1;
    }
    return arena_snapshot_diff(before, after, out);
}

void moat_snapshot_free(struct moat_snapshot *snapshot)
{
    int saved_errno = errno;
    if (snapshot != NULL && !arena_snapshot_release(snapshot)) {
        struct moat_finding finding;
        classify_owner(&moat_state, (uintptr_t)snapshot, &finding);
        finding.kind = MOAT_KIND_BAD_FREE;
        finding.access = MOAT_ACCESS_FREE;
        finding.seen = MOAT_SEEN_AT_FREE;
        runtime_report(&finding, __builtin_return_address(0));
        runtime_halt();
    }
    errno = saved_errno;
}

size_t moat_arena_leaks(const struct moat_arena *arena, FILE *out)
{
    struct leak_caller caller;
    LEAK_CALLER(&caller);
    return leaks_write(arena, out, &caller, __builtin_return_address(0));
}

bool moat_describe(const void *address, struct moat_finding *finding)
{
    if (finding == NULL) {
        return false;
    }
    bool is_held = classify_owner(&moat_state, (uintptr_t)address, finding);
    if (!is_held) {
        memset(finding, 0, sizeof *finding);
    }
    return is_held;
}
