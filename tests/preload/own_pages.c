/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_pages NAME: a program that calls mprotect() and its kin on pages of its
 * own blocks. Exit status 0 when all is as it would be without Moat; those
 * named crime_* commit one, dies_* ends by SIGSEGV, and moat_* does what only
 * Moat allows with a block, or counts what is Moat's.
 */
#include "tests/support/play.h"
#include "tests/support/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

enum { PAGE = 4096, LARGE = 5 << 20 };

/* The last two are large, and what a slot has many pages of. */
static const size_t sizes[] = { PAGE, 3 * PAGE, 100000, LARGE };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void *(*volatile resize)(void *, size_t) = realloc;

/* A block that begins where a page does. */
static char *allocate_on_page(size_t bytes)
{
    void *block = NULL;
    MUST(posix_memalign(&block, PAGE, bytes) == 0);
    return block;
}

static size_t pages_of(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

static void protect(char *block, size_t bytes, int protection)
{
    MUST(mprotect(block, pages_of(bytes), protection) == 0);
}

static bool is_all(const char *block, size_t bytes, char byte)
{
    return bytes == 0
           || (block[0] == byte && memcmp(block, block + 1, bytes - 1) == 0);
}

/* Blocks of all sizes work. */
static void work(void)
{
    for (int round = 0; round < 40; round++) {
        /* Large blocks take their time. */
        for (size_t i = 0; i < SIZES - (round > 2); i++) {
            char *block = allocate_on_page(sizes[i]);
            memset(block, round, sizes[i]);
            MUST(is_all(block, sizes[i], (char)round));
            release(block);
        }
    }
}

static void protected_and_back(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        char *block = allocate_on_page(sizes[i]);
        memset(block, 'x', sizes[i]);
        protect(block, sizes[i], PROT_NONE);
        protect(block, sizes[i], PROT_READ);
        MUST(is_all(block, sizes[i], 'x'));
        protect(block, sizes[i], PROT_READ | PROT_WRITE);
        block[0] = 'y';
        release(block);
    }
    work();
}

static void moat_freed_while_protected(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        for (int j = 0; j < 20; j++) {
            char *block = allocate_on_page(sizes[i]);
            protect(block, PAGE, j % 2 == 0 ? PROT_NONE : PROT_READ);
            release(block);
        }
    }
    work();
}

static void moat_exits_while_protected(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        protect(allocate_on_page(sizes[i]), PAGE, PROT_NONE);
        protect(allocate_on_page(sizes[i] - 1), sizes[i], PROT_NONE);
    }
}

static void moat_rounds_keep_the_mappings(void)
{
    enum { ROUNDS = 2000, LARGE_ROUNDS = 40, TOLERANCE = 30 };
    static const int advice[]
        = { MADV_RANDOM, MADV_DONTDUMP, MADV_HUGEPAGE, MADV_DONTFORK };
    long before = 0;
    for (int i = -20; i < ROUNDS; i++) {
        if (i == 0) {
            before = proc_mappings();
        }
        char *block = allocate_on_page(2 * PAGE);
        switch (i % 5) {
        case 0:
            protect(block, PAGE, PROT_NONE);
            break;
        case 1:
            protect(block, PAGE, PROT_READ);
            MUST(mlock(block, 2 * PAGE) == 0);
            break;
        case 2:
            MUST(munmap(block, PAGE) == 0);
            break;
        default:
            MUST(madvise(block, PAGE, advice[(unsigned)i % 4]) == 0
                 || errno == EINVAL);
            break;
        }
        release(block);
    }
    for (int i = 0; i < LARGE_ROUNDS; i++) {
        char *block = allocate_on_page(LARGE);
        protect(block + PAGE, PAGE, PROT_NONE);
        MUST(madvise(block, PAGE, advice[i % 4]) == 0 || errno == EINVAL);
        release(block);
    }
    /* The library itself has added some for the large blocks. */
    MUST(proc_mappings() < before + TOLERANCE);
}

