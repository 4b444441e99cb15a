/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 09b: the leak tracer. An arena of 256 bytes with blocks of 32: two good
 * ones, one leaked, and one written twice, the second time right behind what
 * the first time left.
 *
 * Did the second strcpy() corrupt the heap? Looking does not tell: the text
 * fills the block to its end. So this demo computes it, does the same with
 * one byte more, and shows who notices.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 256, BLOCK_BYTES = 32 };

static const char good_text[] = "a good block";
static const char other_good_text[] = "another good block";
static const char leaked_text[] = "nobody will free me";
static const char first_text[] = "Corrupting the arena";
static const char second_text[] = " on purpose";
/* One byte more. */
static const char longer_text[] = " on purpose!";

/*
 * The second strcpy(), behind the FIRST_TEXT in BLOCK. Not inlined: here the
 * compiler must not know how large the block is, or it would complain.
 */
__attribute__((noinline)) static void copy_behind(char *block,
                                                  const char *text)
{
    strcpy(block + strlen(first_text), text);
}

/* Say where copy_behind() of TEXT ends; return whether it is in the block. */
static bool judge_copy(const char *text)
{
    size_t offset = strlen(first_text);
    size_t copied = strlen(text) + 1;
    size_t end = offset + copied;

    if (end <= BLOCK_BYTES) {
        legend_say(LEGEND_OK,
                   "\"%s\": %zu + %zu = %zu, in a block of %d: no overflow",
                   text, offset, copied, end, BLOCK_BYTES);
        return true;
    }
    legend_say(LEGEND_CORRUPT,
               "\"%s\": %zu + %zu = %zu, in a block of %d: %zu too many", text,
               offset, copied, end, BLOCK_BYTES, end - BLOCK_BYTES);
    return false;
}

/* Print the ranges of bytes in which AFTER is not what BEFORE was. */
static void print_changes(const char *before, const char *after)
{
    size_t offset = 0;

    while (offset < CAPACITY) {
        size_t start = offset;
        while (offset < CAPACITY && before[offset] != after[offset]) {
            offset++;
        }
        if (offset > start) {
            printf("  bytes %zu to %zu changed\n", start, offset - 1);
        }
        offset++;
    }
}

static void naive_tracer(void)
{
    legend_title("A naive arena of 256 bytes, with blocks of 32");
    struct naive_arena arena = naive_create(CAPACITY);
    char *good = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(good, good_text);
    legend_say(LEGEND_OK, "a block: \"%s\"", good);
    strcpy(naive_alloc(&arena, BLOCK_BYTES), leaked_text);
    legend_say(LEGEND_LEAK, "a block whose address nobody keeps: \"%s\"",
               leaked_text);
    char *twice = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(twice, first_text);
    legend_say(LEGEND_OK, "a block to be written twice: \"%s\"", twice);
    char *other_good = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(other_good, other_good_text);
    legend_say(LEGEND_OK, "the block behind it: \"%s\"", other_good);

    char before[CAPACITY];
    memcpy(before, arena.base, CAPACITY);
    bool is_inside = judge_copy(second_text);
    copy_behind(twice, second_text);
    lesson_claim(is_inside, "the text of the notes fits");
    lesson_claim(strcmp(other_good, other_good_text) == 0,
                 "the block behind is as it was");
    legend_say(LEGEND_HEAP, "memcmp() with a copy made before: %s",
               memcmp(before, arena.base, CAPACITY) == 0 ? "same"
                                                         : "different");
    print_changes(before, arena.base);
    naive_dump(&arena);

    memcpy(before, arena.base, CAPACITY);
    is_inside = judge_copy(longer_text);
    copy_behind(twice, longer_text);
    lesson_claim(!is_inside, "one byte more does not fit");
    lesson_claim(strcmp(other_good, other_good_text) != 0,
                 "the block behind has changed");
    legend_say(LEGEND_CORRUPT,
               "nobody noticed; the block behind is now"
               " \"%s\"",
               other_good);
    print_changes(before, arena.base);
    naive_dump(&arena);

    naive_destroy(&arena);
    legend_say(LEGEND_UNMAPPED, "gone, and the leak with it: nobody counted");
}

struct scene {
    struct moat_arena *arena;
    char *good;
    char *twice;
    char *other_good;
};

/* The same four blocks, in an arena of Moat's. */
static struct scene set_scene(void)
{
    struct scene scene;

    scene.arena = moat_arena_create("leak tracer", CAPACITY);
    if (scene.arena == NULL) {
        perror("moat_arena_create");
        exit(EXIT_FAILURE);
    }
    scene.good = moat_arena_alloc(scene.arena, BLOCK_BYTES);
    strcpy(scene.good, good_text);
    strcpy(moat_arena_alloc(scene.arena, BLOCK_BYTES), leaked_text);
    scene.twice = moat_arena_alloc(scene.arena, BLOCK_BYTES);
    strcpy(scene.twice, first_text);
    scene.other_good = moat_arena_alloc(scene.arena, BLOCK_BYTES);
    strcpy(scene.other_good, other_good_text);
    return scene;
}

static void overflow_and_check(void)
{
    struct scene scene = set_scene();

    copy_behind(scene.twice, longer_text);
    moat_arena_check(scene.arena);
    moat_arena_destroy(scene.arena);
}

static void overflow_and_free(void)
{
    struct scene scene = set_scene();

    copy_behind(scene.twice, longer_text);
    moat_arena_free(scene.arena, scene.twice);
    moat_arena_destroy(scene.arena);
}

