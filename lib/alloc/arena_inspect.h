/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a living arena for moat/inspect.h, which documents what each
 * function does.
 */
#ifndef ALLOC_ARENA_INSPECT_H
#define ALLOC_ARENA_INSPECT_H

#include <moat/inspect.h>

void arena_stats(const struct moat_arena *arena, struct moat_stats *stats);

int arena_walk(const struct moat_arena *arena, moat_block_visitor visit,
               void *context);

void arena_dump_text(const struct moat_arena *arena, FILE *out);

#endif
