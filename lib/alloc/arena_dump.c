/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumping an arena as text, as a plain bump allocator would hold it: canaries
 * are left out, and so offsets are those of the arena's capacity.
 */
#include "alloc/arena_inspect.h"

#include "base/text.h"
#include "record/arena_record.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { LINE_BYTES = 64 };

struct dump {
    FILE *out;
    size_t offset;
    char line[LINE_BYTES + 1];
};

static void end_line(struct dump *dump)
{
    size_t filled = dump->offset % LINE_BYTES;
    size_t start = dump->offset - (filled == 0 ? LINE_BYTES : filled);
    dump->line[filled == 0 ? LINE_BYTES : filled] = '\0';
    fprintf(dump->out, "  0x%04zx  %s\n", start, dump->line);
}

static void add(struct dump *dump, char character)
{
    dump->line[dump->offset % LINE_BYTES] = character;
    dump->offset++;
    if (dump->offset % LINE_BYTES == 0) {
        end_line(dump);
    }
}

static void add_block(struct dump *dump, const struct block_record *block)
{
    const unsigned char *bytes = (const unsigned char *)block->start;
    bool is_live = block->state == BLOCK_LIVE;
    for (size_t i = 0; i < block->bytes; i++) {
        bool is_text = is_live && bytes[i] >= 0x20 && bytes[i] < 0x7f;
        add(dump, is_text ? (char)bytes[i] : '.');
    }
}

void arena_dump_text(const struct moat_arena *arena, FILE *out)
{
    struct dump dump = { .out = out };
    char name[sizeof arena->name];
    struct text printable = text_in(name, sizeof name);
    text_printable(&printable, arena->name);
    fprintf(out, "arena \"%s\", %zu of %zu bytes used\n", name,
            arena->cursor, arena->capacity);
    for (size_t index = 0; index < arena->block_count; index++) {
        const struct block_record *block = &arena->blocks[index];
        while (dump.offset < block->arena_offset) {
            add(&dump, '.');
        }
        add_block(&dump, block);
    }
    while (dump.offset < arena->cursor) {
        add(&dump, '.');
    }
    if (dump.offset % LINE_BYTES != 0) {
        end_line(&dump);
    }
    fprintf(out, "  %zu live, %zu freed, %zu bytes never used\n",
            arena->live_blocks, arena->block_count - arena->live_blocks,
            arena->capacity - arena->cursor);
}
