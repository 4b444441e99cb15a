/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits NAME: a program that limits its own memory, or locks it. Exit status
 * 0 when all is as it would be without Moat; those named crime_* commit one.
 */
#include "tests/support/play.h"
#include "tests/support/proc.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

static void *(*volatile resize)(void *, size_t) = realloc;

/* From here on the rest is done without rights that root has. */
static void become_nobody(void)
{
    if (getuid() == 0 && setuid(65534) != 0) {
        play_skip("root cannot become another user here");
    }
}

static void limit(__rlimit_resource_t resource, size_t bytes)
{
    struct rlimit wanted;
    struct rlimit found;
    MUST(getrlimit(resource, &wanted) == 0);
    wanted.rlim_cur = bytes;
    MUST(setrlimit(resource, &wanted) == 0);
    MUST(getrlimit(resource, &found) == 0);
    MUST(found.rlim_cur == bytes && found.rlim_max == wanted.rlim_max);
    MUST(prlimit(0, resource, NULL, &found) == 0);
    MUST(found.rlim_cur == bytes && found.rlim_max == wanted.rlim_max);
    MUST(prlimit(getpid(), resource, &wanted, &found) == 0);
    MUST(found.rlim_cur == bytes);
    wanted.rlim_max = bytes - 1;
    errno = 0;
    MUST(setrlimit(resource, &wanted) == -1 && errno == EINVAL);
    MUST(getrlimit(resource, &found) == 0 && found.rlim_cur == bytes);
}

/* There is some memory, and not more than the limit allows. */
static void work_within(size_t bytes)
{
    for (int i = 0; i < 2000; i++) {
        char *block = allocate(1000);
        MUST(block != NULL);
        memset(block, 'x', 1000);
        release(block);
    }
    errno = 0;
    MUST(allocate(bytes) == NULL && errno == ENOMEM);
    size_t had = 0;
    for (char *block; (block = allocate(MIB)) != NULL; had += MIB) {
        MUST(had < bytes);
    }
    MUST(errno == ENOMEM && had > bytes / 2);
    void *block = allocate(1000);
    MUST(block != NULL);
    errno = 0;
    MUST(resize(block, bytes) == NULL && errno == ENOMEM);
}

static void address_space_is_limited(void)
{
    limit(RLIMIT_AS, 300 * MIB);
    work_within(300 * MIB);
}

static void data_are_limited(void)
{
    limit(RLIMIT_DATA, 300 * MIB);
    work_within(300 * MIB);
}

static void hard_limits_are_lowered(void)
{
    struct rlimit wanted = { .rlim_cur = 200 * MIB, .rlim_max = 400 * MIB };
    struct rlimit found;
    MUST(setrlimit(RLIMIT_AS, &wanted) == 0);
    wanted = (struct rlimit){ .rlim_cur = 100 * MIB, .rlim_max = 300 * MIB };
    MUST(setrlimit(RLIMIT_AS, &wanted) == 0);
    MUST(getrlimit(RLIMIT_AS, &found) == 0);
    MUST(found.rlim_cur == 100 * MIB && found.rlim_max == 300 * MIB);
    MUST(allocate(150 * MIB) == NULL);
    wanted.rlim_cur = 300 * MIB;
    MUST(setrlimit(RLIMIT_AS, &wanted) == 0);
    MUST(allocate(150 * MIB) != NULL);
    /* Another limit is none of these. */
    MUST(getrlimit(RLIMIT_NOFILE, &found) == 0);
    MUST(setrlimit(RLIMIT_NOFILE, &found) == 0);
}

/* MOST is the hard limit now, which a user cannot raise in any way. */
static void try_to_raise(__rlimit_resource_t resource, size_t most)
{
    static const rlim_t raised[] = { 1, 4096, 100 * MIB, (size_t)1 << 40 };
    struct rlimit wanted = { .rlim_cur = 50 * MIB };
    struct rlimit found;
    for (size_t i = 0; i < sizeof raised / sizeof raised[0]; i++) {
        wanted.rlim_max = most + raised[i];
        errno = 0;
        MUST(setrlimit(resource, &wanted) == -1 && errno == EPERM);
        errno = 0;
        MUST(prlimit(0, resource, &wanted, NULL) == -1 && errno == EPERM);
    }
    wanted.rlim_max = RLIM_INFINITY;
    errno = 0;
    MUST(setrlimit(resource, &wanted) == -1 && errno == EPERM);
    MUST(getrlimit(resource, &found) == 0 && found.rlim_max == most);
    /* The same once more, and less, are allowed. */
    wanted.rlim_max = most;
    MUST(setrlimit(resource, &wanted) == 0);
    wanted.rlim_cur = most;
    MUST(setrlimit(resource, &wanted) == 0);
}

