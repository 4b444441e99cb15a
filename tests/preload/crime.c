/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crime NAME: one memory error, in an ordinary program that knows nothing of
 * Moat. Exit status 0 when nobody has stopped it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile reallocate)(void *, size_t) = realloc;
static void (*volatile release)(void *) = free;
/* Not the compiler's own, which would take a few instructions instead. */
static size_t (*volatile length)(const char *) = strlen;
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static volatile char sink;

static void read_past_a_full_block(void)
{
    volatile char *block = allocate(32);
    sink = block[32];
}

static void write_past_a_full_block(void)
{
    volatile char *block = allocate(32);
    block[32] = 'x';
}

static void write_into_slack(void)
{
    char *block = allocate(21);
    ((volatile char *)block)[21] = 'x';
    release(block);
}

static void write_into_slack_and_exit(void)
{
    volatile char *block = allocate(21);
    block[22] = 'x';
}

static void write_in_front(void)
{
    char *block = allocate(32);
    ((volatile char *)block)[-1] = 'x';
    release(block);
}

static void read_in_front(void)
{
    volatile char *block = allocate(32);
    sink = block[-1];
}

/* A child for each size from 1 to 300. */
static void read_behind_each_size(void)
{
    for (size_t bytes = 1; bytes <= 300; bytes++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            volatile char *block = allocate(bytes);
            block[bytes - 1] = 'x';
            sink = block[bytes];
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child
            || !WIFEXITED(status) || WEXITSTATUS(status) != 99) {
            printf("%zu bytes\n", bytes);
        }
    }
}

static void read_a_page_in_front(void)
{
    volatile char *block = allocate(4096);
    sink = block[-1];
}

static void read_a_freed_block(void)
{
    char *block = allocate(32);
    release(block);
    sink = ((volatile char *)block)[5];
}

static void write_to_a_freed_block(void)
{
    char *block = allocate(5000000);
    release(block);
    ((volatile char *)block)[4999999] = 'x';
}

static void read_a_large_freed_block(void)
{
    char *block = allocate(5 << 20);
    release(block);
    sink = ((volatile char *)block)[5 << 19];
}

static void measure_a_freed_string(void)
{
    char *text = strdup("a string of 27 characters.");
    release(text);
    sink = (char)length(text);
}

static void copy_from_a_freed_block(void)
{
    static char target[64];
    char *block = allocate(64);
    release(block);
    copy(target, block, 64);
}

static void copy_to_a_freed_block(void)
{
    static const char source[64] = "x";
    char *block = allocate(64);
    release(block);
    copy(block, source, 64);
}

static void *release_it(void *block)
{
    release(block);
    return NULL;
}

static void *read_it(void *block)
{
    sink = ((volatile char *)block)[7];
    return NULL;
}

static void run_in_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, function, argument) == 0) {
        pthread_join(thread, NULL);
    }
}

static void read_what_another_thread_freed(void)
{
    char *block = allocate(48);
    run_in_thread(release_it, block);
    read_it(block);
}

static void read_a_freed_block_in_another_thread(void)
{
    char *block = allocate(48);
    release(block);
    run_in_thread(read_it, block);
}

static void free_twice_in_two_threads(void)
{
    char *block = allocate(48);
    run_in_thread(release_it, block);
    release(block);
}

static void read_a_block_freed_long_ago(void)
{
    char *block = allocate(32);
    release(block);
    for (int i = 0; i < 10000; i++) {
        release(allocate(32));
    }
    sink = ((volatile char *)block)[5];
}

static void free_twice(void)
{
    char *block = allocate(32);
    release(block);
    release(block);
}

static void free_twice_with_thousands_between(void)
{
    char *block = allocate(32);
    release(block);
    for (int i = 0; i < 5000; i++) {
        release(allocate(32));
    }
    release(block);
}

static void free_an_interior_pointer(void)
{
    char *block = allocate(32);
    release(block + 16);
}

static void free_the_stack(void)
{
    char local[32];
    release(local);
}

static void free_a_global(void)
{
    release((void *)&sink);
}

static void free_a_wild_pointer(void)
{
    release((void *)(uintptr_t)0x123456789abc);
}

static void realloc_a_freed_block(void)
{
    char *block = allocate(32);
    release(block);
    reallocate(block, 64);
}

static void use_the_old_block_after_realloc(void)
{
    char *block = allocate(32);
    reallocate(block, 64);
    ((volatile char *)block)[3] = 'x';
}

static void read_past_a_shrunk_block(void)
{
    char *block = allocate(64);
    block = reallocate(block, 32);
    sink = ((volatile char *)block)[32];
}

static void copy_an_unterminated_string(void)
{
    static char target[100000];
    char *text = allocate(16);
    memset(text, 'a', 16);
    strcpy(target, text);
}

/* All of odd sizes. */
static void read_past_a_string(char *text)
{
    size_t bytes = strlen(text) + 1;
    if (bytes % 2 == 0 || malloc_usable_size(text) != bytes) {
        exit(3);
    }
    sink = ((volatile char *)text)[bytes - 1];
    sink = ((volatile char *)text)[bytes];
}

