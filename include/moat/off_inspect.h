/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into arenas with MOAT_OFF; see off.h. A plain bump allocator does
 * not know its blocks:
 *  - moat_arena_stats() counts capacity, used, accessible bytes and what was
 *    refused; blocks, their bytes and holes are 0, and there are no canaries;
 *  - moat_arena_walk() visits nothing and returns 0, moat_describe() knows no
 *    address and returns false;
 *  - moat_arena_leaks() searches and writes nothing, and returns 0;
 *  - moat_arena_dump() writes text in each style, freed bytes and slack as
 *    they are;
 *  - a snapshot is a copy of all bytes. moat_snapshot_diff() returns 1 when
 *    they differ, and writes the first offset where they do.
 */
#ifndef MOAT_OFF_INSPECT_H
#define MOAT_OFF_INSPECT_H

#include <moat/inspect.h>
#include <moat/off.h>

#include <stdlib.h>

MOAT_BEGIN_DECLS

static inline void moat_arena_stats(const struct moat_arena *arena,
                                    struct moat_stats *stats)
{
    if (stats == NULL) {
        return;
    }
    memset(stats, 0, sizeof *stats);
    if (arena == NULL) {
        errno = EINVAL;
        return;
    }
    stats->capacity = arena->capacity;
    stats->max_capacity = arena->max_capacity;
    stats->used = arena->cursor;
    stats->accessible_bytes = arena->mapped_bytes;
    stats->refused = arena->refused;
}

static inline int moat_arena_walk(const struct moat_arena *arena,
                                  moat_block_visitor visit, void *context)
{
    (void)context;
    return arena == NULL || visit == NULL ? EINVAL : 0;
}

static inline char moat_off_printable(char byte)
{
    return (char)(byte >= 0x20 && byte < 0x7f ? byte : '.');
}

/* What ARENA holds, in a copy if that is to be looked at with care; for free().
 * NULL: the bytes themselves are fine, or there is no memory. */
static inline char *moat_off_copy(const struct moat_arena *arena)
{
    char *copy = NULL;
    if (moat_off_is_watched(arena)) {
        copy = (char *)malloc(arena->cursor + 1);
    }
    if (copy != NULL) {
        moat_off_copy_watched(&arena->watch, copy, arena->cursor);
    }
    return copy;
}

static inline void moat_arena_dump(const struct moat_arena *arena, FILE *out,
                                   enum moat_dump style)
{
    if (out == NULL) {
        return;
    }
    if (arena == NULL
        || (style != MOAT_DUMP_TEXT && style != MOAT_DUMP_HEX
            && style != MOAT_DUMP_MAP)) {
        errno = EINVAL;
        return;
    }
    fputs("arena \"", out);
    for (const char *letter = arena->name; *letter != '\0'; letter++) {
        fputc(moat_off_printable(*letter), out);
    }
    fprintf(out, "\", %lu of %lu bytes used\n", (unsigned long)arena->cursor,
            (unsigned long)arena->capacity);
    char *copy = moat_off_copy(arena);
    const char *bytes = copy != NULL ? copy : arena->base;
    for (size_t offset = 0; offset < arena->cursor; offset++) {
        if (offset % 64 == 0) {
            fprintf(out, "  0x%04lx  ", (unsigned long)offset);
        }
        fputc(moat_off_printable(bytes[offset]), out);
        if (offset % 64 == 63 || offset + 1 == arena->cursor) {
            fputc('\n', out);
        }
    }
    free(copy);
    fprintf(out, "  MOAT_OFF: blocks are not known, %lu bytes never used\n",
            (unsigned long)(arena->capacity - arena->cursor));
}

struct moat_snapshot {
    const struct moat_arena *arena;
    uint64_t era;
    size_t bytes;
    char *copy;
};

static inline struct moat_snapshot *
moat_arena_snapshot(const struct moat_arena *arena)
{
    if (arena == NULL) {
        errno = EINVAL;
        return NULL;
    }
    struct moat_snapshot *snapshot
        = (struct moat_snapshot *)malloc(sizeof *snapshot + arena->cursor);
    if (snapshot == NULL) {
        return NULL;
    }
    snapshot->arena = arena;
    snapshot->era = arena->era;
    snapshot->bytes = arena->cursor;
    snapshot->copy = (char *)(snapshot + 1);
    if (moat_off_is_watched(arena)) {
        moat_off_copy_watched(&arena->watch, snapshot->copy, arena->cursor);
    } else {
        memcpy(snapshot->copy, arena->base, arena->cursor);
    }
    return snapshot;
}

static inline int moat_snapshot_diff(const struct moat_snapshot *before,
                                     const struct moat_snapshot *after,
                                     FILE *out)
{
    if (before == NULL || after == NULL || before->arena != after->arena
        || before->era != after->era) {
        errno = EINVAL;
        return -1;
    }
    size_t both = before->bytes < after->bytes ? before->bytes : after->bytes;
    size_t offset = 0;
    while (offset < both && before->copy[offset] == after->copy[offset]) {
        offset++;
    }
    if (offset == both && before->bytes == after->bytes) {
        return 0;
    }
    if (out != NULL) {
        fprintf(out,
                "  MOAT_OFF: differs from offset 0x%04lx on; %lu bytes used, "
                "then %lu\n",
                (unsigned long)offset, (unsigned long)before->bytes,
                (unsigned long)after->bytes);
    }
    return 1;
}

static inline void moat_snapshot_free(struct moat_snapshot *snapshot)
{
    int saved_errno = errno;
    free(snapshot);
    errno = saved_errno;
}

static inline size_t moat_arena_leaks(const struct moat_arena *arena,
                                      FILE *out)
{
    (void)out;
    if (arena == NULL) {
        errno = EINVAL;
    }
    return 0;
}

static inline bool moat_describe(const void *address,
                                 struct moat_finding *finding)
{
    (void)address;
    if (finding != NULL) {
        memset(finding, 0, sizeof *finding);
    }
    return false;
}

MOAT_END_DECLS

#endif
