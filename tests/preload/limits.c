/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits NAME: a program that limits its own memory, or locks it. Exit status
 * 0 when all is as it would be without Moat; those named crime_* commit one.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile resize)(void *, size_t) = realloc;
static void (*volatile release)(void *) = free;

static void must(bool condition, int line)
{
    if (!condition) {
        fprintf(stderr, "line %d does not hold\n", line);
        exit(1);
    }
}
#define MUST(condition) must(condition, __LINE__)

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
    if (geteuid() != 0) {
        wanted.rlim_max = 400 * MIB;
        MUST(setrlimit(RLIMIT_AS, &wanted) == -1 && errno == EPERM);
    }
    /* Another limit is none of these. */
    MUST(getrlimit(RLIMIT_NOFILE, &found) == 0);
    MUST(setrlimit(RLIMIT_NOFILE, &found) == 0);
}

static void mappings_can_be_had(void)
{
    limit(RLIMIT_AS, 300 * MIB);
    MUST(mmap(NULL, 50 * MIB, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
         != MAP_FAILED);
}

/* How much is locked, in KiB. */
static long locked(void)
{
    char line[200];
    long kibibytes = -1;
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status != NULL);
    while (fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "VmLck: %ld", &kibibytes);
    }
    fclose(status);
    return kibibytes;
}

/* How much is in memory, in KiB. */
static long resident(void)
{
    char line[200];
    long kibibytes = -1;
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status != NULL);
    while (fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "VmRSS: %ld", &kibibytes);
    }
    fclose(status);
    return kibibytes;
}

static void all_is_locked(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        return;
    }
    for (int i = 0; i < 1000; i++) {
        char *block = allocate(1000);
        memset(block, 'x', 1000);
        if (i % 2 == 0) {
            release(block);
        }
    }
    MUST(locked() > 0);
    MUST(resident() < 200 * 1024);
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
        return;
    }
    MUST(locked() > 0 && locked() < 16 * 1024 * 1024);
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
    MUST(locked() > 0 && locked() < 16 * 1024 * 1024);
    MUST(munlockall() == 0);
}

/* Without the right to lock more than the limit allows. */
static void as_much_is_locked_as_a_user_may(void)
{
    struct rlimit wanted = { .rlim_cur = 8 * MIB, .rlim_max = 8 * MIB };
    /* In a user namespace of its own a user has that right. */
    if (setrlimit(RLIMIT_MEMLOCK, &wanted) != 0
        || (getuid() == 0 && setuid(65534) != 0)) {
        return;
    }
    long before = locked();
    char *block = allocate(100000);
    MUST(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
    MUST(locked() > before);
    memset(block, 'x', 100000);
    release(block);
    for (int i = 0; i < 1000; i++) {
        release(allocate(1000));
    }
    MUST(munlockall() == 0);
    MUST(locked() == before);
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

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
#define PLAY(name) { #name, name }
    PLAY(address_space_is_limited), PLAY(all_is_locked),
    PLAY(as_much_is_locked_as_a_user_may),
    PLAY(crime_under_a_limit),      PLAY(data_are_limited),
    PLAY(hard_limits_are_lowered),  PLAY(mappings_can_be_had),
    PLAY(very_many_blocks_are_locked),
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (argument_count == 1) {
            puts(plays[i].name);
        } else if (strcmp(arguments[1], plays[i].name) == 0) {
            plays[i].play();
            return 0;
        }
    }
    return argument_count == 1 ? 0 : 2;
}
