/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expect SCENE: faults that are expected. Exit status 0 when all was as it
 * should be, and the line that it was not at when it was not.
 */
#include "tests/support/proc.h"

#include <moat.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MUST(condition)                                                        \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "expect.c:%d: not true: %s\n", __LINE__,           \
                    #condition);                                               \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

static struct moat_finding finding;
static char *volatile nothing;
static char *volatile close_to_nothing = (char *)16;

/* 4096 bytes that end at a guard page. */
static char *guarded(void)
{
    static char bytes[4096];
    char *copy = moat_guarded_copy(bytes, sizeof bytes, MOAT_PLACEMENT_AFTER);
    MUST(copy != NULL);
    return copy;
}

static void write_to(volatile char *address)
{
    *address = '!';
}

static int read_from(const volatile char *address)
{
    return *address;
}

static void overflow(void)
{
    char *copy = guarded();
    volatile bool is_behind = false;
    MOAT_EXPECT_FAULT(&finding) {
        write_to(copy + 4096 + 7);
        is_behind = true;
    }
    MUST(!is_behind);
    MUST(finding.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW);
    MUST(finding.access == MOAT_ACCESS_WRITE);
    MUST(finding.seen == MOAT_SEEN_AT_ACCESS);
    MUST(finding.address == copy + 4096 + 7);
    MUST(finding.distance.bytes == 7);
    MUST(finding.block.size == 4096 && finding.block.start == copy);
    MUST(finding.stacks.alloc.frames != 0 && finding.pc != NULL);
    MUST(finding.pid == getpid() && finding.actor.is_known);
    moat_guarded_free(copy);
}

static void use_after_free(void)
{
    char *copy = guarded();
    moat_guarded_free(copy);
    MOAT_EXPECT_FAULT(&finding) {
        read_from(copy + 5);
    }
    MUST(finding.kind == MOAT_KIND_HEAP_USE_AFTER_FREE);
    MUST(finding.access == MOAT_ACCESS_READ);
    MUST(finding.block.is_freed && finding.distance.bytes == 5);
}

static void use_after_unmap(void)
{
    struct moat_arena *arena = moat_arena_create("gone", 4096);
    char *block = moat_arena_alloc(arena, 64);
    moat_arena_destroy(arena);
    MOAT_EXPECT_FAULT(&finding) {
        write_to(block);
    }
    MUST(finding.kind == MOAT_KIND_USE_AFTER_UNMAP);
    MUST(strcmp(finding.arena.name, "gone") == 0);
}

static void null_dereference(void)
{
    MOAT_EXPECT_FAULT(&finding)
        write_to(close_to_nothing);
    MUST(finding.kind == MOAT_KIND_NULL_DEREFERENCE);
}

static void no_fault(void)
{
    volatile int count = 0;
    memset(&finding, 1, sizeof finding);
    MOAT_EXPECT_FAULT(&finding) {
        count++;
    }
    MUST(count == 1 && finding.kind == MOAT_KIND_NONE);
    MUST(finding.block.number == 0);
    MOAT_EXPECT_FAULT(NULL) {
        count++;
        write_to(nothing);
    }
    MUST(count == 2);
}

static void broken_off(void)
{
    MOAT_EXPECT_FAULT(&finding) {
        if (finding.kind == MOAT_KIND_NONE) {
            break;
        }
        write_to(nothing);
    }
    MUST(finding.kind == MOAT_KIND_NONE);
    write_to(nothing);
}

static void nested(void)
{
    struct moat_finding inner;
    volatile int passed = 0;
    char *copy = guarded();
    MOAT_EXPECT_FAULT(&finding) {
        MOAT_EXPECT_FAULT(&inner) {
            write_to(copy + 4096);
        }
        passed = 1;
        MOAT_EXPECT_FAULT(&inner) {
            passed = 2;
        }
        write_to(nothing);
        passed = 3;
    }
    MUST(passed == 2 && inner.kind == MOAT_KIND_NONE);
    MUST(finding.kind == MOAT_KIND_NULL_DEREFERENCE);
    moat_guarded_free(copy);
}

static void *fault_often(void *times)
{
    struct moat_finding own;
    char *copy = guarded();
    for (int i = 0; i < *(int *)times; i++) {
        MOAT_EXPECT_FAULT(&own) {
            write_to(copy + 4096 + i % 2000);
        }
        MUST(own.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW);
        MUST(own.distance.bytes == (size_t)(i % 2000));
    }
    moat_guarded_free(copy);
    return NULL;
}

/* What this thread has worked, however busy the machine is. */
static long worked_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000L + time.tv_nsec / 1000;
}

