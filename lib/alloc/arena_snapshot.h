/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots for moat/inspect.h, which documents what each function does. */
#ifndef ALLOC_ARENA_SNAPSHOT_H
#define ALLOC_ARENA_SNAPSHOT_H

#include <moat/inspect.h>

#include <stdbool.h>

/* NULL when there is no memory. */
struct moat_snapshot *arena_snapshot_take(const struct moat_arena *arena);

/* Whether both are snapshots, not yet released, of the same arena; any pointers
 * may be asked about. */
bool arena_snapshot_is_comparable(const struct moat_snapshot *before,
                                  const struct moat_snapshot *after);

int arena_snapshot_diff(const struct moat_snapshot *before,
                        const struct moat_snapshot *after, FILE *out);

/* Returns false, having done nothing, when SNAPSHOT is none or was released. */
bool arena_snapshot_release(struct moat_snapshot *snapshot);

/* To be called around fork(). */
void arena_snapshot_before_fork(void);
void arena_snapshot_after_fork_in_parent(void);
void arena_snapshot_after_fork_in_child(void);

#endif
