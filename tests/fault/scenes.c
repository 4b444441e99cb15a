/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenes NAME: short programs in which more than one thing happens. */
#include "tests/support/proc.h"

#include <moat.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
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

static struct moat_arena *create(const char *name, size_t capacity,
                                 enum moat_layout layout)
{
    struct moat_arena_config config = { .name = name, .capacity = capacity,
                                        .layout = layout };
    struct moat_arena *arena = moat_arena_create_with(&config);
    if (arena == NULL) {
        perror(name);
        exit(2);
    }
    return arena;
}

static pthread_barrier_t all_are_ready;

static void start(int count, void *(*body)(void *))
{
    pthread_barrier_init(&all_are_ready, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, body, NULL) != 0) {
            exit(2);
        }
    }
    pthread_barrier_wait(&all_are_ready);
}

static void *create_and_destroy(void *unused)
{
    pthread_barrier_wait(&all_are_ready);
    for (;;) {
        struct moat_arena *arena = create("crowd", 8192, MOAT_LAYOUT_PACKED);
        for (int i = 0; i < 20; i++) {
            memset(moat_arena_alloc(arena, 100), 1, 100);
        }
        moat_arena_destroy(arena);
    }
    return unused;
}

/* The check at exit meets arenas that are being destroyed. */
static void exit_in_a_crowd(void)
{
    start(3, create_and_destroy);
    struct moat_arena *own = create("own", 1 << 20, MOAT_LAYOUT_PACKED);
    for (int i = 0; i < 2000; i++) {
        moat_arena_alloc(own, 64);
    }
}

static void *free_fenced_blocks(void *unused)
{
    struct moat_arena *arena = create("fenced", 4000 * 32,
                                      MOAT_LAYOUT_FENCED);
    static __thread char *blocks[4000];
    for (int i = 0; i < 4000; i++) {
        blocks[i] = moat_arena_alloc(arena, 20);
    }
    pthread_barrier_wait(&all_are_ready);
    for (int i = 0; i < 4000; i++) {
        moat_arena_free(arena, blocks[i]);
    }
    for (;;) {
        pause();
    }
    return unused;
}

/* The check at exit meets blocks that are being freed. */
static void exit_while_blocks_are_freed(void)
{
    start(2, free_fenced_blocks);
}

static void *fault(void *unused)
{
    struct moat_arena *arena = create("fault", 4096, MOAT_LAYOUT_PACKED);
    char *block = moat_arena_alloc(arena, 4096);
    pthread_barrier_wait(&all_are_ready);
    write_to(block + 4096);
    return unused;
}

/* One report, not cut in half. */
static void faults_at_once(void)
{
    start(4, fault);
    for (;;) {
        pause();
    }
}

/* A child can create arenas whatever other threads did when it was made. */
static void forks_in_a_crowd(void)
{
    start(2, create_and_destroy);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            struct moat_arena *arena
                = create("child", 4096, MOAT_LAYOUT_PACKED);
            char *block = moat_arena_alloc(arena, 32);
            memset(block, 1, 32);
            moat_arena_free(arena, block);
            moat_arena_destroy(arena);
            _exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) {
            _exit(3);
        }
    }
    _exit(0);
}

enum { SNAPSHOTS = 2000 };

/* Of so many, finding the oldest takes a while. */
static void *take_and_free_snapshots(void *unused)
{
    static struct moat_snapshot *snapshots[SNAPSHOTS];
    struct moat_arena *arena = create("seen", 64, MOAT_LAYOUT_PACKED);
    for (int i = 0; i < SNAPSHOTS; i++) {
        snapshots[i] = moat_arena_snapshot(arena);
    }
    pthread_barrier_wait(&all_are_ready);
    for (int i = 0;; i = (i + 1) % SNAPSHOTS) {
        moat_snapshot_free(snapshots[i]);
        snapshots[i] = moat_arena_snapshot(arena);
    }
    return unused;
}

static void forks_while_snapshots_are_taken(void)
{
    struct moat_arena *arena = create("own", 64, MOAT_LAYOUT_PACKED);
    start(1, take_and_free_snapshots);
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            struct moat_snapshot *snapshot = moat_arena_snapshot(arena);
            int differences = moat_snapshot_diff(snapshot, snapshot, NULL);
            moat_snapshot_free(snapshot);
            _exit(differences);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) {
            _exit(3);
        }
    }
    _exit(0);
}

