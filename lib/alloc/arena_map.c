/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumping an arena as a map: a cell for each 16 bytes, one for a guard page, in
 * the order of addresses, as they really lie in memory.
 */
#include "alloc/arena_inspect.h"

#include "alloc/arena_annotate.h"
#include "base/canary.h"
#include "base/size.h"
#include "record/hole.h"

#include <stdbool.h>
#include <string.h>

enum { UNIT_BYTES = 16, LINE_CELLS = 64, LEGEND_COLUMNS = 79 };

/* Where a cell holds more than one of these, it shows the last. */
enum cell {
    CELL_UNUSED,
    CELL_CANARY,
    CELL_FREED,
    CELL_LIVE,
    /* A live block ends in it. */
    CELL_SLACK,
    CELL_LEAKED,
    CELL_DAMAGED,
    CELL_GUARD,
    CELLS
};

static const struct {
    const char *name;
    char ascii;
    const char *unicode;
    /* Of the terminal. */
    const char *color;
} looks[CELLS] = {
    [CELL_UNUSED] = { "never used", '.', "\u00b7", "90" },
    [CELL_CANARY] = { "canary", '|', "\u2503", "34" },
    [CELL_FREED] = { "freed", '-', "\u2592", "37" },
    [CELL_LIVE] = { "live", '#', "\u2588", "32" },
    [CELL_SLACK] = { "live with slack", '~', "\u258c", "33" },
    [CELL_LEAKED] = { "leaked", '?', "\u25c6", "35" },
    [CELL_DAMAGED] = { "damaged", '!', "\u2716", "1;31" },
    [CELL_GUARD] = { "guard", '=', "\u25a6", "36" },
};

struct map {
    const struct moat_state *state;
    FILE *out;
    struct arena_map_look look;
    /* The unit that is being filled, and what it shows so far. */
    uintptr_t unit;
    enum cell cell;
    bool has_unit;
    /* Cells of the line, and of the last one that was written. */
    unsigned char line[LINE_CELLS];
    unsigned char last[LINE_CELLS];
    size_t count;
    bool has_last;
    bool is_repeating;
    bool is_used[CELLS];
};

static void draw(const struct map *map, enum cell cell, size_t times)
{
    if (map->look.is_colorful) {
        fprintf(map->out, "\033[%sm", looks[cell].color);
    }
    for (size_t i = 0; i < times; i++) {
        if (map->look.is_unicode) {
            fputs(looks[cell].unicode, map->out);
        } else {
            fputc(looks[cell].ascii, map->out);
        }
    }
    if (map->look.is_colorful) {
        fputs("\033[0m", map->out);
    }
}

static void end_line(struct map *map)
{
    bool is_same = map->has_last && map->count == LINE_CELLS
                   && memcmp(map->line, map->last, LINE_CELLS) == 0;
    if (!is_same) {
        fputs("  ", map->out);
        for (size_t at = 0; at < map->count;) {
            size_t end = at + 1;
            while (end < map->count && map->line[end] == map->line[at]) {
                end++;
            }
            draw(map, map->line[at], end - at);
            at = end;
        }
        fputc('\n', map->out);
    } else if (!map->is_repeating) {
        fputs("  *\n", map->out);
    }
    memcpy(map->last, map->line, map->count);
    map->has_last = map->count == LINE_CELLS;
    map->is_repeating = is_same;
    map->count = 0;
}

static void add_cell(struct map *map, enum cell cell)
{
    map->line[map->count++] = (unsigned char)cell;
    map->is_used[cell] = true;
    if (map->count == LINE_CELLS) {
        end_line(map);
    }
}

static void end_unit(struct map *map)
{
    if (map->has_unit) {
        add_cell(map, map->cell);
    }
    map->has_unit = false;
}

/* What lies from START up to END is of the kind CELL. */
static void add(struct map *map, uintptr_t start, uintptr_t end,
                enum cell cell)
{
    for (uintptr_t at = start; at < end;) {
        uintptr_t unit = size_round_down(at, UNIT_BYTES);
        if (!map->has_unit || map->unit != unit) {
            end_unit(map);
            map->has_unit = true;
            map->unit = unit;
            map->cell = cell;
        }
        map->cell = cell > map->cell ? cell : map->cell;
        at = unit + UNIT_BYTES;
    }
}

static void add_guard(struct map *map)
{
    end_unit(map);
    add_cell(map, CELL_GUARD);
}

static bool is_intact(const struct map *map, uintptr_t start, uintptr_t end)
{
    arena_annotate_begin();
    bool is_canary = canary_is_intact(map->state->secret, start, end);
    arena_annotate_end();
    return is_canary;
}

/* The same where all is stamped, and as long as it still is. */
static void add_stamped(struct map *map, uintptr_t start, uintptr_t end,
                        enum cell cell)
{
    for (uintptr_t at = start; at < end;) {
        uintptr_t next = size_round_down(at, UNIT_BYTES) + UNIT_BYTES;
        next = next < end ? next : end;
        add(map, at, next,
            is_intact(map, at, next) ? cell : CELL_DAMAGED);
        at = next;
    }
}