static void ten_thousand_times(void)
{
    int times = 1000;
    fault_often(&times);
    long mappings = proc_mappings();
    long resident = proc_status("VmRSS:");
    long first = 0;
    long last = 0;
    for (int i = 0; i < 10; i++) {
        long before = worked_us();
        fault_often(&times);
        last = worked_us() - before;
        first = i == 0 ? last : first;
    }
    /* What would cost more each time is ten times as slow by then. */
    MUST(last < 5 * first + 1000);
    MUST(proc_mappings() == mappings);
    /* The kernel counts by 64 pages in each processor; as many bytes a time
     * would be more. */
    MUST(proc_status("VmRSS:") <= resident + 512);
}

static void in_threads(void)
{
    pthread_t threads[3];
    int times = 10000;
    for (int i = 0; i < 3; i++) {
        MUST(pthread_create(&threads[i], NULL, fault_often, &times) == 0);
    }
    fault_often(&times);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Leaves in FINDING what came of it. */
static void touch(char *address, enum moat_access access)
{
    MOAT_EXPECT_FAULT(&finding) {
        if (access == MOAT_ACCESS_WRITE) {
            write_to(address);
        } else {
            read_from(address);
        }
    }
}

static void *fault_on_a_tiny_stack(void *copy)
{
    for (int i = 0; i < 100; i++) {
        touch((char *)copy + 4096 + i, MOAT_ACCESS_WRITE);
        MUST(finding.kind == MOAT_KIND_HEAP_BUFFER_OVERFLOW);
        MUST(finding.distance.bytes == (size_t)i);
        touch(nothing, MOAT_ACCESS_READ);
        MUST(finding.kind == MOAT_KIND_NULL_DEREFERENCE);
    }
    return NULL;
}

static void on_a_tiny_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    MUST(pthread_attr_init(&attributes) == 0);
    MUST(pthread_attr_setstacksize(&attributes, 16384) == 0);
    for (int i = 0; i < 10; i++) {
        MUST(pthread_create(&thread, &attributes, fault_on_a_tiny_stack,
                            guarded())
             == 0);
        pthread_join(thread, NULL);
    }
}

/* Pages that the program has made inaccessible itself, and a mapping that is
 * longer than its file. */
static void none_of_moats(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *denied = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);
    FILE *file = tmpfile();
    MUST(denied != MAP_FAILED && file != NULL);
    char *empty = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED,
                       fileno(file), 0);
    MUST(empty != MAP_FAILED);
    for (int i = 0; i < 1000; i++) {
        MOAT_EXPECT_FAULT(&finding) {
            read_from(denied + i);
        }
        MUST(finding.kind == MOAT_KIND_SEGV && finding.address == denied + i);
        MUST(finding.access == MOAT_ACCESS_READ && finding.block.number == 0);
        MOAT_EXPECT_FAULT(&finding) {
            write_to(empty + i);
        }
        MUST(finding.kind == MOAT_KIND_SEGV && finding.address == empty + i);
    }
    munmap(denied, page);
    munmap(empty, page);
    fclose(file);
}

static const enum moat_placement sides[]
    = { MOAT_PLACEMENT_AFTER, MOAT_PLACEMENT_BEFORE };

/* Each copy holds what it should, up to a byte that cannot be touched. */
static void copies_of_any_size(void)
{
    enum { MOST = 64 * 1024 * 1024 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t sizes[] = { 0, 1, 2, 15, 16, 17, page - 1, page, page + 1,
                             2 * page, 32 * page - 1, 32 * page, 32 * page + 1,
                             MOST - 1, MOST };
    char *bytes = mmap(NULL, MOST, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(bytes != MAP_FAILED);
    memset(bytes, 'm', MOST);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        for (int side = 0; side < 2; side++) {
            bool is_after = sides[side] == MOAT_PLACEMENT_AFTER;
            char *copy = moat_guarded_copy(bytes, size, sides[side]);
            MUST(copy != NULL && memcmp(copy, bytes, size) == 0);
            for (enum moat_access access = MOAT_ACCESS_READ;
                 access <= MOAT_ACCESS_WRITE; access++) {
                touch(is_after ? copy + size : copy - 1, access);
                MUST(finding.kind
                     == (is_after ? MOAT_KIND_HEAP_BUFFER_OVERFLOW
                                  : MOAT_KIND_HEAP_BUFFER_UNDERFLOW));
                MUST(finding.distance.bytes == (is_after ? 0 : 1));
                MUST(finding.block.size == size);
                MUST(finding.access == access);
            }
            MUST(memcmp(copy, bytes, size) == 0);
            moat_guarded_free(copy);
            touch(copy + size / 2, MOAT_ACCESS_READ);
            MUST(finding.kind == MOAT_KIND_HEAP_USE_AFTER_FREE);
            MUST(finding.block.size == size);
        }
    }
}

/* Ten thousand of each size one after another, and as many at once. */
static void ten_thousand_copies(void)
{
    enum { TIMES = 10000, MOST = 33 * 4096 };
    static char bytes[MOST];
    static char *copies[TIMES];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t sizes[] = { 0, 1, page - 1, page, page + 1, MOST };
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (int time = 0; time < TIMES; time++) {
                char *copy = moat_guarded_copy(bytes, sizes[i], sides[side]);
                MUST(copy != NULL);
                moat_guarded_free(copy);
            }
        }
        for (int time = 0; time < TIMES; time++) {
            copies[time] = moat_guarded_copy(bytes, page + 1, sides[side]);
            MUST(copies[time] != NULL);
        }
        MUST(proc_mappings() < 30000);
        for (int time = 0; time < TIMES; time++) {
            touch(side == 0 ? copies[time] + page + 1 : copies[time] - 1,
                  MOAT_ACCESS_WRITE);
            MUST(finding.kind != MOAT_KIND_NONE);
            moat_guarded_free(copies[time]);
        }
    }
}

