/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 13: resize. An arena is full and has to grow, a block is too small and has
 * to. Either moves what it held in the naive arena, and pointers of before
 * go on working, on what nobody looks at any more.
 *
 * A Moat arena grows where it is. A block that is resized moves, and a stale
 * pointer into the old one is found: a write at the next check in the packed
 * layout, any access at once in the fenced one.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    CAPACITY = 256,
    LARGER_CAPACITY = 512,
    MAX_CAPACITY = 1024,
    BLOCK_BYTES = 64,
    LARGER_BYTES = 128
};

static const char old_text[] = "Ada Byron";
static const char new_text[] = "Ada Lovelace";

/* The only way when nobody has kept the addresses behind it free. */
static void naive_grow(struct naive_arena *arena, size_t capacity)
{
    struct naive_arena larger = naive_create(capacity);

    memcpy(larger.base, arena->base, arena->used);
    larger.used = arena->used;
    naive_destroy(arena);
    *arena = larger;
}

static void *naive_realloc(struct naive_arena *arena, const void *block,
                           size_t old_size, size_t size)
{
    void *larger = naive_alloc(arena, size);

    if (larger != NULL) {
        memcpy(larger, block, old_size);
    }
    return larger;
}

static void naive_resize(void)
{
    legend_title("A naive arena of 256 bytes, with blocks of 64");
    struct naive_arena arena = naive_create(CAPACITY);
    char *name = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(name, old_text);
    legend_say(LEGEND_OK, "a block: \"%s\"", name);
    char *larger = naive_alloc(&arena, CAPACITY);
    lesson_claim(larger == NULL, "the arena is too small");
    legend_say(LEGEND_REFUSED, "a block of %d bytes: NULL", CAPACITY);

    /* As a number: what is left of the pointer when its memory is gone. */
    uintptr_t before = (uintptr_t)arena.base;
    naive_grow(&arena, LARGER_CAPACITY);
    bool is_moved = (uintptr_t)arena.base != before;
    lesson_claim(is_moved, "the arena has moved");
    legend_say(LEGEND_CORRUPT,
               "it grows to %zu bytes, and %s: old pointers are stale",
               arena.capacity, is_moved ? "moves" : "stays");

    name = arena.base;
    larger = naive_realloc(&arena, name, BLOCK_BYTES, LARGER_BYTES);
    legend_say(LEGEND_OK, "the block is resized to %d: \"%s\"", LARGER_BYTES,
               larger);
    strcpy(name, new_text);
    lesson_claim(strcmp(larger, old_text) == 0, "the write is lost");
    legend_say(LEGEND_CORRUPT, "written through the old pointer: \"%s\"",
               name);
    legend_say(LEGEND_CORRUPT, "nobody noticed; the block still is \"%s\"",
               larger);
    naive_destroy(&arena);
}

static struct moat_arena *create(enum moat_layout layout)
{
    struct moat_arena_config config = { .name = "names",
                                        .capacity = CAPACITY,
                                        .max_capacity = MAX_CAPACITY,
                                        .layout = layout };

    return lesson_need(moat_arena_create_with(&config));
}

/* Resize a block of ARENA; return the stale pointer. */
static char *outlive_the_resize(struct moat_arena *arena)
{
    char *name = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));

    strcpy(name, old_text);
    lesson_need(moat_arena_realloc(arena, name, LARGER_BYTES));
    return name;
}

/* Not inlined: here the compiler must not know that the block is freed. */
__attribute__((noinline)) static void write_name(volatile char *name)
{
    for (size_t i = 0; i < sizeof new_text; i++) {
        name[i] = new_text[i];
    }
}

static void write_packed(void)
{
    struct moat_arena *arena = create(MOAT_LAYOUT_PACKED);

    write_name(outlive_the_resize(arena));
    moat_arena_check(arena);
}

static void read_fenced(void)
{
    volatile char *name = outlive_the_resize(create(MOAT_LAYOUT_FENCED));

    (void)*name;
}

enum { PACKED, FENCED, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [PACKED] = { .name = "packed",
                 .commit = write_packed,
                 .kind = "heap-use-after-free",
                 .seen_at = "check",
                 .facts = { ", 0 bytes inside 64-byte block #1 [",
                            ") in arena \"names\" (", "damage: 13 bytes at ",
                            "\"Ada Lovelace" } },
    [FENCED] = { .name = "fenced",
                 .commit = read_fenced,
                 .kind = "heap-use-after-free",
                 .seen_at = "access",
                 .facts = { ", 0 bytes inside 64-byte block #1 [",
                            ") in arena \"names\" (", "it was freed by " } },
};

static void moat_resize(void)
{
    legend_title("The same steps on a Moat arena that may grow to 1024 bytes");
    struct moat_arena *arena = create(MOAT_LAYOUT_PACKED);
    char *name = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
    strcpy(name, old_text);
    legend_say(LEGEND_OK, "a block: \"%s\"", name);
    lesson_claim(moat_arena_alloc(arena, CAPACITY) == NULL,
                 "the arena is too small");
    legend_say(LEGEND_REFUSED, "a block of %d bytes: NULL", CAPACITY);

    const void *base = moat_arena_base(arena);
    int error = moat_arena_grow(arena, LARGER_CAPACITY);
    bool is_moved = moat_arena_base(arena) != base;
    lesson_claim(error == 0 && !is_moved, "the arena has grown in place");
    lesson_claim(strcmp(name, old_text) == 0, "the block is where it was");
    legend_say(LEGEND_OK, "it grows to %d bytes, and %s: the block is \"%s\"",
               LARGER_CAPACITY, is_moved ? "moves" : "stays", name);
    lesson_need(moat_arena_alloc(arena, CAPACITY));
    legend_say(LEGEND_OK, "a block of %d bytes", CAPACITY);
    error = moat_arena_grow(arena, MAX_CAPACITY + 1);
    lesson_claim(error == ENOMEM, "it grows as far as it was created for");
    legend_say(LEGEND_REFUSED, "beyond its max_capacity: %s", strerror(error));

    char *larger = lesson_need(moat_arena_realloc(arena, name, LARGER_BYTES));
    lesson_claim(larger != name && strcmp(larger, old_text) == 0,
                 "the block has moved, with what it held");
    legend_say(LEGEND_OK, "the block is resized to %d: \"%s\"", LARGER_BYTES,
               larger);
    moat_arena_destroy(arena);

    legend_title("A write through the old pointer, and a check");
    legend_say(LEGEND_CORRUPT, "written, and found at the next check:");
    lesson_crime(&crimes[PACKED]);

    legend_title("The old pointer in an arena whose blocks are fenced");
    legend_say(LEGEND_REFUSED, "stopped at the access, a read too:");
    lesson_crime(&crimes[FENCED]);
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_resize();
    moat_resize();
    return lesson_end();
}
