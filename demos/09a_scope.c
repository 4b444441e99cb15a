/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 09a: scope. An arena has bounds and a lifetime, and both are explicit: what
 * does not fit is refused, and all blocks end together, with the arena.
 *
 * The naive arena keeps the first promise and cannot keep the second: an old
 * pointer works on, into whatever is mapped there now.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 64, BLOCKS = 3 };

static const char *const texts[BLOCKS] = {
    "Hello arena",
    "Scoped allocator is born",
    "This is not malloc",
};

/* What moves into the addresses after the arena is gone. */
static const char tenant[] = "somebody else's words";

static void naive_scope(void)
{
    legend_title("A naive arena of 4096 bytes: mmap and an offset");
    struct naive_arena arena = naive_create(CAPACITY);
    for (int i = 0; i < BLOCKS; i++) {
        char *block = naive_alloc(&arena, BLOCK_BYTES);
        strcpy(block, texts[i]);
        legend_say(LEGEND_OK, "64-byte block at offset %td: \"%s\"",
                   block - arena.base, texts[i]);
    }
    legend_say(LEGEND_HEAP, "what the arena holds:");
    naive_dump(&arena);

    char *refused = naive_alloc(&arena, CAPACITY - arena.used + 1);
    lesson_claim(refused == NULL, "what does not fit is refused");
    legend_say(LEGEND_REFUSED, "one byte more than what is left: NULL");

    char *old_pointer = arena.base;
    naive_destroy(&arena);
    legend_say(LEGEND_UNMAPPED, "the arena and its blocks are gone");

    /*
     * The kernel may give these addresses to the next who asks. Asking for
     * them makes the lesson the same every day.
     */
    struct naive_arena newcomer = naive_create_at(old_pointer, CAPACITY);
    char *words = naive_alloc(&newcomer, BLOCK_BYTES);
    strcpy(words, tenant);
    lesson_claim(words == old_pointer, "a new arena has the old addresses");
    legend_say(LEGEND_OK, "a new arena, with a block: \"%s\"", words);
    legend_say(LEGEND_CORRUPT, "read through an old pointer: \"%s\"",
               old_pointer);
    old_pointer[0] = 'S';
    legend_say(LEGEND_CORRUPT, "written through it, the block is now \"%s\"",
               words);
    lesson_claim(strcmp(words, tenant) != 0, "the write went unnoticed");
    naive_destroy(&newcomer);
}

static struct moat_arena *create_or_exit(const char *name)
{
    struct moat_arena *arena = moat_arena_create(name, CAPACITY);

    if (arena == NULL) {
        perror("moat_arena_create");
        exit(EXIT_FAILURE);
    }
    return arena;
}

/*
 * Destroy an arena, let another one come, and use a pointer into the first.
 * volatile: the compiler must not leave out an access that has no purpose.
 */
static volatile char *outlive_the_arena(void)
{
    struct moat_arena *arena = create_or_exit("scope");
    volatile char *old_pointer = moat_arena_alloc(arena, BLOCK_BYTES);

    moat_arena_destroy(arena);
    struct moat_arena *newcomer = create_or_exit("newcomer");
    moat_arena_strdup(newcomer, tenant);
    return old_pointer;
}

static void read_after_destroy(void)
{
    (void)*outlive_the_arena();
}

static void write_after_destroy(void)
{
    *outlive_the_arena() = 'S';
}

enum { READ, WRITE, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [READ] = { .name = "read",
               .commit = read_after_destroy,
               .kind = "use-after-unmap",
               .seen_at = "access",
               .facts = { "READ at ", ", 0 bytes inside 64-byte block #1 [",
                          ") in arena \"scope\" (" } },
    [WRITE] = { .name = "write",
                .commit = write_after_destroy,
                .kind = "use-after-unmap",
                .seen_at = "access",
                .facts = { "WRITE at ", ", 0 bytes inside 64-byte block #1 [",
                           ") in arena \"scope\" (" } },
};

static void moat_scope(void)
{
    legend_title("The same steps on a Moat arena");
    struct moat_arena *arena = create_or_exit("scope");
    for (int i = 0; i < BLOCKS; i++) {
        char *block = moat_arena_alloc(arena, BLOCK_BYTES);
        strcpy(block, texts[i]);
        struct moat_finding finding;
        moat_describe(block, &finding);
        legend_say(LEGEND_OK, "64-byte block #%lu at offset %ld: \"%s\"",
                   finding.block.number, finding.arena.offset, texts[i]);
    }
    legend_say(LEGEND_HEAP, "what the arena holds:");
    moat_arena_dump(arena, stdout, MOAT_DUMP_TEXT);

    struct moat_stats stats;
    moat_arena_stats(arena, &stats);
    char *refused = moat_arena_alloc(arena, stats.capacity - stats.used + 1);
    lesson_claim(refused == NULL, "what does not fit is refused");
    legend_say(LEGEND_REFUSED, "one byte more than what is left: NULL");

    lesson_claim(moat_arena_check(arena) == 0, "nothing is damaged");
    moat_arena_destroy(arena);
    legend_say(LEGEND_UNMAPPED, "the arena and its blocks are gone");

    legend_say(LEGEND_REFUSED, "a new arena, and a read through an old"
                               " pointer:");
    lesson_crime(&crimes[READ]);
    legend_say(LEGEND_REFUSED, "and a write:");
    lesson_crime(&crimes[WRITE]);
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_scope();
    moat_scope();
    return lesson_end();
}