static void hard_limits_are_not_raised_again(void)
{
    static const __rlimit_resource_t resources[] = { RLIMIT_AS, RLIMIT_DATA };
    /* The second is finite without Moat's part and with it. */
    static const size_t firsts[] = { 400 * MIB, (size_t)1 << 39 };
    become_nobody();
    for (size_t i = 0; i < 2; i++) {
        struct rlimit wanted = { .rlim_cur = 200 * MIB };
        wanted.rlim_max = firsts[1 - i];
        MUST(setrlimit(resources[i], &wanted) == 0);
        try_to_raise(resources[i], firsts[1 - i]);
        wanted.rlim_max = 300 * MIB;
        MUST(setrlimit(resources[i], &wanted) == 0);
        try_to_raise(resources[i], 300 * MIB);
    }
    MUST(allocate(400 * MIB) == NULL);
    MUST(allocate(100 * MIB) != NULL);
}

static void mappings_can_be_had(void)
{
    limit(RLIMIT_AS, 300 * MIB);
    MUST(mmap(NULL, 50 * MIB, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
         != MAP_FAILED);
}

static void all_is_locked(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        play_skip("mlockall() is refused");
    }
    for (int i = 0; i < 1000; i++) {
        char *block = allocate(1000);
        memset(block, 'x', 1000);
        if (i % 2 == 0) {
            release(block);
        }
    }
    MUST(proc_status("VmLck:") > 0);
    MUST(proc_status("VmRSS:") < 200 * 1024);
    MUST(munlockall() == 0);
}

/* What is freed while all is locked takes no mapping from those that live, nor
 * from the program. */
static void very_many_blocks_are_locked(void)
{
    enum { MANY = 70000, OWN = 1000 };
    static char *blocks[MANY];
    for (int i = 0; i < MANY; i++) {
        blocks[i] = allocate(64);
        MUST(blocks[i] != NULL);
        memset(blocks[i], i, 64);
    }
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        play_skip("mlockall() is refused");
    }
    long locked = proc_status("VmLck:");
    MUST(locked > 0 && locked < 16 * 1024 * 1024);
    for (int i = 0; i < MANY; i += 2) {
        release(blocks[i]);
    }
    for (int i = 0; i < OWN; i++) {
        MUST(mmap(NULL, 4096, i % 2 == 0 ? PROT_READ : PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
             != MAP_FAILED);
    }
    for (int i = 0; i < MANY; i += 2) {
        blocks[i] = allocate(64);
        MUST(blocks[i] != NULL);
        memset(blocks[i], i, 64);
        if (i % 100 == 0) {
            release(allocate(600000));
        }
    }
    for (int i = 0; i < MANY; i++) {
        MUST(blocks[i][0] == (char)i && blocks[i][63] == (char)i);
        release(blocks[i]);
    }
    locked = proc_status("VmLck:");
    MUST(locked > 0 && locked < 16 * 1024 * 1024);
    MUST(munlockall() == 0);
}

/* Without the right to lock more than the limit allows. */
static void as_much_is_locked_as_a_user_may(void)
{
    struct rlimit wanted = { .rlim_cur = 8 * MIB, .rlim_max = 8 * MIB };
    if (setrlimit(RLIMIT_MEMLOCK, &wanted) != 0) {
        play_skip("setrlimit(RLIMIT_MEMLOCK) is refused");
    }
    /* In a user namespace of its own a user has that right. */
    become_nobody();
    long before = proc_status("VmLck:");
    char *block = allocate(100000);
    MUST(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    MUST(proc_status("VmLck:") > before);
    memset(block, 'x', 100000);
    release(block);
    for (int i = 0; i < 1000; i++) {
        release(allocate(1000));
    }
    MUST(munlockall() == 0);
    MUST(proc_status("VmLck:") == before);
    wanted.rlim_cur = 65536;
    MUST(setrlimit(RLIMIT_MEMLOCK, &wanted) == 0);
    errno = 0;
    MUST(mlockall(MCL_CURRENT) == -1 && errno == ENOMEM);
}

static void crime_under_a_limit(void)
{
    limit(RLIMIT_AS, 300 * MIB);
    limit(RLIMIT_DATA, 300 * MIB);
    volatile char *block = allocate(32);
    block[32] = 'x';
}

static const struct play plays[] = {
    PLAY(address_space_is_limited),
    PLAY(all_is_locked),
    PLAY(as_much_is_locked_as_a_user_may),
    PLAY(crime_under_a_limit),
    PLAY(data_are_limited),
    PLAY(hard_limits_are_lowered),
    PLAY(hard_limits_are_not_raised_again),
    PLAY(mappings_can_be_had),
    PLAY(very_many_blocks_are_locked),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
