/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subject CIRCUMSTANCE CRIME: commits a crime of crimes.def
 *
 *   alone    in the first thread;
 *   thread   in a second thread, prepared for the end of its stack;
 *   child    in a forked child, as which the parent ends, after seeing that
 *            its own arena is as it was;
 *   crowd    while two other threads create and destroy arenas.
 */
#include <moat.h>

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct moat_arena *arena;
static char *first;
static char *second;
static char *third;
static char global[64];
static const char constant[64] = "constant";

/* UBSan must not see a NULL pointer before Moat does. */
#define CRIMINAL __attribute__((noinline, no_sanitize("undefined")))

CRIMINAL static void write_to(volatile char *place)
{
    *place = '!';
}

__attribute__((noinline)) static void write_zero_to(volatile char *place)
{
    *place = '\0';
}

CRIMINAL static char read_from(const volatile char *place)
{
    return *place;
}

__attribute__((noinline)) static void write_text(volatile char *place,
                                                 const char *text)
{
    while (*text != '\0') {
        *place++ = *text++;
    }
}

__attribute__((noinline)) static void call(void (*function)(void))
{
    /* The compiler must not see that this can not end well. */
    void (*volatile hidden)(void) = function;
    hidden();
    /* Keeps the call from becoming a jump. */
    write_to((char[]){ ' ' });
}

static void keep(void *block)
{
    void *volatile kept = block;
    (void)kept;
}

static void keep_number(int number)
{
    volatile int kept = number;
    (void)kept;
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[400];
    frame[0] = (char)depth;
    return depth < 0 ? depth : recurse(depth + 1) + frame[0];
}

__attribute__((noinline)) static void free_local(struct moat_arena *owner)
{
    char local[16] = "";
    /* The compiler must not see that this is no block. */
    char *volatile pointer = local;
    moat_arena_free(owner, pointer);
}

static char *copy_of(const char *text, size_t size,
                     enum moat_placement placement)
{
    char *copy = moat_guarded_copy(text, size, placement);
    if (copy == NULL || memcmp(copy, text, size) != 0) {
        exit(2);
    }
    return copy;
}

static char *large_copy(void)
{
    char *bytes = calloc(1, 5000000);
    char *copy = moat_guarded_copy(bytes, 5000000, MOAT_PLACEMENT_AFTER);
    free(bytes);
    return copy;
}

static void copy_and_free(int count)
{
    for (int i = 0; i < count; i++) {
        moat_guarded_free(copy_of("copy", (size_t)i % 5,
                                  i % 2 == 0 ? MOAT_PLACEMENT_AFTER
                                             : MOAT_PLACEMENT_BEFORE));
    }
}

static void create_at(void *place)
{
    struct moat_arena_config config = { .name = "over", .capacity = 64,
                                        .at = place };
    moat_arena_create_with(&config);
}

/* The compiler must not see that the old pointer is no longer good. */
__attribute__((noinline)) static void resize(char *block, size_t size)
{
    void *volatile hidden = block;
    keep(moat_arena_realloc(arena, hidden, size));
}

/* The arena and its blocks again, where the program wants them. */
static void place_anew(enum moat_layout layout)
{
    struct moat_arena_config config = { .name = "letters", .capacity = 4096,
                                        .at = moat_arena_base(arena),
                                        .layout = layout };
    moat_arena_destroy(arena);
    arena = moat_arena_create_with(&config);
    first = moat_arena_alloc(arena, 32);
    second = moat_arena_alloc(arena, 20);
    third = moat_arena_alloc(arena, 32);
}

static void come_and_go(int count)
{
    for (int i = 0; i < count; i++) {
        struct moat_arena *other = moat_arena_create("other", 4096);
        memset(moat_arena_alloc(other, 100), 1, 100);
        moat_arena_destroy(other);
    }
}

static void reset_often(int count)
{
    for (int i = 0; i < count; i++) {
        moat_arena_reset(arena);
        memset(moat_arena_alloc(arena, 100), 1, 100);
    }
}

#define CRIME(name, body, kind, seen, relation, damage)                        \
    static void name(void)                                                     \
    {                                                                          \
        body;                                                                  \
    }
#include "crimes.def"
#undef CRIME

static const struct {
    const char *name;
    void (*commit)(void);
} crimes[] = {
#define CRIME(name, body, kind, seen, relation, damage) { #name, name },
#include "crimes.def"
#undef CRIME
};

static void (*commit)(void);

static void *commit_in_thread(void *unused)
{
    if (moat_thread_prepare() != 0) {
        exit(2);
    }
    commit();
    return unused;
}

static void commit_in_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        commit();
        exit(0);
    }
    if (waitpid(child, &status, 0) != child) {
        exit(2);
    }
    /* Nothing of it is seen here. */
    if (moat_arena_check(arena) != 0 || read_from(second) != 's') {
        exit(3);
    }
    write_to(second);
    moat_arena_free(arena, first);
    moat_arena_free(arena, second);
    moat_arena_free(arena, third);
    moat_arena_destroy(arena);
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    exit(WEXITSTATUS(status));
}

static pthread_barrier_t all_are_busy;

static void *be_busy(void *unused)
{
    come_and_go(10);
    pthread_barrier_wait(&all_are_busy);
    /* Not without end: records of blocks are kept of some 8000 arenas. */
    come_and_go(3000);
    for (;;) {
        pause();
    }
    return unused;
}

static void commit_in_crowd(void)
{
    pthread_t threads[2];
    pthread_barrier_init(&all_are_busy, NULL, 3);
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, be_busy, NULL);
    }
    pthread_barrier_wait(&all_are_busy);
    commit();
}

int main(int argument_count, char *arguments[])
{
    if (argument_count != 3) {
        return 2;
    }
    struct moat_arena_config config = { .name = "letters", .capacity = 4096 };
    if (strncmp(arguments[2], "fenced", 6) == 0) {
        config.layout = MOAT_LAYOUT_FENCED;
    }
    arena = moat_arena_create_with(&config);
    if (arena == NULL) {
        return 2;
    }
    first = moat_arena_alloc(arena, 32);
    second = moat_arena_alloc(arena, 20);
    third = moat_arena_alloc(arena, 32);
    second[0] = 's';
    for (size_t i = 0; i < sizeof crimes / sizeof crimes[0]; i++) {
        if (strcmp(crimes[i].name, arguments[2]) == 0) {
            commit = crimes[i].commit;
        }
    }
    if (commit == NULL) {
        return 2;
    }
    if (strcmp(arguments[1], "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, commit_in_thread, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(arguments[1], "child") == 0) {
        commit_in_child();
    } else if (strcmp(arguments[1], "crowd") == 0) {
        commit_in_crowd();
    } else {
        commit();
    }
    /* A crime that nobody noticed. */
    return 5;
}