/* A collector's write barrier. */
enum { CARDS = 64 };
static char *cards[CARDS];
static volatile int faults;

static void on_write(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    char *page = (char *)((uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1));
    faults++;
    if (mprotect(page, PAGE, PROT_READ | PROT_WRITE) != 0) {
        _exit(3);
    }
}

static void write_barrier(void)
{
    struct sigaction action = { .sa_sigaction = on_write,
                                .sa_flags = SA_SIGINFO };
    MUST(sigaction(SIGSEGV, &action, NULL) == 0);
    for (int i = 0; i < CARDS; i++) {
        cards[i] = allocate_on_page(3 * PAGE);
        memset(cards[i], 'x', 3 * PAGE);
        protect(cards[i], 3 * PAGE, PROT_READ);
    }
    for (int round = 0; round < 3; round++) {
        faults = 0;
        for (int i = 0; i < CARDS; i++) {
            *(volatile char *)(cards[i] + PAGE + 5) = 'y';
            *(volatile char *)(cards[i] + PAGE + 6) = 'z';
        }
        MUST(faults == CARDS);
        for (int i = 0; i < CARDS; i++) {
            protect(cards[i], 3 * PAGE, PROT_READ);
        }
    }
    for (int i = 0; i < CARDS; i++) {
        protect(cards[i], 3 * PAGE, PROT_READ | PROT_WRITE);
        MUST(cards[i][0] == 'x' && cards[i][PAGE + 5] == 'y');
        release(cards[i]);
    }
}

static void drop(int advice)
{
    int ends[2];
    MUST(pipe(ends) == 0);
    for (size_t i = 0; i < SIZES; i++) {
        char *block = allocate_on_page(sizes[i]);
        memset(block, 'x', sizes[i]);
        size_t bytes = sizes[i] / PAGE * PAGE;
        MUST(madvise(block, bytes, advice) == 0);
        /* A system call finds what an access would. */
        MUST(write(ends[1], "abc", 3) == 3);
        MUST(read(ends[0], block + bytes - PAGE, 3) == 3);
        MUST(memcmp(block + bytes - PAGE, "abc", 3) == 0);
        if (advice != MADV_FREE) {
            MUST(is_all(block, bytes - PAGE, 0));
            MUST(is_all(block + bytes - PAGE + 3, PAGE - 3, 0));
            MUST(is_all(block + bytes, sizes[i] - bytes, 'x'));
        }
        release(block);
    }
    close(ends[0]);
    close(ends[1]);
    work();
}

static void dropped_with_dontneed(void)
{
    drop(MADV_DONTNEED);
}

static void dropped_with_free(void)
{
    drop(MADV_FREE);
}

static void dropped_while_protected(void)
{
    char *block = allocate_on_page(3 * PAGE - 7);
    memset(block, 'x', 3 * PAGE - 7);
    protect(block, 3 * PAGE, PROT_READ);
    MUST(madvise(block, 2 * PAGE, MADV_DONTNEED) == 0);
    MUST(is_all(block, 2 * PAGE, 0));
    protect(block, 3 * PAGE, PROT_READ | PROT_WRITE);
    release(block);
    block = allocate_on_page(PAGE);
    MUST(posix_madvise(block, PAGE, POSIX_MADV_DONTNEED) == 0);
    MUST(posix_madvise(block, PAGE, POSIX_MADV_RANDOM) == 0);
    MUST(posix_madvise(block + 1, PAGE, POSIX_MADV_RANDOM) == EINVAL);
    release(block);
}