static void add_canary(struct map *map, uintptr_t start, uintptr_t end)
{
    add_stamped(map, start, end, CELL_CANARY);
}

/* BLOCK, and its slack up to the next unit. Returns where that ends. */
static uintptr_t add_block(struct map *map, const struct block_record *block)
{
    uintptr_t end = block->start + block->bytes;
    uintptr_t slack_end = size_round_up(end, UNIT_BYTES);
    if (block->bytes == 0) {
        slack_end += UNIT_BYTES;
    }
    if (slack_end > end + block->tail_bytes) {
        slack_end = end + block->tail_bytes;
    }
    if (block->state == BLOCK_LIVE) {
        add(map, block->start, end,
            block_is_leaked(block) ? CELL_LEAKED : CELL_LIVE);
        add_stamped(map, end, slack_end, CELL_SLACK);
    } else if (block->state == BLOCK_REVOKED) {
        add(map, block->start, slack_end, CELL_FREED);
    } else {
        /* It is canary now. */
        add_stamped(map, block->start, slack_end, CELL_FREED);
    }
    return slack_end;
}

static void add_packed(struct map *map, const struct moat_arena *arena)
{
    uintptr_t at = arena->base;
    for (size_t i = 0; i < arena->block_count; i++) {
        const struct block_record *block = &arena->blocks[i];
        uintptr_t hole_start;
        uintptr_t hole_end;
        /* Behind the block before, and in front of this one. */
        if (hole_before(arena, i, map->state->page_bytes, &hole_start,
                        &hole_end)) {
            add_canary(map, at, hole_start);
            add(map, hole_start, hole_end, CELL_FREED);
            at = hole_end;
        }
        add_canary(map, at, block->start);
        at = add_block(map, block);
    }
    if (arena->block_count != 0) {
        const struct block_record *last
            = &arena->blocks[arena->block_count - 1];
        uintptr_t end = last->start + last->bytes + last->tail_bytes;
        add_canary(map, at, end);
        at = end;
    }
    add(map, at, arena->base + arena->reach_bytes, CELL_UNUSED);
}

static void add_fenced(struct map *map, const struct moat_arena *arena)
{
    size_t page_bytes = map->state->page_bytes;
    for (size_t i = 0; i < arena->block_count; i++) {
        const struct block_record *block = &arena->blocks[i];
        uintptr_t hole_start;
        uintptr_t hole_end;
        if (hole_before(arena, i, page_bytes, &hole_start, &hole_end)) {
            add(map, hole_start, hole_end, CELL_FREED);
        }
        uintptr_t end = block->start + block->bytes;
        uintptr_t first = size_round_down(block->start, page_bytes);
        uintptr_t last = size_round_up(end, page_bytes);
        if (block->state == BLOCK_REVOKED) {
            /* All of its pages are as inaccessible as the guards. */
            add(map, first, last, CELL_FREED);
        } else {
            uintptr_t front = block->start - block->front_bytes;
            add(map, first, front, CELL_UNUSED);
            add_canary(map, front, block->start);
            add_canary(map, add_block(map, block), end + block->tail_bytes);
            add(map, end + block->tail_bytes, last, CELL_UNUSED);
        }
        add_guard(map);
    }
}

static void add_legend(const struct map *map)
{
    int column = fprintf(map->out, "  %d bytes each:", UNIT_BYTES);
    const char *between = " ";
    for (enum cell cell = 0; cell < CELLS; cell++) {
        int columns = (int)strlen(looks[cell].name) + 4;
        if (!map->is_used[cell]) {
            continue;
        }
        if (cell == CELL_GUARD) {
            between = "; a page: ";
            columns += 8;
        }
        if (column + columns > LEGEND_COLUMNS) {
            fputs(cell == CELL_GUARD ? ";\n" : ",\n", map->out);
            between = cell == CELL_GUARD ? "  a page: " : "  ";
            column = 0;
        }
        fputs(between, map->out);
        draw(map, cell, 1);
        fprintf(map->out, " %s", looks[cell].name);
        between = ", ";
        column += columns;
    }
    fputc('\n', map->out);
}

void arena_dump_map(const struct moat_state *state,
                    const struct moat_arena *arena, FILE *out,
                    struct arena_map_look look)
{
    struct map map = { .state = state, .out = out, .look = look };
    arena_dump_head(arena, out);
    add_guard(&map);
    if (arena->layout == ARENA_PACKED) {
        add_packed(&map, arena);
        add_guard(&map);
    } else {
        add_fenced(&map, arena);
    }
    if (map.count != 0) {
        end_line(&map);
    }
    add_legend(&map);
    arena_dump_tail(arena, out);
    struct moat_stats stats;
    arena_stats(arena, &stats);
    fprintf(out, "  %zu bytes accessible, of which canaries take %zu\n",
            stats.accessible_bytes, stats.canary_bytes);
}