/* What the process takes. */
struct taken {
    long resident;
    long mappings;
};

static struct taken look(void)
{
    return (struct taken){ .resident = proc_status("VmRSS:"),
                           .mappings = proc_mappings() };
}

/* No more than that, and KIBIBYTES, because the kernel counts in batches. */
static void expect_no_more_than(struct taken before, long kibibytes)
{
    struct taken now = look();
    if (now.resident > before.resident + kibibytes
        || now.mappings > before.mappings + 2) {
        fprintf(stderr, "%ld KiB became %ld, %ld mappings %ld\n",
                before.resident, now.resident, before.mappings, now.mappings);
        exit(3);
    }
}

/* A hundred thousand arenas, in constant memory and mappings. */
static void arenas_without_end(void)
{
    struct taken before = { .resident = 0 };
    for (int i = 0; i < 120000; i++) {
        struct moat_arena *arena = create("one", 256, MOAT_LAYOUT_PACKED);
        write_to(moat_arena_alloc(arena, 10));
        moat_arena_destroy(arena);
        if (i == 60000) {
            before = look();
        }
    }
    expect_no_more_than(before, 512);
}

/* One arena, emptied again and again. */
static void resets_without_end(void)
{
    struct moat_arena *packed = create("packed", 256, MOAT_LAYOUT_PACKED);
    struct moat_arena *fenced = create("fenced", 256, MOAT_LAYOUT_FENCED);
    struct taken before = { .resident = 0 };
    for (int i = 0; i < 50000; i++) {
        for (int block = 0; block < 2; block++) {
            write_to(moat_arena_alloc(packed, 100));
            write_to(moat_arena_alloc(fenced, 100));
        }
        moat_arena_reset(packed);
        moat_arena_reset(fenced);
        if (i == 25000) {
            before = look();
        }
    }
    expect_no_more_than(before, 512);
}

/* The reset stands between two calls that nothing else makes. */
static void reset_of(int blocks, enum moat_layout layout)
{
    struct moat_arena *arena = create("counted", 3000 * 32, layout);
    for (int i = 0; i < blocks; i++) {
        write_to(moat_arena_alloc(arena, 20));
    }
    getppid();
    moat_arena_reset(arena);
    getppid();
}

static void packed_reset_of_10_blocks(void)
{
    reset_of(10, MOAT_LAYOUT_PACKED);
}

static void packed_reset_of_3000_blocks(void)
{
    reset_of(3000, MOAT_LAYOUT_PACKED);
}

static void fenced_reset_of_10_blocks(void)
{
    reset_of(10, MOAT_LAYOUT_FENCED);
}

static void fenced_reset_of_3000_blocks(void)
{
    reset_of(3000, MOAT_LAYOUT_FENCED);
}

/* As many as the kernel allows; then refused, and the program goes on. */
static void many_living_arenas(void)
{
    long before = proc_mappings();
    int living = 0;
    struct moat_arena *arena = NULL;
    while (living < 40000) {
        arena = moat_arena_create("many", 256);
        if (arena == NULL) {
            break;
        }
        char *block = moat_arena_alloc(arena, 10);
        if (block == NULL) {
            break;
        }
        write_to(block);
        living++;
    }
    long added = proc_mappings() - before;
    if (living < 40000) {
        if (errno != ENOMEM || added < 60000) {
            exit(3);
        }
        fputs("refused by the kernel\n", stderr);
    }
    if (living == 40000 && added > 100) {
        exit(4);
    }
}

/* With halt_on_error=0: three reports, then the end as it would have been. */
static void three_errors(void)
{
    struct moat_arena *arena = create("three", 4096, MOAT_LAYOUT_PACKED);
    char *block = moat_arena_alloc(arena, 32);
    write_to(block + 32);
    moat_arena_free(arena, block);
    moat_arena_free(arena, block);
    moat_arena_free(arena, block + 1);
    moat_arena_destroy(arena);
    exit(17);
}

static void one_fault(void)
{
    struct moat_arena *arena = create("one", 4096, MOAT_LAYOUT_PACKED);
    write_to((char *)moat_arena_alloc(arena, 4096) + 4096);
}