static int is_called;
static volatile sig_atomic_t is_expecting;

static void end(int number)
{
    (void)number;
    _exit(is_expecting ? 8 : 7);
}

static bool refuse(const struct moat_finding *unused, void *unused_too)
{
    (void)unused;
    (void)unused_too;
    is_called++;
    return true;
}

/* Neither the program's handler nor its hook hears of it. */
static void with_a_handler(void)
{
    struct sigaction action = { .sa_handler = end };
    sigaction(SIGSEGV, &action, NULL);
    MUST(moat_catch_faults() == 0);
    moat_set_report_hook(refuse, NULL);
    is_expecting = 1;
    MOAT_EXPECT_FAULT(&finding) {
        write_to(nothing);
    }
    is_expecting = 0;
    MUST(finding.kind == MOAT_KIND_NULL_DEREFERENCE && is_called == 0);
    /* And then it does. */
    write_to(nothing);
}

static int recurse(int depth);
/* The compiler must not see where this ends. */
static int (*volatile deeper)(int) = recurse;

static int recurse(int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    return deeper(depth + 1) + frame[0];
}

static void stack_overflow(void)
{
    for (int i = 0; i < 3; i++) {
        MOAT_EXPECT_FAULT(&finding) {
            recurse(0);
        }
        MUST(finding.kind == MOAT_KIND_STACK_OVERFLOW);
    }
}

static void *overflow_stack(void *unused)
{
    MUST(moat_thread_prepare() == 0);
    stack_overflow();
    return unused;
}

static void stack_overflow_in_a_thread(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, overflow_stack, NULL) == 0);
    pthread_join(thread, NULL);
}

/* What comes behind is reported as ever. */
static void and_then_one_that_is_not(void)
{
    char *copy = guarded();
    MOAT_EXPECT_FAULT(&finding) {
        write_to(copy + 4096);
    }
    write_to(copy + 4096);
}

/* Not by another thread's expectation. */
static void *fault_alone(void *copy)
{
    write_to((char *)copy + 4096);
    return NULL;
}

static void and_one_in_another_thread(void)
{
    pthread_t thread;
    MOAT_EXPECT_FAULT(&finding) {
        pthread_create(&thread, NULL, fault_alone, guarded());
        pthread_join(thread, NULL);
    }
}

/* Damage is seen at a free, which is no fault. */
static void and_damage(void)
{
    struct moat_arena *arena = moat_arena_create("packed", 4096);
    char *block = moat_arena_alloc(arena, 64);
    MOAT_EXPECT_FAULT(&finding) {
        block[64] = '!';
        moat_arena_free(arena, block);
    }
}

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
#define SCENE(name) { #name, name }
    SCENE(overflow),
    SCENE(use_after_free),
    SCENE(use_after_unmap),
    SCENE(null_dereference),
    SCENE(no_fault),
    SCENE(nested),
    SCENE(ten_thousand_times),
    SCENE(in_threads),
    SCENE(on_a_tiny_stack),
    SCENE(none_of_moats),
    SCENE(copies_of_any_size),
    SCENE(ten_thousand_copies),
    SCENE(stack_overflow),
    SCENE(stack_overflow_in_a_thread),
    SCENE(broken_off),
    SCENE(with_a_handler),
    SCENE(and_then_one_that_is_not),
    SCENE(and_one_in_another_thread),
    SCENE(and_damage),
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
