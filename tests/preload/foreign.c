/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign NAME: a program that gets blocks from libc's own malloc(), past what
 * is preloaded, and gives them back to free(); or that opens a library in
 * unusual ways (foreign_library.c).
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *(*libc_malloc)(size_t);

static void must(bool condition, int line)
{
    if (!condition) {
        fprintf(stderr, "line %d does not hold\n", line);
        exit(1);
    }
}
#define MUST(condition) must(condition, __LINE__)

static char *allocate(size_t bytes)
{
    char *block = libc_malloc(bytes);
    MUST(block != NULL);
    memset(block, 'f', bytes);
    return block;
}

static void give_back(size_t bytes)
{
    void (*volatile release)(void *) = free;
    void *(*volatile resize)(void *, size_t) = realloc;
    char *block = allocate(bytes);
    MUST(malloc_usable_size(block) >= bytes);
    release(block);
    block = resize(allocate(bytes), bytes + 1000);
    MUST(block != NULL && block[0] == 'f' && block[bytes - 1] == 'f');
    MUST(malloc_usable_size(block) >= bytes + 1000);
    release(block);
    block = resize(allocate(bytes), 10);
    MUST(block != NULL && block[9] == 'f');
    release(block);
}

static void small(void)
{
    give_back(24);
    give_back(100);
    give_back(5000);
}

static void large(void)
{
    give_back(200000);
    give_back(5000000);
}

static void *give_back_in_thread(void *unused)
{
    give_back(24);
    give_back(5000);
    give_back(300000);
    return unused;
}

static void of_a_thread(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, give_back_in_thread, NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void *open_library(void *(*open)(void))
{
    void *library = open();
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return library;
}

static void *open_deeply(void)
{
    return dlopen("libmoat-foreign-test.so", RTLD_NOW | RTLD_DEEPBIND);
}

static void *open_in_base(void)
{
    return dlmopen(LM_ID_BASE, "libmoat-foreign-test.so",
                   RTLD_NOW | RTLD_DEEPBIND);
}

static void *open_in_space(void)
{
    return dlmopen(LM_ID_NEWLM, "libmoat-foreign-test.so",
                   RTLD_NOW | RTLD_DEEPBIND);
}

static int call(void *library, const char *name)
{
    int (*function)(void);
    *(void **)&function = dlsym(library, name);
    MUST(function != NULL);
    return function();
}

static void deepbind(void)
{
    MUST(call(open_library(open_deeply), "library_works") == 7);
}

static void space(void)
{
    MUST(call(open_library(open_in_space), "library_works") == 7);
}

static void crime_in_deepbind(void)
{
    call(open_library(open_deeply), "library_overflows");
}

static void crime_in_base_space(void)
{
    call(open_library(open_in_base), "library_overflows");
}

/* What only looks a little like a block of libc's. */
static void crime_with_a_lookalike(void)
{
    static _Alignas(16) size_t words[8];
    void (*volatile release)(void *) = free;
    words[1] = 4096 | 2;
    words[0] = 0;
    release(&words[2]);
}

static void texts_are_given_back(void)
{
    void (*volatile release)(void *) = free;
    for (int i = 0; i < 3000; i++) {
        char *text;
        MUST(asprintf(&text, "number %d", i) > 0);
        release(text);
        release(realpath("/", NULL));
    }
}

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
#define PLAY(name) { #name, name }
    PLAY(crime_in_base_space),  PLAY(crime_in_deepbind),
    PLAY(crime_with_a_lookalike), PLAY(deepbind), PLAY(large),
    PLAY(of_a_thread),          PLAY(small),
    PLAY(space),                PLAY(texts_are_given_back),
};

int main(int argument_count, char *arguments[])
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    MUST(libc != NULL);
    *(void **)&libc_malloc = dlsym(libc, "malloc");
    MUST(libc_malloc != NULL);
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (argument_count == 2 && strcmp(arguments[1], plays[i].name) == 0) {
            plays[i].play();
            return 0;
        }
    }
    return 2;
}
