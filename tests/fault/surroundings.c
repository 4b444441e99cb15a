/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * surroundings NAME: short programs whose surroundings matter: options, limits,
 * hooks, where standard error leads.
 */
#include <moat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void write_to(volatile char *place)
{
    *place = '!';
}

__attribute__((noinline)) static char read_from(const volatile char *place)
{
    return *place;
}

static void one_fault(void)
{
    struct moat_arena *arena = moat_arena_create("one", 4096);
    write_to((char *)moat_arena_alloc(arena, 4096) + 4096);
}

static void one_double_free(void)
{
    struct moat_arena *arena = moat_arena_create("one", 4096);
    char *block = moat_arena_alloc(arena, 32);
    moat_arena_free(arena, block);
    moat_arena_free(arena, block);
}

/* An address that nothing was ever mapped at. */
static char *nowhere(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);
    munmap(page, 4096);
    return page + 8;
}

static void wild_read(void)
{
    read_from(nowhere());
}

static void wild_write(void)
{
    write_to(nowhere());
}

/* What a program does all day. */
static void good_work(void)
{
    enum { ARENAS = 50, BLOCKS = 300 };
    for (int i = 0; i < ARENAS; i++) {
        struct moat_arena_config config
            = { .name = "good", .capacity = (size_t)1 << 21,
                .layout = i % 5 == 0 ? MOAT_LAYOUT_FENCED
                                     : MOAT_LAYOUT_PACKED };
        struct moat_arena *arena = moat_arena_create_with(&config);
        char *blocks[BLOCKS];
        for (size_t j = 0; j < BLOCKS; j++) {
            size_t size = j * 37 % 3000;
            switch (j % 4) {
            case 0:
                blocks[j] = moat_arena_alloc(arena, size);
                break;
            case 1:
                blocks[j] = moat_arena_calloc(arena, size, 1);
                break;
            case 2:
                blocks[j] = moat_arena_aligned_alloc(
                    arena, (size_t)1 << j % 13, size);
                break;
            default:
                blocks[j] = moat_arena_strdup(arena, "a word");
                size = sizeof "a word";
                break;
            }
            if (blocks[j] == NULL) {
                exit(3);
            }
            memset(blocks[j], (int)j, size);
            if (j % 3 == 0) {
                moat_arena_free(arena, blocks[j]);
            }
        }
        for (size_t j = 0; j < BLOCKS; j++) {
            size_t size = j % 4 == 3 ? sizeof "a word" : j * 37 % 3000;
            for (size_t k = 0; j % 3 != 0 && k < size; k++) {
                if (blocks[j][k] != (char)j) {
                    exit(4);
                }
            }
        }
        if (moat_arena_check(arena) != 0) {
            exit(5);
        }
        /* Some are left to the check at exit. */
        if (i % 3 != 0) {
            moat_arena_destroy(arena);
        }
    }
}

static bool suppress(const struct moat_finding *finding, void *context)
{
    (void)finding;
    bool *is_wanted = context;
    static const char line[] = "heard\n";
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0) {
        _exit(3);
    }
    return *is_wanted;
}

static bool is_wanted;

static void fault_with_a_hook_that_suppresses(void)
{
    moat_set_report_hook(suppress, &is_wanted);
    one_fault();
}

static void double_free_with_a_hook_that_suppresses(void)
{
    moat_set_report_hook(suppress, &is_wanted);
    one_double_free();
}

static void fault_with_a_hook_that_listens(void)
{
    is_wanted = true;
    fault_with_a_hook_that_suppresses();
}

static void fault_in_a_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        one_fault();
        _exit(0);
    }
    waitpid(child, &status, 0);
    fprintf(stderr, "%d\n", (int)child);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[400];
    frame[0] = (char)depth;
    return depth < 0 ? depth : recurse(depth + 1) + frame[0];
}

static volatile int kept;

static void *recurse_in_thread(void *unused)
{
    kept = recurse(1);
    return unused;
}

static void *recurse_in_child_of_thread(void *unused)
{
    int status;
    if (moat_thread_prepare() != 0) {
        exit(3);
    }
    pid_t child = fork();
    if (child == 0) {
        kept = recurse(1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
    return unused;
}

static void run_in_thread(void *(*body)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, NULL) != 0) {
        exit(3);
    }
    pthread_join(thread, NULL);
}

static void recursion_in_an_unprepared_thread(void)
{
    run_in_thread(recurse_in_thread);
}

static void recursion_in_the_child_of_a_thread(void)
{
    run_in_thread(recurse_in_child_of_thread);
}

/* The rest of this program runs as PLAY, from its start. */
static void become(const char *play)
{
    char *arguments[] = { (char *)"surroundings", (char *)play, NULL };
    execv("/proc/self/exe", arguments);
    _exit(6);
}

static void fault_without_standard_error(void)
{
    close(STDERR_FILENO);
    become("one_fault");
}

