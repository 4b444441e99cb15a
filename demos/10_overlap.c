/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 10: overlap. Two arenas over the same addresses. mmap() at a fixed address
 * takes it from whoever has it, without a word; from then on each of the two
 * writes over the other.
 *
 * Moat refuses the second arena, and says over which one it was to lie.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 32 };

static const char first_text[] = "this is the first's";
static const char second_text[] = "mine, says the second";

static void naive_overlap(void)
{
    legend_title("Two naive arenas, the second at the address of the first");
    struct naive_arena first = naive_create(CAPACITY);
    char *first_block = naive_alloc(&first, BLOCK_BYTES);
    strcpy(first_block, first_text);
    legend_say(LEGEND_OK, "the first arena's block: \"%s\"", first_block);
    naive_dump(&first);

    struct naive_arena second = naive_create_over(first.base, CAPACITY);
    lesson_claim(second.base == first.base, "mmap() takes the address away");
    legend_say(LEGEND_OK,
               "a second arena, by mmap() with MAP_FIXED: no error");
    lesson_claim(strcmp(first_block, first_text) != 0,
                 "the first arena's pages are gone");
    legend_say(LEGEND_CORRUPT, "the first arena's block is now \"%s\"",
               first_block);
    naive_dump(&first);

    char *second_block = naive_alloc(&second, BLOCK_BYTES);
    lesson_claim(second_block == first_block, "both blocks are the same");
    strcpy(second_block, second_text);
    legend_say(LEGEND_OK, "the second arena's block: \"%s\"", second_block);
    lesson_claim(strcmp(first_block, second_text) == 0,
                 "the second has written into the first");
    legend_say(LEGEND_CORRUPT, "the first arena's block is now \"%s\"",
               first_block);
    strcpy(first_block, first_text);
    legend_say(LEGEND_OK, "the first writes its words again");
    lesson_claim(strcmp(second_block, second_text) != 0,
                 "the first has written into the second");
    legend_say(LEGEND_CORRUPT, "the second arena's block is now \"%s\"",
               second_block);
    naive_dump(&second);

    /* Both are these addresses, so once is enough. */
    naive_destroy(&second);
    legend_say(LEGEND_UNMAPPED, "the second is gone, and the first with it");
}

/* Put an arena over FIRST, which lives. */
static struct moat_arena *create_over(const struct moat_arena *first)
{
    struct moat_arena_config config = { .name = "second",
                                        .capacity = CAPACITY,
                                        .at = moat_arena_base(first) };

    return moat_arena_create_with(&config);
}

static void overlap_and_go_on(void)
{
    struct moat_arena *first
        = lesson_need(moat_arena_create("first", CAPACITY));
    char *block = lesson_need(moat_arena_strdup(first, first_text));

    errno = 0;
    struct moat_arena *second = create_over(first);
    int error = errno;
    lesson_claim(second == NULL && error == EEXIST,
                 "the second arena is refused with EEXIST");
    legend_say(LEGEND_REFUSED, "the second arena: %s, %s",
               second == NULL ? "NULL" : "created", strerror(error));
    lesson_claim(strcmp(block, first_text) == 0
                     && moat_arena_check(first) == 0,
                 "the first arena is as it was");
    legend_say(LEGEND_OK, "the first arena's block: \"%s\"", block);

    second = lesson_need(moat_arena_create("second", CAPACITY));
    strcpy(lesson_need(moat_arena_alloc(second, BLOCK_BYTES)), second_text);
    lesson_claim(strcmp(block, first_text) == 0, "they are apart");
    legend_say(LEGEND_OK,
               "the second arena without a place asked for: elsewhere");
    moat_arena_destroy(second);
    moat_arena_destroy(first);
}

enum { OVERLAP, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [OVERLAP] = { .name = "overlap",
                  .commit = overlap_and_go_on,
                  .kind = "arena-overlap",
                  .seen_at = "access",
                  .facts = { ", 0 bytes inside arena \"first\" [",
                             "that is where arena \"second\" of capacity "
                             "0x1000 was to be created",
                             "arena \"first\" was created by " },
                  .goes_on = true },
};

static void moat_overlap(void)
{
    legend_title("The same steps with Moat arenas");
    legend_say(LEGEND_REFUSED, "a second arena over the first: refused");
    legend_say(LEGEND_OK, "the program goes on, because MOAT_OPTIONS has"
                          " halt_on_error=0:");
    lesson_crime(&crimes[OVERLAP]);
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_overlap();
    moat_overlap();
    return lesson_end();
}
