/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arena records; see arena_record.h. */
#include "record/arena_record.h"

#include "os/books.h"

/* Living and destroyed arenas together. */
enum { CAPACITY = 1 << 18 };

int arena_table_create(struct arena_table *table)
{
    uintptr_t records;
    int error = books_take(CAPACITY * sizeof(struct moat_arena), &records);
    if (error != 0) {
        return error;
    }
    table->records = (struct moat_arena *)records;
    table->capacity = CAPACITY;
    atomic_init(&table->used, 1);
    return 0;
}

bool arena_is_record(const struct arena_table *table,
                     const struct moat_arena *arena)
{
    uintptr_t offset = (uintptr_t)arena - (uintptr_t)table->records;
    size_t used = atomic_load_explicit(&table->used, memory_order_acquire);
    return offset >= sizeof *arena && offset < used * sizeof *arena
           && offset % sizeof *arena == 0
           && arena_state_of(arena) != ARENA_UNUSED;
}
