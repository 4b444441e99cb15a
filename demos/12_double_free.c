/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 12: double free. The naive arena gets what many have, a list of blocks to be
 * used again. It believes all that it is told: a block freed twice, a pointer
 * into a block, another arena's block. Each time two owners get one memory.
 *
 * Moat knows its blocks. Nothing else is freed, and the mistake is reported
 * where it is made.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 32, INSIDE = 8 };

/* Fills a block to its last byte. */
static const char long_text[] = "a text that fills it to the end";
_Static_assert(sizeof long_text == BLOCK_BYTES, "a block is filled");

/* A naive arena of blocks of one size, with a list of those to use again. */
struct pool {
    struct naive_arena arena;
    /* A freed block starts with the address of the next one. */
    void *freed;
};

static struct pool pool_create(void)
{
    return (struct pool){ .arena = naive_create(CAPACITY) };
}

static char *pool_alloc(struct pool *pool)
{
    void *block = pool->freed;

    if (block == NULL) {
        return naive_alloc(&pool->arena, BLOCK_BYTES);
    }
    memcpy(&pool->freed, block, sizeof pool->freed);
    return block;
}

static void pool_free(struct pool *pool, void *block)
{
    memcpy(block, &pool->freed, sizeof pool->freed);
    pool->freed = block;
}

static bool pool_holds(const struct pool *pool, const char *block)
{
    return (uintptr_t)block - (uintptr_t)pool->arena.base < CAPACITY;
}

static void naive_free_twice(void)
{
    struct pool pool = pool_create();
    char *block = pool_alloc(&pool);

    pool_free(&pool, block);
    pool_free(&pool, block);
    legend_say(LEGEND_OK, "a block is freed, and freed again: no error");
    char *alice = pool_alloc(&pool);
    char *bob = pool_alloc(&pool);
    strcpy(alice, "Alice");
    strcpy(bob, "Bob");
    lesson_claim(alice == bob, "two get the same block");
    legend_say(LEGEND_CORRUPT,
               "Alice gets a block, then Bob: hers is now \"%s\"", alice);
    naive_destroy(&pool.arena);
}

static void naive_free_inside(void)
{
    struct pool pool = pool_create();
    char *block = pool_alloc(&pool);
    char *neighbour = pool_alloc(&pool);

    strcpy(neighbour, "the neighbour");
    legend_say(LEGEND_OK, "two blocks, the second: \"%s\"", neighbour);
    pool_free(&pool, block + INSIDE);
    legend_say(LEGEND_OK, "a pointer %d bytes into a block is freed: no error",
               INSIDE);
    char *next = pool_alloc(&pool);
    strcpy(next, long_text);
    lesson_claim(next + BLOCK_BYTES > neighbour, "blocks overlap");
    lesson_claim(strcmp(neighbour, "the neighbour") != 0,
                 "the neighbour is written over");
    legend_say(LEGEND_CORRUPT,
               "the next block is filled, and its neighbour"
               " is now \"%s\"",
               neighbour);
    naive_destroy(&pool.arena);
}

static void naive_free_elsewhere(void)
{
    struct pool guests = pool_create();
    struct pool rooms = pool_create();
    char *room = pool_alloc(&rooms);

    strcpy(room, "room 12");
    pool_free(&guests, room);
    legend_say(LEGEND_OK, "a room is freed among the guests: no error");
    char *guest = pool_alloc(&guests);
    strcpy(guest, "Carol");
    lesson_claim(!pool_holds(&guests, guest) && pool_holds(&rooms, guest),
                 "the guests' block is not in their arena");
    legend_say(LEGEND_CORRUPT,
               "the next guest gets \"room 12\", which is now \"%s\"", room);
    naive_destroy(&guests.arena);
    naive_destroy(&rooms.arena);
}

static struct moat_arena *create(const char *name)
{
    return lesson_need(moat_arena_create(name, CAPACITY));
}

static void free_twice(void)
{
    struct moat_arena *guests = create("guests");
    char *block = lesson_need(moat_arena_alloc(guests, BLOCK_BYTES));

    moat_arena_free(guests, block);
    moat_arena_free(guests, block);
}

static void free_inside(void)
{
    struct moat_arena *guests = create("guests");
    char *block = lesson_need(moat_arena_alloc(guests, BLOCK_BYTES));

    moat_arena_free(guests, block + INSIDE);
}

static void free_elsewhere(void)
{
    struct moat_arena *guests = create("guests");
    struct moat_arena *rooms = create("rooms");

    moat_arena_free(guests, lesson_need(moat_arena_alloc(rooms, BLOCK_BYTES)));
}

enum { TWICE, INSIDE_A_BLOCK, ELSEWHERE, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [TWICE]
    = { .name = "twice",
        .commit = free_twice,
        .kind = "double-free",
        .seen_at = "free",
        .facts
        = { ", 0 bytes inside 32-byte block #1 [", ") in arena \"guests\" (",
            "block #1 was allocated by ", "it was freed by " } },
    [INSIDE_A_BLOCK] = { .name = "inside",
                         .commit = free_inside,
                         .kind = "bad-free",
                         .seen_at = "free",
                         .facts = { ", 8 bytes inside 32-byte block #1 [",
                                    ") in arena \"guests\" (" } },
    [ELSEWHERE] = { .name = "elsewhere",
                    .commit = free_elsewhere,
                    .kind = "bad-free",
                    .seen_at = "free",
                    .facts = { ", 0 bytes inside 32-byte block #1 [",
                               ") in arena \"rooms\" (",
                               "it was to be freed in arena \"guests\", " } },
};

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    legend_title("A naive arena with a list of blocks to use again");
    naive_free_twice();
    naive_free_inside();
    naive_free_elsewhere();

    legend_title("The same steps on Moat arenas");
    legend_say(LEGEND_REFUSED, "a block is freed, and freed again:");
    lesson_crime(&crimes[TWICE]);
    legend_say(LEGEND_REFUSED, "a pointer into a block is freed:");
    lesson_crime(&crimes[INSIDE_A_BLOCK]);
    legend_say(LEGEND_REFUSED, "a room is freed among the guests:");
    lesson_crime(&crimes[ELSEWHERE]);
    return lesson_end();
}
