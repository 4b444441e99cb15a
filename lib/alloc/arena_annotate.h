/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Annotations: what other checkers (os/checkers.h) are told of arenas. Pages
 * that are made accessible are dead, and so are those that no longer are; a
 * block is live from when it is allocated until it ends. So canaries, slack and
 * what was never used are dead, and an access to them is seen at once, which
 * Moat alone would see late or not at all.
 *
 * What AddressSanitizer keeps is for units of 8 bytes, of which the first ones
 * may be live: a block that does not start at a multiple of 8, which only
 * fenced ones may, has up to 7 bytes in front of it live, too.
 *
 * Each function is one branch where there is no checker. Large blocks of no
 * arena (is_heap) are alloc/slots' to tell.
 */
#ifndef ALLOC_ARENA_ANNOTATE_H
#define ALLOC_ARENA_ANNOTATE_H

#include "os/checkers.h"
#include "record/arena_record.h"

#include <stddef.h>
#include <stdint.h>

/* ARENA was created, and is empty; it has ended, or is emptied by a reset. */
static inline void arena_annotate_created(const struct moat_arena *arena)
{
    if (checkers_are_there() && !arena->is_heap) {
        checkers_note_pool(arena);
    }
}

static inline void arena_annotate_ended(const struct moat_arena *arena)
{
    if (checkers_are_there() && !arena->is_heap) {
        checkers_note_pool_end(arena);
    }
}

static inline void arena_annotate_emptied(const struct moat_arena *arena)
{
    arena_annotate_ended(arena);
    arena_annotate_created(arena);
}

static inline void arena_annotate_freed(const struct moat_arena *arena,
                                        uintptr_t start, size_t bytes)
{
    if (checkers_are_there()) {
        checkers_note_freed(arena, start, bytes);
    }
}

/* The blocks of ARENA from START on were taken back; from there to END it is
 * still accessible, or START is not below END. */
static inline void arena_annotate_rewound(const struct moat_arena *arena,
                                          uintptr_t start, uintptr_t end)
{
    if (checkers_are_there()) {
        checkers_note_cut(arena, arena->base, start);
        if (start < end) {
            checkers_note_dead(start, end - start);
        }
    }
}

/* Pages were made accessible, or inaccessible. */
static inline void arena_annotate_pages(uintptr_t start, size_t bytes)
{
    if (checkers_are_there()) {
        checkers_note_dead(start, bytes);
    }
}

/* From here to arena_annotate_end(), dead memory is touched. */
static inline void arena_annotate_begin(void)
{
    if (checkers_are_there()) {
        checkers_pause();
    }
}

static inline void arena_annotate_end(void)
{
    if (checkers_are_there()) {
        checkers_resume();
    }
}

/* COPY was made of a block. */
static inline void arena_annotate_copy(void *copy, size_t bytes)
{
    if (checkers_are_there()) {
        checkers_note_defined(copy, bytes);
    }
}

/* The program ends: what the blocks of ARENA refer to is no leak. */
void arena_annotate_roots(const struct moat_arena *arena, size_t page_bytes);

/* ARENA was looked at for the last time: that Moat's records refer to its
 * blocks does not mean that anything else does. */
void arena_annotate_last_look(const struct moat_arena *arena);

#endif
