/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Actors; see actor.h. */
#include "record/actor.h"

#include "os/books.h"
#include "os/process.h"

/* Threads over the life of a process, ended ones included. */
enum { CAPACITY = 1 << 20 };

__thread actor_id actor_own __attribute__((tls_model("initial-exec")));

/* The thread's number plus 1, which it keeps over a fork; 0: none yet. */
static __thread uint32_t own_thread
    __attribute__((tls_model("initial-exec")));

int actor_table_create(struct actor_table *table)
{
    uintptr_t records;
    int error
        = books_take(CAPACITY * sizeof(struct actor_record), &records);
    if (error != 0) {
        return error;
    }
    table->records = (struct actor_record *)records;
    table->capacity = CAPACITY;
    /* Record 0 stays unused: number 0 means "not known". */
    atomic_init(&table->used, 1);
    atomic_init(&table->threads, 0);
    return 0;
}

void actor_number_self(struct actor_table *table)
{
    if (own_thread == 0) {
        own_thread = atomic_fetch_add(&table->threads, 1) + 1;
    }
}

actor_id actor_enter(struct actor_table *table)
{
    actor_number_self(table);
    if (table->capacity == 0) {
        return 0;
    }
    size_t actor = atomic_fetch_add(&table->used, 1);
    if (actor >= table->capacity) {
        atomic_fetch_sub(&table->used, 1);
        return 0;
    }
    struct actor_record *record = &table->records[actor];
    record->thread = own_thread - 1;
    record->pid = process_id();
    process_thread_name(record->name);
    actor_own = (actor_id)actor;
    return actor_own;
}

void actor_forget_self_after_fork(void)
{
    actor_own = 0;
}

const struct actor_record *actor_find(const struct actor_table *table,
                                      actor_id actor)
{
    return actor == 0 || actor >= table->capacity ? NULL
                                                  : &table->records[actor];
}