static void one_double_free(void)
{
    struct moat_arena *arena = create("one", 4096, MOAT_LAYOUT_PACKED);
    char *block = moat_arena_alloc(arena, 32);
    moat_arena_free(arena, block);
    moat_arena_free(arena, block);
}

static void nothing_wrong(void)
{
    struct moat_arena *arena = create("good", 4096, MOAT_LAYOUT_PACKED);
    char *block = moat_arena_strdup(arena, "text");
    moat_arena_free(arena, block);
}

/* The arena is refused, or works as ever. */
static void one_overflow_or_refusal(void)
{
    struct moat_arena *arena = moat_arena_create("one", 4096);
    char *block = moat_arena_alloc(arena, 32);
    if (block == NULL) {
        exit(errno == ENOMEM || arena == NULL ? 42 : 3);
    }
    write_to(block + 32);
    moat_arena_free(arena, block);
}

static void limit(rlim_t bytes)
{
    struct rlimit limit = { .rlim_cur = bytes, .rlim_max = bytes };
    char *arguments[] = { (char *)"scenes",
                          (char *)"one_overflow_or_refusal", NULL };
    if (setrlimit(RLIMIT_AS, &limit) != 0) {
        exit(2);
    }
    execv("/proc/self/exe", arguments);
    exit(6);
}

static void with_a_gigabyte(void)
{
    limit((rlim_t)1 << 30);
}

static void with_64_megabytes(void)
{
    limit((rlim_t)64 << 20);
}

static void with_32_megabytes(void)
{
    limit((rlim_t)32 << 20);
}

static bool fault_again(const struct moat_finding *finding, void *context)
{
    (void)finding;
    (void)context;
    write_to((char *)8);
    return true;
}

static void fault_in_the_hook(void)
{
    moat_set_report_hook(fault_again, NULL);
    one_fault();
}

/* A page of a file that is not there. */
static void bus_error(void)
{
    char name[] = "/tmp/moat-scene-XXXXXX";
    int descriptor = mkstemp(name);
    unlink(name);
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                      descriptor, 0);
    write_to(page);
}

static void sent_signal(void)
{
    kill(getpid(), SIGSEGV);
}

static void far_address(void)
{
    /* Not canonical on x86-64. */
    write_to((char *)0x8123456789abcdef);
}

/* A program that replaces standard error by its data, and then errs. */
static void data_in_place_of_stderr(void)
{
    char name[] = "/tmp/moat-scene-XXXXXX";
    int descriptor = mkstemp(name);
    unlink(name);
    dup2(descriptor, STDERR_FILENO);
    pid_t child = fork();
    if (child == 0) {
        one_fault();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    bool is_clean = lseek(descriptor, 0, SEEK_END) == 0;
    _exit(!is_clean ? 3 : WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}

static char *shared[64];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;

/* Frees what the others have copied, and the other way round. */
static void *copy_and_exchange(void *unused)
{
    pthread_barrier_wait(&all_are_ready);
    for (size_t i = 0; i < 20000; i++) {
        static const char text[300] = "text";
        size_t size = i * 7 % sizeof text;
        char *copy = moat_guarded_copy(text, size,
                                       i % 2 == 0 ? MOAT_PLACEMENT_AFTER
                                                  : MOAT_PLACEMENT_BEFORE);
        if (copy == NULL || memcmp(copy, text, size) != 0) {
            _exit(3);
        }
        pthread_mutex_lock(&shared_lock);
        char *other = shared[i % 64];
        shared[i % 64] = copy;
        pthread_mutex_unlock(&shared_lock);
        moat_guarded_free(other);
    }
    pthread_barrier_wait(&all_are_ready);
    return unused;
}

static void copies_in_threads(void)
{
    start(3, copy_and_exchange);
    pthread_barrier_wait(&all_are_ready);
}

/* Also where a thread was in the midst of it when the child was made. */
static void forks_while_copies_are_made(void)
{
    start(2, copy_and_exchange);
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            char *copy = moat_guarded_copy("text", 4, MOAT_PLACEMENT_AFTER);
            moat_guarded_free(copy);
            _exit(copy != NULL ? 0 : 3);
        }
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) {
            _exit(3);
        }
    }
    _exit(0);
}

