/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wiring: starting the layers in order, carrying findings from the
 * allocator to the report, forking and ending.
 */
#ifndef API_RUNTIME_H
#define API_RUNTIME_H

#include <moat/arena.h>
#include <moat/finding.h>

#include "record/site.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of runtime.c. */
extern _Atomic bool runtime_has_started __attribute__((visibility("hidden")));
void runtime_start_once(void);

/* Whether everything has started. */
static inline bool runtime_is_started(void)
{
    return atomic_load_explicit(&runtime_has_started, memory_order_acquire);
}

/* Start everything, once; all entry points that may come first call it. */
static inline void runtime_start(void)
{
    if (!runtime_is_started()) {
        runtime_start_once();
    }
}

/* In a child with a copy of the memory that was not made by fork(). */
void runtime_start_child(void);

/* The site of a public function's caller. */
site_id runtime_site(const void *return_address);

/* Whether ARENA is a living arena; any pointer may be asked about. */
bool runtime_is_living(const struct moat_arena *arena);

/* Whether ARENA is an arena that was destroyed. */
bool runtime_is_destroyed(const struct moat_arena *arena);

/*
 * Report FINDING, noticed in a call from CALLER (NULL: none). What the program
 * then does is up to runtime_halt().
 */
void runtime_report(struct moat_finding *finding, const void *caller);

/* End the process after reports, unless halt_on_error=0. */
void runtime_halt(void);

/*
 * Sweep ARENA and report all damage, seen at SEEN; returns how many blocks.
 * Does not end the process.
 */
size_t runtime_sweep_behind(struct moat_arena *arena, size_t blocks,
                            enum moat_seen seen, const void *caller);
size_t runtime_sweep(struct moat_arena *arena, enum moat_seen seen,
                     const void *caller);

/* Take the fault signals back; see fault_catch(). */
int runtime_catch_faults(void);

#endif
