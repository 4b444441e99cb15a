/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trial NAME: a program that lives with allocations that are refused, or does
 * not, or has a use for SIGTRAP of its own. Each of its allocations is the same
 * in each run.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile allocate_zeroed)(size_t, size_t) = calloc;
static void *(*volatile reallocate)(void *, size_t) = realloc;
static void *(*volatile reallocate_array)(void *, size_t, size_t)
    = reallocarray;
static void *(*volatile allocate_aligned)(size_t, size_t) = aligned_alloc;
static void *(*volatile allocate_at)(size_t, size_t) = memalign;
static void (*volatile release)(void *) = free;

static void must(bool condition, int line)
{
    if (!condition) {
        fprintf(stderr, "line %d does not hold\n", line);
        exit(1);
    }
}
#define MUST(condition) must(condition, __LINE__)

/* NULL with ENOMEM, or a block with errno as it was. */
static char judge(void *block)
{
    MUST(errno == (block == NULL ? ENOMEM : EDOM));
    release(block);
    MUST(errno == (block == NULL ? ENOMEM : EDOM));
    errno = EDOM;
    return block == NULL ? '-' : 'x';
}

/* A line of signs, one an allocation: '-' for those that were refused. */
static void say_which(void)
{
    static char signs[101];
    errno = EDOM;
    for (int i = 0; i < 100; i++) {
        signs[i] = judge(allocate(24));
    }
    printf("%s\n", signs);
}

/* Each function once: which of them was refused. */
static void all_functions(void)
{
    errno = EDOM;
    static char before;
    void *block = &before;
    printf("%c", judge(allocate(1)));
    printf("%c", judge(allocate_zeroed(1, 2)));
    printf("%c", judge(reallocate(NULL, 3)));
    printf("%c", judge(reallocate_array(NULL, 1, 4)));
    printf("%c", judge(allocate_aligned(16, 16)));
    printf("%c", judge(allocate_at(16, 6)));
    printf("%c", judge(valloc(7)));
    printf("%c", judge(pvalloc(8)));
    printf("%c", judge(strdup("ninth...")));
    printf("%c", judge(strndup("tenth", 3)));
    int error = posix_memalign(&block, 32, 11);
    MUST(errno == EDOM && (error == 0 || error == ENOMEM));
    MUST((block == &before) == (error == ENOMEM));
    printf("%c\n", error == 0 ? 'x' : '-');
}

/* Number 2 is the realloc(): when it is refused, the block is as it was. */
static void realloc_keeps(void)
{
    char *block = allocate(100);
    memset(block, 'a', 100);
    char *moved = reallocate(block, 200000);
    if (moved == NULL) {
        MUST(malloc_usable_size(block) == 100);
        MUST(block[0] == 'a' && block[99] == 'a');
        printf("kept\n");
        moved = block;
    }
    release(moved);
}

static void ignore_null(void)
{
    volatile char *block = allocate(77);
    block[3] = 'x';
}

static void in_a_child(void)
{
    int status;
    release(allocate(1));
    pid_t child = fork();
    if (child == 0) {
        say_which();
        fflush(stdout);
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    say_which();
}

static void *take_some(void *unused)
{
    for (int i = 0; i < 1000; i++) {
        release(allocate(16));
    }
    return unused;
}

static void in_threads(void)
{
    pthread_t threads[4];
    int started = 0;
    for (int i = 0; i < 4; i++) {
        started += pthread_create(&threads[started], NULL, take_some, NULL)
                   == 0;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%d threads\n", started);
}

static volatile sig_atomic_t handled;

static void count(int number)
{
    (void)number;
    handled++;
}

static void own_trap(void)
{
    sigset_t set;
    signal(SIGTRAP, count);
    sigemptyset(&set);
    sigaddset(&set, SIGTRAP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    release(allocate(5));
    sigprocmask(SIG_SETMASK, NULL, &set);
    MUST(sigismember(&set, SIGTRAP) == 1);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    MUST(handled == 0);
    raise(SIGTRAP);
    MUST(handled == 1);
    printf("went on\n");
}

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
#define PLAY(name) { #name, name }
    PLAY(all_functions),
    PLAY(ignore_null),
    PLAY(in_a_child),
    PLAY(in_threads),
    PLAY(own_trap),
    PLAY(realloc_keeps),
    PLAY(say_which),
};

int main(int argument_count, char *arguments[])
{
    static char buffer[BUFSIZ];
    /* stdio allocates none then. */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (argument_count == 2 && strcmp(arguments[1], plays[i].name) == 0) {
            plays[i].play();
            return 0;
        }
    }
    return 2;
}
