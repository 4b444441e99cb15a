/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a living arena for moat/inspect.h, which documents what each
 * function does.
 */
#ifndef ALLOC_ARENA_INSPECT_H
#define ALLOC_ARENA_INSPECT_H

#include "record/state.h"

#include <moat/inspect.h>

void arena_stats(const struct moat_arena *arena, struct moat_stats *stats);

/* As in struct moat_stats, which says what it is. */
size_t arena_largest_hole(const struct moat_arena *arena);

int arena_walk(const struct moat_arena *arena, moat_block_visitor visit,
               void *context);

/* The first line of each dump, and its last. */
void arena_dump_head(const struct moat_arena *arena, FILE *out);
void arena_dump_tail(const struct moat_arena *arena, FILE *out);

void arena_dump_text(const struct moat_arena *arena, FILE *out);
void arena_dump_hex(const struct moat_arena *arena, FILE *out);

/* What a map is drawn with. */
struct arena_map_look {
    bool is_unicode;
    bool is_colorful;
};

void arena_dump_map(const struct moat_state *state,
                    const struct moat_arena *arena, FILE *out,
                    struct arena_map_look look);

#endif