static void moat_locked_is_unlocked(void)
{
    long before = proc_status("VmLck:");
    for (size_t i = 0; i < SIZES; i++) {
        char *block = allocate_on_page(sizes[i]);
        memset(block, 'x', sizes[i]);
        MUST(mlock(block, sizes[i]) == 0);
        MUST(proc_status("VmLck:") > before);
        block = resize(block, 2 * sizes[i]);
        MUST(is_all(block, sizes[i], 'x'));
        MUST(mlock2(block + 5, sizes[i], MLOCK_ONFAULT) == 0);
        MUST(munlock(block, PAGE) == 0);
        release(block);
        MUST(proc_status("VmLck:") == before);
    }
    work();
}

static void grown_after_lock(void)
{
    char *block = allocate_on_page(PAGE);
    size_t bytes = PAGE;
    block[0] = 'x';
    for (int i = 0; i < 40; i++) {
        MUST(mlock(block, PAGE) == 0);
        bytes += 64 << 10;
        block = resize(block, bytes);
        memset(block + bytes - 100, 'y', 100);
        MUST(block[0] == 'x');
    }
    MUST(munlock(block, bytes) == 0);
    release(block);
}

static bool is_within(const void *address, const char *block, size_t bytes)
{
    return (uintptr_t)address - (uintptr_t)block < bytes;
}

/* Mappings that the kernel places do not come to lie in BLOCK. */
static void map_elsewhere(const char *block, size_t bytes)
{
    for (int i = 0; i < 50; i++) {
        size_t asked = PAGE << (i % 9);
        void *other = mmap(NULL, asked, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(other != MAP_FAILED && !is_within(other, block, bytes));
        memset(other, 'x', asked);
    }
}

static void moat_unmapped(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        char *before = allocate_on_page(sizes[i]);
        char *block = allocate_on_page(sizes[i]);
        char *behind = allocate_on_page(sizes[i]);
        size_t bytes = pages_of(sizes[i]);
        memset(before, 'x', sizes[i]);
        memset(behind, 'x', sizes[i]);
        MUST(munmap(block, bytes) == 0);
        MUST(access(block, F_OK) == -1 && errno == EFAULT);
        map_elsewhere(block, bytes);
        /* A guard page is nobody's; nor is a page that is shared with one. */
        MUST(munmap(behind, bytes + PAGE) == -1 && errno == EINVAL);
        MUST(munmap(behind + 1, PAGE) == -1 && errno == EINVAL);
        MUST(is_all(before, sizes[i], 'x') && is_all(behind, sizes[i], 'x'));
        release(block);
        MUST(munmap(block, bytes) == -1 && errno == EINVAL);
        map_elsewhere(block, bytes);
        release(before);
        release(behind);
    }
    work();
}

