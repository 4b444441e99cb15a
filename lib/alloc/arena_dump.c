/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumping an arena as text or in hex, as a plain bump allocator would hold it:
 * canaries are left out, and so offsets are those of the arena's capacity.
 */
#include "alloc/arena_inspect.h"

#include "alloc/arena_annotate.h"
#include "base/text.h"
#include "record/arena_record.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { LINE_BYTES = 64, HEX_BYTES = 16 };

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

/* The next bytes of BLOCK from AT on, a line at most, in a copy that nobody
 * takes for uninitialized memory. Returns how many. */
static size_t copy_line(const struct block_record *block, size_t at,
                        size_t line_bytes, unsigned char *copy)
{
    size_t left = block->bytes - at;
    size_t count = left < line_bytes ? left : line_bytes;
    memcpy(copy, (const unsigned char *)block->start + at, count);
    arena_annotate_copy(copy, count);
    return count;
}

static void add_block(struct dump *dump, const struct block_record *block)
{
    unsigned char bytes[LINE_BYTES];
    bool is_live = block->state == BLOCK_LIVE;
    for (size_t i = 0; i < block->bytes; i++) {
        if (is_live && i % LINE_BYTES == 0) {
            copy_line(block, i, LINE_BYTES, bytes);
        }
        unsigned char byte = is_live ? bytes[i % LINE_BYTES] : '.';
        add(dump, byte >= 0x20 && byte < 0x7f ? (char)byte : '.');
    }
}

void arena_dump_head(const struct moat_arena *arena, FILE *out)
{
    char name[sizeof arena->name];
    struct text printable = text_in(name, sizeof name);
    text_printable(&printable, arena->name);
    fprintf(out, "arena \"%s\", %zu of %zu bytes used\n", name,
            arena->cursor, arena->capacity);
}

void arena_dump_tail(const struct moat_arena *arena, FILE *out)
{
    size_t hole = arena_largest_hole(arena);
    fprintf(out, "  %zu live, %zu freed, ", arena->live_blocks,
            arena->block_count - arena->live_blocks);
    if (hole != 0) {
        fprintf(out, "largest hole %zu bytes, ", hole);
    }
    fprintf(out, "%zu bytes never used\n", arena->capacity - arena->cursor);
}

void arena_dump_text(const struct moat_arena *arena, FILE *out)
{
    struct dump dump = { .out = out };
    arena_dump_head(arena, out);
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
    arena_dump_tail(arena, out);
}

static void add_hex_line(FILE *out, size_t offset, const unsigned char *bytes,
                         size_t count)
{
    char text[HEX_BYTES + 1];
    fprintf(out, "  0x%04zx ", offset);
    for (size_t i = 0; i < HEX_BYTES; i++) {
        if (i == HEX_BYTES / 2) {
            fputc(' ', out);
        }
        if (i < count) {
            fprintf(out, " %02x", bytes[i]);
            text[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i]
                                                          : '.';
        } else {
            fputs("   ", out);
        }
    }
    text[count] = '\0';
    fprintf(out, "  |%s|\n", text);
}

/* Lines that say what the one before said are left out, as od(1) does. */
static void add_hex(FILE *out, const struct block_record *block)
{
    unsigned char last[HEX_BYTES];
    bool is_repeating = false;
    for (size_t at = 0; at < block->bytes; at += HEX_BYTES) {
        unsigned char line[HEX_BYTES];
        size_t count = copy_line(block, at, HEX_BYTES, line);
        bool is_last = at + count == block->bytes;
        bool is_same
            = at != 0 && !is_last && memcmp(last, line, HEX_BYTES) == 0;
        memcpy(last, line, count);
        if (!is_same) {
            add_hex_line(out, block->arena_offset + at, line, count);
        } else if (!is_repeating) {
            fputs("  *\n", out);
        }
        is_repeating = is_same;
    }
}

void arena_dump_hex(const struct moat_arena *arena, FILE *out)
{
    arena_dump_head(arena, out);
    for (size_t index = 0; index < arena->block_count; index++) {
        const struct block_record *block = &arena->blocks[index];
        bool is_live = block->state == BLOCK_LIVE;
        fprintf(out, "  block #%zu, %zu bytes [0x%" PRIxPTR ",0x%" PRIxPTR
                     "), %s\n",
                index + 1, block->bytes, block->start,
                block->start + block->bytes, is_live ? "live" : "freed");
        if (is_live) {
            add_hex(out, block);
        }
    }
    arena_dump_tail(arena, out);
}
