/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots: one mapping with a header, the block records and the bytes of the
 * live blocks, one after another. All are in a list, so that a pointer that is
 * none, or one that was released, is known without following it.
 */
#include "alloc/arena_snapshot.h"

#include "alloc/arena_annotate.h"
#include "base/size.h"
#include "os/lock.h"
#include "os/pages.h"
#include "record/arena_record.h"

#include <limits.h>
#include <string.h>

struct moat_snapshot {
    struct moat_snapshot *next;
    size_t mapped_bytes;
    /* No other arena and no other life of this one has it. */
    uint64_t era;
    /* As the arena's: what was taken back between two snapshots. */
    size_t rewinds;
    unsigned kept_rewinds;
    struct arena_rewind rewind[ARENA_REWINDS];
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
    snapshot->era = arena->era;
    snapshot->rewinds = arena->rewinds;
    snapshot->kept_rewinds = arena->kept_rewinds;
    memcpy(snapshot->rewind, arena->rewind, sizeof snapshot->rewind);
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
    arena_annotate_copy(contents, place);
    keep(snapshot);
    return snapshot;
}

bool arena_snapshot_is_comparable(const struct moat_snapshot *before,
                                  const struct moat_snapshot *after)
{
    return is_kept(before) && is_kept(after) && before->era == after->era;
}

/* In hex and as text, as the damage lines of reports. */
static void print_bytes(FILE *out, const char *when,
                        const unsigned char *bytes, size_t count)
{
    enum { SHOWN = 16 };
    size_t shown = count < SHOWN ? count : SHOWN;
    fprintf(out, "    %-7s", when);
    for (size_t i = 0; i < shown; i++) {
        fprintf(out, " %02x", bytes[i]);
    }
    fputs(" \"", out);
    for (size_t i = 0; i < shown; i++) {
        fputc(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.', out);
    }
    fputs(shown < count ? "\" ...\n" : "\"\n", out);
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
            fprintf(out,
                    "~ block #%zu, %zu %s at +%zu (arena offset 0x%zx), "
                    "changed\n",
                    number, at - start, at - start == 1 ? "byte" : "bytes",
                    start, arena_offset + start);
            print_bytes(out, "before:", before + start, at - start);
            print_bytes(out, "after:", after + start, at - start);
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

/*
 * How many blocks were never taken back from one snapshot to the other: behind
 * them numbers have started again. See arena_mark_is_good().
 */
static size_t lasting_blocks(const struct moat_snapshot *one,
                             const struct moat_snapshot *other)
{
    const struct moat_snapshot *late
        = one->rewinds > other->rewinds ? one : other;
    size_t earlier = one->rewinds + other->rewinds - late->rewinds;
    for (unsigned i = 0; i < late->kept_rewinds; i++) {
        if (late->rewind[i].number > earlier) {
            return late->rewind[i].blocks;
        }
    }
    return SIZE_MAX;
}

/* Whether both are the same block; where rewinds are forgotten, what a block
 * is like tells. */
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
    size_t lasting = lasting_blocks(before, after);
    for (size_t i = 0; i < after->count; i++) {
        const struct block_record *now = &after->blocks[i];
        const struct block_record *then
            = i < before->count ? &before->blocks[i] : NULL;
        if (then != NULL && (i >= lasting || !is_same(then, now))) {
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
