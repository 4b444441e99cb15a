/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors that AddressSanitizer or Valgrind sees in arenas because Moat tells
 * them what is live there. Each is one access, in a function of the scene's
 * name, and nothing that Moat itself would report before.
 *
 *     scenes packed|fenced SCENE...
 *
 * Valgrind goes on after an error, so that one run can play many scenes; each
 * says its name first. A fault that an access then meets is expected.
 */
#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum moat_layout layout;

static struct moat_arena *create(size_t capacity, size_t max_capacity,
                                 void *at)
{
    struct moat_arena_config config;
    memset(&config, 0, sizeof config);
    config.name = "scene";
    config.capacity = capacity;
    config.max_capacity = max_capacity;
    config.layout = layout;
    config.at = at;
    struct moat_arena *arena = moat_arena_create_with(&config);
    if (arena == NULL) {
        perror("moat_arena_create_with");
        exit(EXIT_FAILURE);
    }
    return arena;
}

/* What the compiler must not know, or it warns or leaves out. */
static char *hide(void *pointer)
{
    char *volatile hidden = (char *)pointer;
    return hidden;
}

/* Without Moat nothing would end the expectation, so nothing would be run. */
#ifdef MOAT_OFF
#define ACCESS(...) __VA_ARGS__
#else
#define ACCESS(...)                                                            \
    do {                                                                       \
        struct moat_finding finding;                                           \
        MOAT_EXPECT_FAULT(&finding) {                                          \
            __VA_ARGS__;                                                       \
        }                                                                      \
    } while (0)
#endif

#define READ(place) ACCESS((void)*(volatile char *)(place))
#define WRITE(place) ACCESS(*(volatile char *)(place) = 'x')

static __attribute__((noinline)) void write_behind_a_block(void)
{
    char *block = hide(moat_arena_alloc(create(4096, 0, NULL), 20));
    WRITE(block + 20);
}

static __attribute__((noinline)) void read_behind_a_block(void)
{
    char *block = hide(moat_arena_alloc(create(4096, 0, NULL), 20));
    READ(block + 20);
}

static __attribute__((noinline)) void read_in_front_of_a_block(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    moat_arena_alloc(arena, 20);
    READ(hide(moat_arena_alloc(arena, 32)) - 1);
}

/* In a packed arena, a canary; what no block has reached, with MOAT_OFF. */
static __attribute__((noinline)) void read_behind_the_last_block(void)
{
    READ(hide(moat_arena_alloc(create(4096, 0, NULL), 32)) + 40);
}

static __attribute__((noinline)) void copy_too_much(void)
{
    char *block = hide(moat_arena_alloc(create(4096, 0, NULL), 20));
    ACCESS(strcpy(block, "20 + 1 characters, no"));
}

static __attribute__((noinline)) void write_behind_a_string(void)
{
    /* In a fenced arena it ends at its guard page. */
    struct moat_arena *arena = create(4096, 0, NULL);
    char *text = hide(moat_arena_strdup(arena, "fish"));
    WRITE(layout == MOAT_LAYOUT_PACKED ? text + 5 : text - 4);
}

static __attribute__((noinline)) void read_a_freed_block(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_calloc(arena, 1, 32));
    moat_arena_free(arena, block);
    READ(block + 31);
}

static __attribute__((noinline)) void write_to_a_freed_block(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_alloc(arena, 20));
    moat_arena_free(arena, block);
    WRITE(block);
}

static __attribute__((noinline)) void read_a_block_that_moved(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_calloc(arena, 1, 32));
    moat_arena_realloc(arena, block, 64);
    READ(block);
}

static __attribute__((noinline)) void write_behind_a_block_that_moved(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_alloc(arena, 32));
    block = hide(moat_arena_realloc(arena, block, 20));
    WRITE(block + 20);
}

static __attribute__((noinline)) void read_what_was_reset(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_calloc(arena, 1, 32));
    moat_arena_reset(arena);
    READ(block);
}

static __attribute__((noinline)) void write_behind_a_block_after_a_reset(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    moat_arena_alloc(arena, 100);
    moat_arena_reset(arena);
    WRITE(hide(moat_arena_alloc(arena, 20)) + 20);
}

/* It shares a page with an older block, in a packed arena. */
static __attribute__((noinline)) void read_what_was_taken_back(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *kept = hide(moat_arena_calloc(arena, 1, 32));
    struct moat_mark mark = moat_arena_mark(arena);
    char *block = hide(moat_arena_calloc(arena, 1, 32));
    moat_arena_rewind(arena, mark);
    kept[31] = 'x';
    READ(block);
}

static __attribute__((noinline)) void write_behind_a_block_after_a_rewind(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    moat_arena_alloc(arena, 32);
    struct moat_mark mark = moat_arena_mark(arena);
    moat_arena_alloc(arena, 100);
    moat_arena_rewind(arena, mark);
    WRITE(hide(moat_arena_alloc(arena, 20)) + 20);
}