/* Many pairs, in constant memory and mappings. */
static void copies_without_end(void)
{
    struct taken before = { .resident = 0 };
    for (int i = 0; i < 60000; i++) {
        moat_guarded_free(
            moat_guarded_copy("text", 4, MOAT_PLACEMENT_AFTER));
        if (i == 20000) {
            before = look();
        }
    }
    expect_no_more_than(before, 256);
}

static char *shared_page;

static void *write_second(void *unused)
{
    for (int i = 0; i < 2000; i++) {
        pthread_barrier_wait(&all_are_ready);
        write_to(shared_page + 1);
        pthread_barrier_wait(&all_are_ready);
    }
    return unused;
}

/* The program gives the pages of its own blocks back to the kernel, and two
 * threads then write to one of them at once. */
static void pages_are_dropped(void)
{
    static char bytes[65536];
    pthread_t other;
    char *copy = moat_guarded_copy(bytes, sizeof bytes, MOAT_PLACEMENT_AFTER);
    memset(copy, 'x', sizeof bytes);
    if (madvise(copy, sizeof bytes, MADV_DONTNEED) != 0
        || memcmp(copy, bytes, sizeof bytes) != 0) {
        exit(3);
    }
    shared_page = copy;
    pthread_barrier_init(&all_are_ready, NULL, 2);
    pthread_create(&other, NULL, write_second, NULL);
    for (int i = 0; i < 2000; i++) {
        madvise(copy, 4096, MADV_DONTNEED);
        pthread_barrier_wait(&all_are_ready);
        write_to(shared_page);
        pthread_barrier_wait(&all_are_ready);
        if (copy[0] != '!' || copy[1] != '!' || copy[2] != '\0') {
            exit(4);
        }
    }
    pthread_join(other, NULL);
    moat_guarded_free(copy);
}

/* A child that shares the memory reports and ends in the midst of it. */
static void fault_after_a_child_of_vfork(void)
{
    char *copy = moat_guarded_copy("text", 4, MOAT_PLACEMENT_AFTER);
    int status;
    pid_t child = vfork();
    if (child == 0) {
        write_to(copy + 4);
        _exit(5);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status)
        || WEXITSTATUS(status) != 99) {
        exit(3);
    }
    write_to(copy + 4);
}

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
    { "pages_are_dropped", pages_are_dropped },
    { "fault_after_a_child_of_vfork", fault_after_a_child_of_vfork },
    { "exit_in_a_crowd", exit_in_a_crowd },
    { "exit_while_blocks_are_freed", exit_while_blocks_are_freed },
    { "faults_at_once", faults_at_once },
    { "forks_in_a_crowd", forks_in_a_crowd },
    { "forks_while_snapshots_are_taken", forks_while_snapshots_are_taken },
    { "arenas_without_end", arenas_without_end },
    { "resets_without_end", resets_without_end },
    { "packed_reset_of_10_blocks", packed_reset_of_10_blocks },
    { "packed_reset_of_3000_blocks", packed_reset_of_3000_blocks },
    { "fenced_reset_of_10_blocks", fenced_reset_of_10_blocks },
    { "fenced_reset_of_3000_blocks", fenced_reset_of_3000_blocks },
    { "many_living_arenas", many_living_arenas },
    { "copies_in_threads", copies_in_threads },
    { "forks_while_copies_are_made", forks_while_copies_are_made },
    { "copies_without_end", copies_without_end },
    { "three_errors", three_errors },
    { "one_fault", one_fault },
    { "one_double_free", one_double_free },
    { "nothing_wrong", nothing_wrong },
    { "one_overflow_or_refusal", one_overflow_or_refusal },
    { "with_a_gigabyte", with_a_gigabyte },
    { "with_64_megabytes", with_64_megabytes },
    { "with_32_megabytes", with_32_megabytes },
    { "fault_in_the_hook", fault_in_the_hook },
    { "bus_error", bus_error },
    { "sent_signal", sent_signal },
    { "far_address", far_address },
    { "data_in_place_of_stderr", data_in_place_of_stderr },
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        if (argument_count == 2 && strcmp(scenes[i].name, arguments[1]) == 0) {
            scenes[i].play();
            return 0;
        }
    }
    return 2;
}