/* The block that fills the arena ends at the guard page behind it. */
static void overflow_the_last_block(void)
{
    struct scene scene = set_scene();
    char *last = NULL;
    char *block = moat_arena_alloc(scene.arena, BLOCK_BYTES);

    while (block != NULL) {
        last = block;
        block = moat_arena_alloc(scene.arena, BLOCK_BYTES);
    }
    strcpy(last, first_text);
    copy_behind(last, longer_text);
}

/* In the fenced layout each block ends at a guard page of its own. */
static void overflow_a_fenced_block(void)
{
    struct moat_arena_config config = { .name = "leak tracer",
                                        .capacity = CAPACITY,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *twice = moat_arena_alloc(arena, BLOCK_BYTES);

    strcpy(twice, first_text);
    copy_behind(twice, longer_text);
    moat_arena_destroy(arena);
}

enum { AT_CHECK, AT_FREE, AT_ACCESS, FENCED, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [AT_CHECK] = { .name = "check",
                   .commit = overflow_and_check,
                   .kind = "heap-buffer-overflow",
                   .seen_at = "check",
                   .facts = { ", 0 bytes after the end of 32-byte block #3 [",
                              "damage: 1 byte at " } },
    [AT_FREE] = { .name = "free",
                  .commit = overflow_and_free,
                  .kind = "heap-buffer-overflow",
                  .seen_at = "free",
                  .facts = { ", 0 bytes after the end of 32-byte block #3 [",
                             "damage: 1 byte at " } },
    [AT_ACCESS] = { .name = "access",
                    .commit = overflow_the_last_block,
                    .kind = "heap-buffer-overflow",
                    .seen_at = "access",
                    .facts = { ", 0 bytes after the end of 32-byte block #8 [",
                               "(arena offset 0x100 of 0x100)" } },
    [FENCED]
    = { .name = "fenced",
        .commit = overflow_a_fenced_block,
        .kind = "heap-buffer-overflow",
        .seen_at = "access",
        .facts = { ", 0 bytes after the end of 32-byte block #1 [" } },
};

static int count_live_block(const struct moat_block *block, void *context)
{
    unsigned *live_blocks = context;

    if (block->is_live) {
        legend_say(LEGEND_LEAK, "block #%lu, %zu bytes at offset %zu: \"%s\"",
                   block->number, block->size, block->arena_offset,
                   (const char *)block->start);
        (*live_blocks)++;
    }
    return 0;
}

static void moat_tracer(void)
{
    legend_title("The same steps on a Moat arena");
    struct scene scene = set_scene();
    legend_say(LEGEND_OK, "the same four blocks, the second one leaked");

    struct moat_snapshot *before = moat_arena_snapshot(scene.arena);
    bool is_inside = judge_copy(second_text);
    copy_behind(scene.twice, second_text);
    struct moat_snapshot *after = moat_arena_snapshot(scene.arena);
    size_t damaged_blocks = moat_arena_check(scene.arena);
    legend_say(LEGEND_OK, "Moat looked at all canaries: %zu damaged blocks",
               damaged_blocks);
    lesson_claim(is_inside == (damaged_blocks == 0),
                 "Moat agrees with the sum");
    legend_say(LEGEND_HEAP, "from a snapshot before to a snapshot after:");
    int changed_blocks = moat_snapshot_diff(before, after, stdout);
    lesson_claim(changed_blocks == 1, "one block changed");
    moat_snapshot_free(before);
    moat_snapshot_free(after);
    moat_arena_dump(scene.arena, stdout, MOAT_DUMP_TEXT);

    legend_title("One byte more, and a look at the canaries");
    judge_copy(longer_text);
    legend_say(LEGEND_CORRUPT, "written, and found at the next check:");
    lesson_crime(&crimes[AT_CHECK]);

    legend_title("One byte more, and the block is freed");
    legend_say(LEGEND_CORRUPT, "written, and found by free:");
    lesson_crime(&crimes[AT_FREE]);

    legend_title("One byte more, in the block that fills the arena");
    legend_say(LEGEND_REFUSED, "stopped by the guard page, where it ends:");
    lesson_crime(&crimes[AT_ACCESS]);

    legend_title("One byte more, in an arena whose blocks are fenced");
    legend_say(LEGEND_REFUSED, "stopped by the guard page of the block:");
    lesson_crime(&crimes[FENCED]);

    legend_title("Which block does nobody refer to?");
    legend_say(LEGEND_LEAK, "Moat looked for pointers to each live block:");
    size_t leaked_blocks = moat_arena_leaks(scene.arena, stdout);
    lesson_claim(leaked_blocks == 1, "one block has no pointer to it");
    moat_arena_dump(scene.arena, stdout, MOAT_DUMP_MAP);

    legend_title("Who is left when all blocks that somebody holds are freed");
    moat_arena_free(scene.arena, scene.good);
    moat_arena_free(scene.arena, scene.twice);
    moat_arena_free(scene.arena, scene.other_good);
    unsigned live_blocks = 0;
    moat_arena_walk(scene.arena, count_live_block, &live_blocks);
    lesson_claim(live_blocks == 1, "one block leaked");
    moat_arena_destroy(scene.arena);
    legend_say(LEGEND_UNMAPPED, "gone, and the leak with it: counted");
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_tracer();
    moat_tracer();
    return lesson_end();
}
