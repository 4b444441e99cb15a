/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What searches for leaks begin with; see roots.h. */
#include "api/roots.h"

#include "alloc/arena_annotate.h"
#include "alloc/extent.h"
#include "record/state.h"

#include <stdatomic.h>
#include <stdlib.h>

static void annotate_roots(struct moat_arena *arena, void *unused)
{
    (void)unused;
    arena_annotate_roots(arena, moat_state.page_bytes);
}

static void annotate_all_roots(void)
{
    extent_each_living(annotate_roots, NULL);
}

void roots_note_arena(void)
{
    static _Atomic bool is_registered;
    if (checkers_are_there() && !atomic_exchange(&is_registered, true)) {
        /* LeakSanitizer searches when its own library ends, which is before
         * ours does. What is registered after main() was called comes first;
         * our constructor would have been too early. */
        atexit(annotate_all_roots);
    }
}

static void annotate_last_look(struct moat_arena *arena, void *unused)
{
    (void)unused;
    arena_annotate_last_look(arena);
}

void roots_end(void)
{
    if (checkers_are_there()) {
        extent_each_living(annotate_last_look, NULL);
    }
}