static __attribute__((noinline)) void write_behind_a_block_after_growing(void)
{
    struct moat_arena *arena = create(4096, 65536, NULL);
    moat_arena_alloc(arena, 4096);
    moat_arena_grow(arena, 65536);
    WRITE(hide(moat_arena_alloc(arena, 10004)) + 10004);
}

/* Where another arena was before. */
static __attribute__((noinline)) void write_behind_a_block_in_place(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    void *place = moat_arena_base(arena);
    memset(moat_arena_alloc(arena, 4096), 'x', 4096);
    moat_arena_destroy(arena);
    arena = create(4096, 0, place);
    WRITE(hide(moat_arena_alloc(arena, 20)) + 20);
}

static __attribute__((noinline)) void read_in_front_of_a_copy(void)
{
    READ(hide(moat_guarded_copy("12345678", 8, MOAT_PLACEMENT_AFTER)) - 1);
}

static __attribute__((noinline)) void read_behind_a_copy(void)
{
    READ(hide(moat_guarded_copy("12345", 5, MOAT_PLACEMENT_BEFORE)) + 5);
}

static __attribute__((noinline)) void read_a_freed_copy(void)
{
    char *copy = hide(moat_guarded_copy("12345", 5, MOAT_PLACEMENT_BEFORE));
    moat_guarded_free(copy);
    READ(copy);
}

static __attribute__((noinline)) void read_a_destroyed_arena(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_calloc(arena, 1, 32));
    moat_arena_destroy(arena);
    READ(block);
}

/* Valgrind only. */
static int decided;

static __attribute__((noinline)) void decide_by_what_is_not_there(void)
{
    char *block = hide(moat_arena_alloc(create(4096, 0, NULL), 32));
    if (block[5] == 'x') {
        decided++;
    }
}

static __attribute__((noinline)) void decide_by_what_realloc_added(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    char *block = hide(moat_arena_calloc(arena, 1, 20));
    block = hide(moat_arena_realloc(arena, block, 40));
    if (block[19] == 'x') {
        decided++;
    }
    if (block[21] == 'x') {
        decided++;
    }
}

static __attribute__((noinline)) void decide_by_what_a_reset_left(void)
{
    struct moat_arena *arena = create(4096, 0, NULL);
    memset(moat_arena_alloc(arena, 32), 'x', 32);
    moat_arena_reset(arena);
    char *block = hide(moat_arena_alloc(arena, 32));
    if (block[5] == 'x') {
        decided++;
    }
}

/* Where it lies, one block refers to another, and one to a block of malloc();
 * and one is lost. To be played alone. */
static __attribute__((noinline)) void lose_a_block(void)
{
    static void **kept;
    struct moat_arena *arena = create(4096, 0, NULL);
    kept = (void **)moat_arena_alloc(arena, 2 * sizeof *kept);
    kept[0] = moat_arena_calloc(arena, 1, 64);
    kept[1] = malloc(100);
    moat_arena_calloc(arena, 1, 48);
}

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
#define SCENE(name) { #name, name }
    SCENE(write_behind_a_block),
    SCENE(read_behind_a_block),
    SCENE(read_in_front_of_a_block),
    SCENE(read_behind_the_last_block),
    SCENE(copy_too_much),
    SCENE(write_behind_a_string),
    SCENE(read_a_freed_block),
    SCENE(write_to_a_freed_block),
    SCENE(read_a_block_that_moved),
    SCENE(write_behind_a_block_that_moved),
    SCENE(read_what_was_reset),
    SCENE(write_behind_a_block_after_a_reset),
    SCENE(read_what_was_taken_back),
    SCENE(write_behind_a_block_after_a_rewind),
    SCENE(write_behind_a_block_after_growing),
    SCENE(write_behind_a_block_in_place),
    SCENE(read_in_front_of_a_copy),
    SCENE(read_behind_a_copy),
    SCENE(read_a_freed_copy),
    SCENE(read_a_destroyed_arena),
    SCENE(decide_by_what_is_not_there),
    SCENE(decide_by_what_realloc_added),
    SCENE(decide_by_what_a_reset_left),
    SCENE(lose_a_block),
};

int main(int count, char **arguments)
{
    layout = count > 1 && strcmp(arguments[1], "fenced") == 0
                 ? MOAT_LAYOUT_FENCED
                 : MOAT_LAYOUT_PACKED;
    for (int i = 2; i < count; i++) {
        size_t number = 0;
        size_t all = sizeof scenes / sizeof scenes[0];
        while (number < all && strcmp(scenes[number].name, arguments[i]) != 0) {
            number++;
        }
        if (number == all) {
            fprintf(stderr, "no scene %s\n", arguments[i]);
            return EXIT_FAILURE;
        }
        fprintf(stderr, "scene %s\n", arguments[i]);
        scenes[number].play();
    }
    fputs("the end\n", stderr);
    if (count > 3) {
        /* Canaries were written over: no check at exit. */
        _Exit(EXIT_SUCCESS);
    }
    return EXIT_SUCCESS;
}
