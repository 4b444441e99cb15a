/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end, where other checkers search for leaks; see arena_annotate.h. */
#include "alloc/arena_annotate.h"

#include "base/size.h"
#include "record/hole.h"

/* What lies between holes is one: roots are looked at slowly. */
static void note_packed(const struct moat_arena *arena, size_t page_bytes)
{
    uintptr_t start = arena->base;
    for (size_t i = 0; i < arena->block_count; i++) {
        uintptr_t hole_start;
        uintptr_t hole_end;
        if (hole_before(arena, i, page_bytes, &hole_start, &hole_end)) {
            checkers_note_root(start, hole_start - start);
            start = hole_end;
        }
    }
    if (arena->block_count != 0) {
        const struct block_record *last
            = &arena->blocks[arena->block_count - 1];
        checkers_note_root(start, last->start + last->bytes - start);
    }
}

static void note_fenced(const struct moat_arena *arena)
{
    for (size_t i = 0; i < arena->block_count; i++) {
        const struct block_record *block = &arena->blocks[i];
        if (block->state == BLOCK_LIVE) {
            checkers_note_root(block->start, block->bytes);
        }
    }
}

void arena_annotate_roots(const struct moat_arena *arena, size_t page_bytes)
{
    if (arena->layout == ARENA_PACKED) {
        note_packed(arena, page_bytes);
    } else {
        note_fenced(arena);
    }
}

void arena_annotate_last_look(const struct moat_arena *arena)
{
    checkers_note_no_root((uintptr_t)arena->blocks,
                          arena->block_count * sizeof(struct block_record));
}