static void moat_moved_away(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        for (int way = 0; way < 4; way++) {
            size_t bytes = pages_of(sizes[i]);
            size_t wanted = way == 0 ? 4 * bytes : bytes;
            char *block = allocate_on_page(sizes[i]);
            char *moved;
            memset(block, 'x', sizes[i]);
            if (way < 2) {
                moved = mremap(block, bytes, wanted,
                               way == 0 ? MREMAP_MAYMOVE
                                        : MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
                /* In place, there is nowhere to move. */
                if (way == 0) {
                    MUST(moved != MAP_FAILED);
                }
            } else {
                void *place
                    = mmap(NULL, wanted, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                moved = mremap(block, bytes, wanted,
                               MREMAP_MAYMOVE | MREMAP_FIXED, place);
                MUST(moved == place);
            }
            MUST(moved != MAP_FAILED && !is_within(moved, block, bytes));
            MUST(is_all(moved, sizes[i], 'x'));
            memset(moved + wanted - PAGE, 'y', PAGE);
            if (way == 1) {
                MUST(is_all(block, bytes, 0));
                memset(block, 'z', bytes);
            }
            map_elsewhere(block, bytes);
            /* It is one mapping. */
            MUST(mremap(moved, wanted, wanted + PAGE, MREMAP_MAYMOVE)
                 != MAP_FAILED);
            release(block);
        }
    }
    /* What the kernel would refuse, and what must not be. */
    char *block = allocate_on_page(2 * PAGE);
    MUST(mremap(block, 2 * PAGE, 3 * PAGE, 0) == MAP_FAILED
         && errno == ENOMEM);
    MUST(mremap(block, 4 * PAGE, 3 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED
         && errno == EINVAL);
    MUST(mremap(block, 2 * PAGE, 0, MREMAP_MAYMOVE) == MAP_FAILED
         && errno == EINVAL);
    MUST(mremap(block, 2 * PAGE, 2 * PAGE, 0) == block);
    MUST(mremap(block, 2 * PAGE, PAGE, 0) == block);
    map_elsewhere(block, 2 * PAGE);
    release(block);
    work();
}

static int make_file(size_t bytes)
{
    int file = memfd_create("own_pages", 0);
    MUST(file >= 0 && ftruncate(file, (off_t)bytes) == 0);
    return file;
}

static void end_well(pid_t child)
{
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void moat_file_over_a_block(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        char *block = allocate_on_page(sizes[i]);
        size_t bytes = pages_of(sizes[i]);
        int file = make_file(bytes);
        memset(block, 'x', sizes[i]);
        MUST(mmap(block, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                  file, 0)
             == block);
        MUST(is_all(block, bytes, 0));
        memset(block, 'y', bytes);
        char first;
        MUST(pread(file, &first, 1, 0) == 1 && first == 'y');
        pid_t child = fork();
        if (child == 0) {
            work();
            release(block);
            work();
            _exit(0);
        }
        end_well(child);
        release(block);
        MUST(pread(file, &first, 1, 0) == 1 && first == 'y');
        /* Neither over a guard page, nor over what is freed. */
        char *other = allocate_on_page(sizes[i]);
        MUST(mmap(other, bytes + PAGE, PROT_READ, MAP_SHARED | MAP_FIXED,
                  file, 0)
                 == MAP_FAILED
             && errno == EINVAL);
        MUST(mmap(block, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0)
                 == MAP_FAILED
             && errno == EINVAL);
        memset(other, 'x', sizes[i]);
        /* What the kernel refuses changes nothing. */
        MUST(mmap(other, bytes, PROT_READ, MAP_SHARED | MAP_FIXED, -1, 0)
                 == MAP_FAILED
             && errno == EBADF);
        MUST(is_all(other, sizes[i], 'x'));
        release(other);
        close(file);
    }
    work();
}

static void moat_not_for_children(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        static const int advice[] = { MADV_DONTFORK, MADV_WIPEONFORK };
        for (int j = 0; j < 2; j++) {
            /* Not whole pages: the rest is canary. */
            char *block = allocate_on_page(sizes[i] - 5);
            memset(block, 'x', sizes[i] - 5);
            MUST(madvise(block, pages_of(sizes[i]), advice[j]) == 0);
            pid_t child = fork();
            if (child == 0) {
                map_elsewhere(block, pages_of(sizes[i]));
                MUST(is_all(block, sizes[i] - 5, 0));
                if (i % 2 == 0) {
                    release(block);
                }
                work();
                exit(0);
            }
            end_well(child);
            MUST(is_all(block, sizes[i] - 5, 'x'));
            MUST(madvise(block, pages_of(sizes[i]), MADV_DOFORK) == 0);
            release(block);
        }
    }
}

/* As array libraries do for their larger arrays. */
static void moat_huge_pages(void)
{
    enum { BYTES = 4 << 20, ROUNDS = 30, TOLERANCE = 30 };
    long before = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char *block = malloc(BYTES);
        MUST(block != NULL);
        uintptr_t first = ((uintptr_t)block + PAGE - 1) / PAGE * PAGE;
        size_t bytes = BYTES - (first - (uintptr_t)block);
        MUST(madvise((void *)first, bytes / PAGE * PAGE, MADV_HUGEPAGE) == 0
             || errno == EINVAL);
        memset(block, 'x', BYTES);
        if (i % 3 == 0) {
            block = resize(block, BYTES + BYTES / 2);
            MUST(block != NULL && is_all(block, BYTES, 'x'));
        }
        release(block);
        if (i == 3) {
            before = proc_mappings();
        }
    }
    MUST(proc_mappings() < before + TOLERANCE);
}