/* With standard error closed, open() gives its number to a file of data. */
static void data_where_standard_error_was_not(void)
{
    char name[] = "/tmp/moat-surroundings-XXXXXX";
    int descriptor = mkstemp(name);
    unlink(name);
    if (descriptor != STDERR_FILENO) {
        _exit(3);
    }
    pid_t child = fork();
    if (child == 0) {
        one_fault();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    bool is_clean = lseek(descriptor, 0, SEEK_END) == 0;
    _exit(!is_clean ? 4 : WIFEXITED(status) ? WEXITSTATUS(status) : 5);
}

static void fault_with_data_for_standard_error(void)
{
    close(STDERR_FILENO);
    become("data_where_standard_error_was_not");
}

/* Refused with ENOMEM (42), or works as ever (a report, 99). */
static void fault_or_refusal(void)
{
    struct moat_arena *arena = moat_arena_create("one", 4096);
    if (arena == NULL) {
        exit(errno == ENOMEM ? 42 : 3);
    }
    char *block = moat_arena_alloc(arena, 4096);
    if (block == NULL) {
        exit(errno == ENOMEM ? 42 : 4);
    }
    write_to(block + 4096);
}

/* The same of an arena that is no more. */
static void stale_or_refusal(void)
{
    struct moat_arena *arena = moat_arena_create("one", 100000);
    char *block = NULL;
    for (int i = 0; arena != NULL && i < 20; i++) {
        char *next = moat_arena_alloc(arena, 4000);
        if (next == NULL) {
            break;
        }
        memset(next, 1, 4000);
        block = next;
    }
    if (block == NULL) {
        exit(errno == ENOMEM ? 42 : 3);
    }
    moat_arena_destroy(arena);
    write_to(block + 8);
}

static void fenced_or_refusal(void)
{
    struct moat_arena_config config = { .name = "one", .capacity = 4096,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    char *block = arena == NULL ? NULL : moat_arena_alloc(arena, 32);
    if (block == NULL) {
        exit(errno == ENOMEM ? 42 : 3);
    }
    moat_arena_free(arena, block);
    write_to(block + 8);
}

static void refused(bool is_refused, int error)
{
    if (!is_refused || errno != error) {
        exit(3);
    }
    errno = 0;
}

/* Every function, where there is no region; then faults are still reported. */
static void everything_is_refused(void)
{
    char local[16] = "local";
    struct moat_arena_config config = { .capacity = 64, .at = local };
    struct moat_finding finding;
    struct moat_stats stats;
    refused(moat_arena_create("one", 4096) == NULL, ENOMEM);
    refused(moat_arena_create_with(&config) == NULL, ENOMEM);
    refused(moat_guarded_copy(local, 5, MOAT_PLACEMENT_AFTER) == NULL, ENOMEM);
    for (int i = 0; i < 2; i++) {
        struct moat_arena *none
            = i == 0 ? NULL : (struct moat_arena *)(void *)local;
        refused(moat_arena_alloc(none, 1) == NULL, EINVAL);
        refused(moat_arena_check(none) == 0, EINVAL);
        refused(moat_arena_snapshot(none) == NULL, EINVAL);
        refused(moat_arena_base(none) == NULL, EINVAL);
        moat_arena_stats(none, &stats);
        refused(stats.capacity == 0, EINVAL);
        moat_arena_dump(none, stdout, MOAT_DUMP_TEXT);
        refused(true, EINVAL);
    }
    refused(moat_snapshot_diff(NULL, NULL, NULL) == -1, EINVAL);
    moat_arena_destroy(NULL);
    moat_guarded_free(NULL);
    refused(!moat_describe(local, &finding) && moat_thread_prepare() == 0, 0);
    write_to((char *)8);
}

static void limit(rlim_t bytes, const char *play)
{
    struct rlimit wanted = { .rlim_cur = bytes, .rlim_max = bytes };
    if (setrlimit(RLIMIT_AS, &wanted) != 0) {
        exit(2);
    }
    become(play);
}

static void with_200_megabytes(void)
{
    limit((rlim_t)200 << 20, "fault_or_refusal");
}

static void with_64_megabytes(void)
{
    limit((rlim_t)64 << 20, "fault_or_refusal");
}

static void with_20_megabytes(void)
{
    limit((rlim_t)20 << 20, "fault_or_refusal");
}

static void without_a_region(void)
{
    limit((rlim_t)10 << 20, "everything_is_refused");
}

enum { THREADS = 4 };
static pthread_barrier_t all_are_ready;

static void *free_twice(void *unused)
{
    struct moat_arena *arena = moat_arena_create("one", 4096);
    char *block = moat_arena_alloc(arena, 32);
    moat_arena_free(arena, block);
    pthread_barrier_wait(&all_are_ready);
    moat_arena_free(arena, block);
    return unused;
}

static void errors_at_once(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_are_ready, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, free_twice, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
    { "one_fault", one_fault },
    { "one_double_free", one_double_free },
    { "wild_read", wild_read },
    { "wild_write", wild_write },
    { "good_work", good_work },
    { "fault_with_a_hook_that_suppresses", fault_with_a_hook_that_suppresses },
    { "double_free_with_a_hook_that_suppresses",
      double_free_with_a_hook_that_suppresses },
    { "fault_with_a_hook_that_listens", fault_with_a_hook_that_listens },
    { "fault_in_a_child", fault_in_a_child },
    { "recursion_in_an_unprepared_thread", recursion_in_an_unprepared_thread },
    { "recursion_in_the_child_of_a_thread",
      recursion_in_the_child_of_a_thread },
    { "fault_without_standard_error", fault_without_standard_error },
    { "data_where_standard_error_was_not", data_where_standard_error_was_not },
    { "fault_with_data_for_standard_error",
      fault_with_data_for_standard_error },
    { "fault_or_refusal", fault_or_refusal },
    { "stale_or_refusal", stale_or_refusal },
    { "fenced_or_refusal", fenced_or_refusal },
    { "with_200_megabytes", with_200_megabytes },
    { "with_64_megabytes", with_64_megabytes },
    { "with_20_megabytes", with_20_megabytes },
    { "everything_is_refused", everything_is_refused },
    { "without_a_region", without_a_region },
    { "errors_at_once", errors_at_once },
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (argument_count == 2 && strcmp(plays[i].name, arguments[1]) == 0) {
            plays[i].play();
            return 0;
        }
    }
    return 2;
}
