/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots: one mapping with a header, the block records and the bytes of the
 * live blocks, one after another. All are in a list, so that a pointer that is
 * none, or one that was released, is known without following it.
 */
#include "alloc/arena_snapshot.h"

#include "base/size.h"
#include "os/lock.h"
#include "os/pages.h"
#include "record/arena_record.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

struct moat_snapshot {
    struct moat_snapshot *next;
    size_t mapped_bytes;
    /* An arena's record is used again later: base and creation tell. */
    const struct moat_arena *arena;
    uintptr_t base;
    site_id create_site;
    unsigned resets;
    char name[ARENA_NAME_BYTES];
    size_t count;
    struct block_record *blocks;
    /* Of each block, where its bytes are in CONTENTS. */
    size_t *places;
    const unsigned char *contents;
};

static struct {
    struct lock lock;
    struct moat_snapshot *first;
} kept;

static void keep(struct moat_snapshot *snapshot)
{
    lock_take(&kept.lock);
    snapshot->next = kept.first;
    kept.first = snapshot;
    lock_release(&kept.lock);
}

/* Take SNAPSHOT out of the list; false: it is not in there. */
static bool unlink_kept(const struct moat_snapshot *snapshot)
{
    lock_take(&kept.lock);
    struct moat_snapshot **link = &kept.first;
    while (*link != NULL && *link != snapshot) {
        link = &(*link)->next;
    }
    bool is_kept = *link != NULL;
    if (is_kept) {
        *link = snapshot->next;
    }
    lock_release(&kept.lock);
    return is_kept;
}

static bool is_kept(const struct moat_snapshot *snapshot)
{
    lock_take(&kept.lock);
    const struct moat_snapshot *each = kept.first;
    while (each != NULL && each != snapshot) {
        each = each->next;
    }
    lock_release(&kept.lock);
    return each != NULL;
}

static bool is_live(const struct block_record *block)
{
    return block->state == BLOCK_LIVE;
}

static size_t content_bytes(const struct moat_arena *arena)
{
    size_t bytes = 0;
    for (size_t i = 0; i < arena->block_count; i++) {
        bytes += is_live(&arena->blocks[i]) ? arena->blocks[i].bytes : 0;
    }
    return bytes;
}

struct moat_snapshot *arena_snapshot_take(const struct moat_arena *arena)
{
    size_t count = arena->block_count;
    size_t head = sizeof(struct moat_snapshot);
    size_t records = count * sizeof(struct block_record);
    size_t places = count * sizeof(size_t);
    size_t bytes = size_round_up(
        head + records + places + content_bytes(arena), pages_size());
    uintptr_t start;
    if (pages_map(bytes, "moat snapshot", &start) != 0) {
        return NULL;
    }
    struct moat_snapshot *snapshot = (struct moat_snapshot *)start;
    snapshot->mapped_bytes = bytes;
    snapshot->arena = arena;
    snapshot->base = arena->base;
    snapshot->create_site = arena->create_site;
    snapshot->resets = arena->resets;
    memcpy(snapshot->name, arena->name, sizeof snapshot->name);
    snapshot->count = count;
    snapshot->blocks = (struct block_record *)(start + head);
    snapshot->places = (size_t *)(start + head + records);
    unsigned char *contents
        = (unsigned char *)(start + head + records + places);
    snapshot->contents = contents;
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        const struct block_record *block = &arena->blocks[i];
        snapshot->blocks[i] = *block;
        snapshot->places[i] = place;
        if (is_live(block)) {
            memcpy(contents + place, (const void *)block->start, block->bytes);
            place += block->bytes;
        }
    }
    keep(snapshot);
    return snapshot;
}

bool arena_snapshot_is_comparable(const struct moat_snapshot *before,
                                  const struct moat_snapshot *after)
{
    return is_kept(before) && is_kept(after) && before->arena == after->arena
           && before->base == after->base
           && before->create_site == after->create_site
           && before->resets == after->resets;
}

static void print_bytes(FILE *out, const unsigned char *bytes, size_t count)
{
    enum { SHOWN = 32 };
    fputc('"', out);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        fputc(bytes[i] < 0x80 && isprint(bytes[i]) ? bytes[i] : '.', out);
    }
    fputs(count > SHOWN ? "\"..." : "\"", out);
}

/* Print each run of bytes that differs; return whether there is one. */
static bool diff_bytes(size_t number, size_t arena_offset,
                       const unsigned char *before, const unsigned char *after,
                       size_t count, FILE *out)
{
    if (memcmp(before, after, count) == 0) {
        return false;
    }
    size_t at = 0;
    while (at < count && out != NULL) {
        while (at < count && before[at] == after[at]) {
            at++;
        }
        size_t start = at;
        while (at < count && before[at] != after[at]) {
            at++;
        }
        if (at > start) {
            fprintf(out, "~ block #%zu +%zu (arena offset 0x%zx): ", number,
                    start, arena_offset + start);
            print_bytes(out, before + start, at - start);
            fputs(" -> ", out);
            print_bytes(out, after + start, at - start);
            fputc('\n', out);
        }
    }
    return true;
}

static void print_block(FILE *out, char sign, size_t number,
                        const struct block_record *block, const char *what)
{
    if (out != NULL) {
        fprintf(out, "%c block #%zu, %zu bytes at arena offset 0x%zx, %s\n",
                sign, number, block->bytes, block->arena_offset, what);
    }
}

/* Whether both are the same block: a rewind lets numbers start again. */
static bool is_same(const struct block_record *then,
                    const struct block_record *now)
{
    return then->start == now->start && then->bytes == now->bytes
           && then->alloc_site == now->alloc_site;
}

int arena_snapshot_diff(const struct moat_snapshot *before,
                        const struct moat_snapshot *after, FILE *out)
{
    size_t differences = 0;
    for (size_t i = 0; i < after->count; i++) {
        const struct block_record *now = &after->blocks[i];
        const struct block_record *then
            = i < before->count ? &before->blocks[i] : NULL;
        if (then != NULL && !is_same(then, now)) {
            print_block(out, '-', i + 1, then, "was taken back");
            differences++;
            then = NULL;
        }
        if (then == NULL) {
            print_block(out, '+', i + 1, now,
                        is_live(now) ? "appeared" : "appeared and was freed");
            differences++;
        } else if (is_live(then) && !is_live(now)) {
            print_block(out, '-', i + 1, now, "was freed");
            differences++;
        } else if (is_live(then)
                   && diff_bytes(i + 1, now->arena_offset,
                                 before->contents + before->places[i],
                                 after->contents + after->places[i],
                                 now->bytes, out)) {
            differences++;
        }
    }
    for (size_t i = after->count; i < before->count; i++) {
        print_block(out, '-', i + 1, &before->blocks[i], "was taken back");
        differences++;
    }
    return differences > INT_MAX ? INT_MAX : (int)differences;
}

bool arena_snapshot_release(struct moat_snapshot *snapshot)
{
    if (!unlink_kept(snapshot)) {
        return false;
    }
    pages_unmap((uintptr_t)snapshot, snapshot->mapped_bytes);
    return true;
}

void arena_snapshot_before_fork(void)
{
    lock_take(&kept.lock);
}

void arena_snapshot_after_fork_in_parent(void)
{
    lock_release(&kept.lock);
}

void arena_snapshot_after_fork_in_child(void)
{
    lock_reset_after_fork(&kept.lock);
}
