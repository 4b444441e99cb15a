/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A good program. It hears of the finding before the report is written, and
 * decides that this one was to be expected, as a test would.
 */
#include <moat.h>

#include <unistd.h>

static bool expect(const struct moat_finding *finding, void *block)
{
    if (finding->kind == MOAT_KIND_DOUBLE_FREE
        && finding->block.start == block) {
        _exit(0);
    }
    return true;
}

int main(void)
{
    struct moat_arena *arena = moat_arena_create("letters", 256);
    char *block = moat_arena_alloc(arena, 32);

    moat_set_report_hook(expect, block);
    moat_arena_free(arena, block);
    moat_arena_free(arena, block);
    return 1;
}