static void read_past_what_strdup_made(void)
{
    read_past_a_string(strdup("even"));
}

static void read_past_what_strndup_made(void)
{
    read_past_a_string(strndup("even and more", 4));
}

static void read_past_what_asprintf_made(void)
{
    char *text;
    if (asprintf(&text, "%d-%d", 12, 345) == 6) {
        read_past_a_string(text);
    }
}

static void read_past_a_line(void)
{
    FILE *file = tmpfile();
    char *line = NULL;
    size_t bytes = 0;
    fputs("a line\nfour\nfive5\n", file);
    rewind(file);
    if (getline(&line, &bytes, file) == 7 && getline(&line, &bytes, file) == 5
        && strcmp(line, "four\n") == 0
        && getline(&line, &bytes, file) == 6) {
        read_past_a_string(line);
    }
}

static void read_past_a_path(void)
{
    read_past_a_string(realpath("/usr", NULL));
}

static void read_past_the_directory(void)
{
    if (chdir("/usr") == 0) {
        read_past_a_string(getcwd(NULL, 0));
    }
}

static void read_past_an_aligned_block(void)
{
    void *block = NULL;
    if (posix_memalign(&block, 65536, 4096) == 0) {
        sink = ((volatile char *)block)[4096];
    }
}

static void read_a_block_of_no_bytes(void)
{
    volatile char *block = allocate(0);
    sink = block[0];
}

static void overflow_in_a_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        write_past_a_full_block();
        _exit(0);
    }
    waitpid(child, &status, 0);
    puts("the parent goes on");
}

static void *overflow(void *unused)
{
    write_past_a_full_block();
    return unused;
}

static void overflow_in_a_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, overflow, NULL);
    pthread_join(thread, NULL);
}

static void overflow_on_a_tiny_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN);
    if (pthread_create(&thread, &attributes, overflow, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

/* The file that is standard error from now on is not for reports. */
static void free_twice_with_standard_error_reopened(void)
{
    close(STDERR_FILENO);
    if (open("/dev/null", O_WRONLY) == STDERR_FILENO) {
        free_twice();
    }
}

/* With little address space: all of it, and then there is some again. */
static void use_up_memory(void)
{
    enum { BYTES = 1 << 20, MOST = 10000 };
    static char *blocks[MOST];
    int count = 0;
    errno = 0;
    while (count < MOST && (blocks[count] = allocate(BYTES)) != NULL) {
        blocks[count][BYTES - 1] = 'x';
        count++;
    }
    if (count == MOST || errno != ENOMEM) {
        exit(3);
    }
    for (int i = 0; i < count; i++) {
        if (blocks[i][BYTES - 1] != 'x') {
            exit(4);
        }
        release(blocks[i]);
    }
    char *block = allocate(BYTES);
    if (block == NULL) {
        exit(5);
    }
    release(block);
    puts("there was an end");
}

static void nothing(void)
{
    char *block = allocate(32);
    memset(block, 'x', 32);
    release(block);
    puts("all is well");
}

static const struct {
    const char *name;
    void (*commit)(void);
} crimes[] = {
#define CRIME(name) { #name, name }
    CRIME(copy_an_unterminated_string),
    CRIME(copy_from_a_freed_block),
    CRIME(copy_to_a_freed_block),
    CRIME(free_a_global),
    CRIME(free_a_wild_pointer),
    CRIME(free_an_interior_pointer),
    CRIME(free_the_stack),
    CRIME(free_twice),
    CRIME(free_twice_in_two_threads),
    CRIME(free_twice_with_standard_error_reopened),
    CRIME(free_twice_with_thousands_between),
    CRIME(measure_a_freed_string),
    CRIME(nothing),
    CRIME(overflow_in_a_child),
    CRIME(overflow_in_a_thread),
    CRIME(overflow_on_a_tiny_stack),
    CRIME(read_a_block_freed_long_ago),
    CRIME(read_a_block_of_no_bytes),
    CRIME(read_a_freed_block),
    CRIME(read_a_freed_block_in_another_thread),
    CRIME(read_a_large_freed_block),
    CRIME(read_a_page_in_front),
    CRIME(read_behind_each_size),
    CRIME(read_in_front),
    CRIME(read_past_a_full_block),
    CRIME(read_past_a_shrunk_block),
    CRIME(read_past_a_line),
    CRIME(read_past_a_path),
    CRIME(read_past_an_aligned_block),
    CRIME(read_past_the_directory),
    CRIME(read_past_what_asprintf_made),
    CRIME(read_past_what_strdup_made),
    CRIME(read_past_what_strndup_made),
    CRIME(read_what_another_thread_freed),
    CRIME(realloc_a_freed_block),
    CRIME(use_up_memory),
    CRIME(use_the_old_block_after_realloc),
    CRIME(write_in_front),
    CRIME(write_into_slack),
    CRIME(write_into_slack_and_exit),
    CRIME(write_past_a_full_block),
    CRIME(write_to_a_freed_block),
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof crimes / sizeof crimes[0]; i++) {
        if (argument_count == 2
            && strcmp(arguments[1], crimes[i].name) == 0) {
            crimes[i].commit();
            return 0;
        }
    }
    return 2;
}
