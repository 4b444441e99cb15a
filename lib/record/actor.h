/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Actors: the threads that allocated and freed, so that a report can name one
 * that has long ended, or that lived in the process a fork came from.
 */
#ifndef RECORD_ACTOR_H
#define RECORD_ACTOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Number 0 is "not known", also when the table is full. */
typedef uint32_t actor_id;

struct actor_record {
    /* Counts from 0, in the order in which threads first came here. */
    uint32_t thread;
    int pid;
    char name[16];
};

struct actor_table {
    struct actor_record *records;
    size_t capacity;
    _Atomic size_t used;
    _Atomic uint32_t threads;
};

/* Make TABLE, empty. Returns 0 or a positive errno value. */
int actor_table_create(struct actor_table *table);

/* Count the calling thread, so that it is T0 if it is the first, without a
 * record of it yet. */
void actor_number_self(struct actor_table *table);

/* Of the calling thread; 0: none yet. Used in signal handlers, where only this
 * model never allocates. */
extern __thread actor_id actor_own __attribute__((tls_model("initial-exec")));

/* Enter the calling thread. */
actor_id actor_enter(struct actor_table *table);

/* The number of the calling thread. Thread-safe; async-signal-safe. */
static inline actor_id actor_self(struct actor_table *table)
{
    return actor_own != 0 ? actor_own : actor_enter(table);
}

/* In the child of a fork: the thread is in another process now. */
void actor_forget_self_after_fork(void);

/* NULL when ACTOR is not known. */
const struct actor_record *actor_find(const struct actor_table *table,
                                      actor_id actor);

#endif