static void *protect_and_free(void *unused)
{
    for (int i = 0; i < 300; i++) {
        size_t bytes = sizes[(unsigned)i % 3];
        char *block = allocate_on_page(bytes);
        memset(block, 'x', bytes);
        protect(block, PAGE, PROT_READ);
        MUST(madvise(block, PAGE, MADV_RANDOM) == 0);
        protect(block, PAGE, PROT_READ | PROT_WRITE);
        MUST(is_all(block, bytes, 'x'));
        release(block);
    }
    return unused;
}

static void in_threads(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        MUST(pthread_create(&threads[i], NULL, protect_and_free, NULL) == 0);
    }
    for (int i = 0; i < 4; i++) {
        MUST(pthread_join(threads[i], NULL) == 0);
    }
}

/* Pages of no block are the kernel's business as ever. */
static void pages_of_no_block(void)
{
    char *pages = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(pages != MAP_FAILED);
    MUST(mprotect(pages, PAGE, PROT_READ) == 0);
    MUST(mprotect(pages + 1, PAGE, PROT_READ) == -1 && errno == EINVAL);
    MUST(mprotect(pages, 0, PROT_READ) == 0);
    MUST(madvise(pages, PAGE, MADV_DONTNEED) == 0);
    MUST(madvise(pages, PAGE, 12345) == -1 && errno == EINVAL);
    MUST(mlock(pages + 1, PAGE) == 0 && munlock(pages, 2 * PAGE) == 0);
    MUST(munmap(pages, 8 * PAGE) == 0);
    pages = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(pages != MAP_FAILED);
    char *moved = mremap(pages, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
    MUST(moved != MAP_FAILED);
    MUST(mmap(moved, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
              -1, 0)
         == moved);
    MUST(munmap(moved, 16 * PAGE) == 0);
    MUST(mprotect(moved, PAGE, PROT_READ) == -1 && errno == ENOMEM);
    MUST(munmap(moved + 1, PAGE) == -1 && errno == EINVAL);
    MUST(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
             == MAP_FAILED
         && errno == EINVAL);
}

static void moat_none_of_a_block(void)
{
    char *block = allocate_on_page(PAGE);
    release(block);
    MUST(mprotect(block, PAGE, PROT_READ | PROT_WRITE) == -1
         && errno == ENOMEM);
    MUST(madvise(block, PAGE, MADV_RANDOM) == -1 && errno == ENOMEM);
    MUST(mlock(block, PAGE) == -1 && errno == ENOMEM);
}

static char read_at(const char *address)
{
    return *(const volatile char *)address;
}

static void crime_past_the_pages(void)
{
    char *block = allocate_on_page(PAGE);
    MUST(mprotect(block, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    MUST(mprotect(block, 2 * PAGE, PROT_READ) == 0);
    MUST(mprotect(block, 2 * PAGE, PROT_READ | PROT_WRITE) == 0);
    read_at(block + PAGE);
}

static void crime_after_protection(void)
{
    char *block = allocate_on_page(PAGE);
    protect(block, PAGE, PROT_NONE);
    protect(block, PAGE, PROT_READ | PROT_WRITE);
    release(block);
    read_at(block + 7);
}

static void crime_while_protected(void)
{
    char *block = allocate_on_page(PAGE);
    protect(block, PAGE, PROT_NONE);
    release(block);
    work();
    read_at(block + 7);
}

static void crime_after_lock(void)
{
    char *block = allocate_on_page(100);
    MUST(mlock(block, 100) == 0);
    release(block);
    read_at(block + 7);
}

static void crime_after_lock_of_large(void)
{
    char *block = allocate_on_page(LARGE);
    MUST(mlock2(block, LARGE, MLOCK_ONFAULT) == 0);
    block = resize(block, 2 * LARGE);
    MUST(mlock2(block, LARGE, 0) == 0);
    release(block);
    read_at(block + LARGE / 2);
}

static void crime_after_drop(void)
{
    char *block = allocate_on_page(PAGE);
    MUST(madvise(block, PAGE, MADV_DONTNEED) == 0);
    release(block);
    read_at(block + 7);
}

static void crime_after_advice(void)
{
    char *block = allocate_on_page(LARGE);
    MUST(madvise(block, LARGE, MADV_RANDOM) == 0);
    block[LARGE - 1] = 'x';
    release(block);
    read_at(block + LARGE - 1);
}

static void crime_after_unmapping(void)
{
    char *block = allocate_on_page(2 * PAGE);
    MUST(munmap(block, PAGE) == 0);
    release(block);
    work();
    read_at(block + 7);
}

static void crime_after_a_file(void)
{
    char *block = allocate_on_page(2 * PAGE);
    MUST(mmap(block, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
              make_file(2 * PAGE), 0)
         == block);
    release(block);
    read_at(block + 7);
}

/* Behind a block of two pages and no alignment, in its last page. */
static volatile size_t beyond = 2 * PAGE - 7;

static void harm_slack(int advice)
{
    char *block = malloc(2 * PAGE - 7);
    MUST(block != NULL);
    char *page
        = (char *)((uintptr_t)(block + PAGE) & ~(uintptr_t)(PAGE - 1));
    memset(block, 'x', 2 * PAGE - 7);
    MUST(madvise(page, PAGE, advice) == 0);
    block[beyond] = 'x';
    release(block);
}

static void crime_slack_after_drop(void)
{
    harm_slack(MADV_DONTNEED);
}

static void crime_slack_after_free(void)
{
    harm_slack(MADV_FREE);
}

static void crime_slack_while_protected(void)
{
    char *block = malloc(2 * PAGE - 7);
    MUST(block != NULL);
    block[beyond] = 'x';
    char *page
        = (char *)((uintptr_t)(block + PAGE) & ~(uintptr_t)(PAGE - 1));
    protect(page, PAGE, PROT_NONE);
    release(block);
}

static void dies_on_its_own_page(void)
{
    char *block = allocate_on_page(PAGE);
    protect(block, PAGE, PROT_NONE);
    read_at(block + 7);
}

static const struct play plays[] = {
    PLAY(crime_after_a_file),
    PLAY(crime_after_advice),
    PLAY(crime_after_drop),
    PLAY(crime_after_lock),
    PLAY(crime_after_lock_of_large),
    PLAY(crime_after_protection),
    PLAY(crime_after_unmapping),
    PLAY(crime_past_the_pages),
    PLAY(crime_slack_after_drop),
    PLAY(crime_slack_after_free),
    PLAY(crime_slack_while_protected),
    PLAY(crime_while_protected),
    PLAY(dies_on_its_own_page),
    PLAY(dropped_while_protected),
    PLAY(dropped_with_dontneed),
    PLAY(dropped_with_free),
    PLAY(grown_after_lock),
    PLAY(in_threads),
    PLAY(moat_exits_while_protected),
    PLAY(moat_file_over_a_block),
    PLAY(moat_freed_while_protected),
    PLAY(moat_huge_pages),
    PLAY(moat_locked_is_unlocked),
    PLAY(moat_moved_away),
    PLAY(moat_none_of_a_block),
    PLAY(moat_not_for_children),
    PLAY(moat_rounds_keep_the_mappings),
    PLAY(moat_unmapped),
    PLAY(pages_of_no_block),
    PLAY(protected_and_back),
    PLAY(write_barrier),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
