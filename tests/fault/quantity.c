/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quantity PLAY: what very many blocks take, seen from outside: resident
 * memory, page tables and mappings, as /proc tells.
 *
 *   nothing  starts, and ends;
 *   live     300,000 small blocks at once, and then none;
 *   pairs    many times more pairs of an allocation and a free than slots may
 *            wait, with some blocks live; pairs_that_split where each live
 *            block is a mapping of its own;
 *   large    pairs of large blocks, of which some are live, and arenas that
 *            come and go;
 *   few, many: a fenced arena of ten blocks, or of three thousand, is
 *            destroyed between two calls of getppid(), for strace;
 *   limit    more blocks than there may be mappings, each a mapping or two;
 *            limit_medium, limit_large: of 10,000 and of 140,000 bytes;
 *   live_large
 *            as many large blocks at once as there may be mappings, and half
 * of them replaced, where they take none.
 *
 * Exit status 0: all is as it should be; 1: it is not, which is said; 77: the
 * machine is not made for it. This program has libmoat inside.
 */
#include "alloc/shortfall.h"
#include "api/heap.h"
#include "os/pages.h"
#include "tests/support/proc.h"

#include <moat.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SIZE = 64,
    LIVE = 300000,
    /* More than the quarantine that the script asks for, many times. */
    WARM_UP = 10000,
    PAIRS = 60000,
    HELD = 300,
    /* Blocks with an extent of their own: of 200 KB to 4 MB. */
    LARGE_PAIRS = 3000,
    LARGE_HELD = 20,
    MOST_MAPPINGS = 200000,
    /* Of the program itself, while blocks have all the mappings they get. */
    OWN_MAPPINGS = 1000,
    /* KiB; the kernel counts resident pages in batches. */
    UNCERTAIN = 1024
};

struct taken {
    long mappings;
    /* KiB. */
    long resident;
    long tables;
};

static struct taken look(const char *when)
{
    struct taken taken = {
        .mappings = proc_mappings(),
        .resident = proc_status("VmRSS:"),
        .tables = proc_status("VmPTE:"),
    };
    printf("# %s: %ld mappings, %ld KiB resident, %ld KiB of page tables\n",
           when, taken.mappings, taken.resident, taken.tables);
    return taken;
}

static void must(bool is_so, const char *what)
{
    if (!is_so) {
        printf("# not so: %s\n", what);
        fflush(stdout);
        _exit(1);
    }
}

static char *allocate(int number)
{
    char *block = heap_allocate(SIZE, 0, false, MOAT_FAMILY_MALLOC, NULL);
    must(block != NULL, "no allocation is refused");
    memset(block, number, SIZE);
    return block;
}

static void check(const char *block, int number)
{
    for (int i = 0; i < SIZE; i++) {
        must(block[i] == (char)number, "a block keeps its bytes");
    }
}

static bool is_accessible(const char *address)
{
    char byte;
    return pages_peek((uintptr_t)address, 1, &byte);
}

static char *blocks[MOST_MAPPINGS > LIVE ? MOST_MAPPINGS : LIVE];

/* Resident memory may be a page for each block, a tenth of that and 8 MiB. */
static void live(void)
{
    long page_kib = sysconf(_SC_PAGESIZE) / 1024;
    heap_free(allocate(0), MOAT_FAMILY_MALLOC, NULL);
    memset(blocks, 1, sizeof blocks);
    struct taken before = look("before");
    for (int i = 0; i < LIVE / 100; i++) {
        blocks[i] = allocate(i);
    }
    struct taken few = look("3,000 live blocks");
    for (int i = LIVE / 100; i < LIVE; i++) {
        blocks[i] = allocate(i);
    }
    struct taken all = look("300,000 live blocks");
    must(all.mappings == few.mappings, "there are as many mappings");
    must(all.resident - before.resident
             <= LIVE * page_kib / 10 * 11 + 8 * 1024,
         "resident are the pages of the blocks, 10 % and 8 MiB");
    for (int i = 0; i < LIVE; i += 997) {
        check(blocks[i], i);
        must(!is_accessible(blocks[i] + SIZE), "each ends at a guard page");
    }
    for (int i = 0; i < LIVE; i++) {
        heap_free(blocks[i], MOAT_FAMILY_MALLOC, NULL);
    }
    struct taken none = look("all freed");
    for (int i = 0; i < LIVE; i += 997) {
        must(!is_accessible(blocks[i]), "each freed block is out of reach");
    }
    must(none.resident - before.resident <= LIVE * page_kib / 10 + 8 * 1024,
         "freed blocks take no memory");
    must(none.tables - before.tables < (all.tables - before.tables) / 2,
         "what waits gives its page tables back");
    must(none.mappings <= few.mappings + 8, "mappings do not grow");
}

static void replace(int count)
{
    static unsigned long seed = 1;
    for (int i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int held = (int)((seed >> 33) % HELD);
        check(blocks[held], held);
        heap_free(blocks[held], MOAT_FAMILY_MALLOC, NULL);
        blocks[held] = allocate(held);
    }
}

/* MAPPINGS: how many more than before may be there. */
static void make_pairs(long mappings)
{
    for (int i = 0; i < HELD; i++) {
        blocks[i] = allocate(i);
    }
    replace(WARM_UP);
    struct taken before = look("after 10,000 pairs");
    replace(PAIRS);
    struct taken after = look("after 60,000 more");
    must(after.mappings <= before.mappings + mappings,
         "there are as many mappings");
    must(after.resident - before.resident <= UNCERTAIN,
         "resident memory does not grow");
    must(after.tables <= before.tables + 16, "page tables do not grow");
}

static void pairs(void)
{
    make_pairs(0);
}

/* Each live block splits a mapping, into more or fewer with its neighbours. */
static void pairs_that_split(void)
{
    make_pairs(HELD);
}

static void replace_large(int count)
{
    static unsigned long seed = 1;
    for (int i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t bytes = 200000 + (seed >> 33) % (i % 4 == 0 ? 4000000 : 400000);
        int held = i % LARGE_HELD;
        if (blocks[held] != NULL) {
            heap_free(blocks[held], MOAT_FAMILY_MALLOC, NULL);
            must(!is_accessible(blocks[held]),
                 "a freed block is out of reach");
        }
        blocks[held]
            = heap_allocate(bytes, 0, false, MOAT_FAMILY_MALLOC, NULL);
        must(blocks[held] != NULL, "no allocation is refused");
        blocks[held][0] = 'x';
        blocks[held][bytes - 1] = 'x';
        must(!is_accessible(blocks[held] + bytes + 16),
             "each ends at a guard page");
        struct moat_arena_config config
            = { .name = "passing",
                .capacity = 300000,
                .layout
                = i % 2 == 0 ? MOAT_LAYOUT_PACKED : MOAT_LAYOUT_FENCED };
        struct moat_arena *arena = moat_arena_create_with(&config);
        must(moat_arena_alloc(arena, 10) != NULL, "nor in an arena");
        moat_arena_destroy(arena);
    }
}

/* What is freed waits in constant mappings, whatever is between. */
static void large(void)
{
    replace_large(LARGE_HELD);
    struct taken few = look("after 20 pairs");
    replace_large(LARGE_PAIRS);
    struct taken many = look("after 3,000 pairs");
    must(many.mappings <= few.mappings + 2 * LARGE_HELD,
         "there are as many mappings");
    replace_large(LARGE_PAIRS);
    struct taken more = look("after 3,000 more");
    must(more.mappings <= few.mappings + 2 * LARGE_HELD,
         "there still are as many mappings");
    must(more.resident - many.resident <= UNCERTAIN,
         "resident memory does not grow");
}

/* What is not fenced has canaries, is counted, and is as good to use. */
static void limit(void)
{
    long most = proc_number("/proc/sys/vm/max_map_count", "");
    if (most > MOST_MAPPINGS) {
        printf("# vm.max_map_count is %ld\n", most);
        exit(77);
    }
    for (int i = 0; i < most; i++) {
        blocks[i] = allocate(i);
    }
    struct taken taken = look("as many blocks as there may be mappings");
    must(taken.mappings <= most, "the kernel's limit holds");
    must(shortfall_count(SHORTFALL_OVER_MAPPINGS) > 0,
         "blocks without a guard page are counted");
    for (int i = 0; i < OWN_MAPPINGS; i++) {
        must(mmap(NULL, 4096, i % 2 == 0 ? PROT_READ : PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                 != MAP_FAILED,
             "the program has mappings left for itself");
    }
    for (int i = 0; i < most; i++) {
        check(blocks[i], i);
    }
    for (int i = 0; i < most; i += 2) {
        heap_free(blocks[i], MOAT_FAMILY_MALLOC, NULL);
        char bytes[SIZE];
        memset(bytes, i, SIZE);
        must(!is_accessible(blocks[i]) || memcmp(blocks[i], bytes, SIZE) != 0,
             "a freed block is out of reach or stamped");
    }
    for (int i = 0; i < most; i += 2) {
        blocks[i] = allocate(i + 1);
    }
    for (int i = 0; i < most; i++) {
        check(blocks[i], i % 2 == 0 ? i + 1 : i);
    }
}

/* Only the first and the last bytes are touched, to save memory. */
enum { ENDS = 16 };

static void put(char *block, size_t bytes, int number)
{
    memset(block, number, ENDS);
    memset(block + bytes - ENDS, number, ENDS);
}

static bool has_put(const char *block, size_t bytes, int number)
{
    char ends[ENDS];
    memset(ends, number, ENDS);
    return memcmp(block, ends, ENDS) == 0
           && memcmp(block + bytes - ENDS, ends, ENDS) == 0;
}

static void is_put(const char *block, size_t bytes, int number)
{
    must(has_put(block, bytes, number), "a block keeps its bytes");
}

static char *allocate_bytes(size_t bytes)
{
    char *block = heap_allocate(bytes, 0, false, MOAT_FAMILY_MALLOC, NULL);
    must(block != NULL, "no allocation is refused");
    return block;
}

static void limit_of(size_t bytes)
{
    enum { LARGEST = 4 << 20 };
    long most = proc_number("/proc/sys/vm/max_map_count", "");
    if (most > MOST_MAPPINGS / 2) {
        printf("# vm.max_map_count is %ld\n", most);
        exit(77);
    }
    int count = (int)most / 2 + 1000;
    for (int i = 0; i < count; i++) {
        blocks[i] = allocate_bytes(bytes);
        put(blocks[i], bytes, i);
    }
    struct taken taken = look("half as many as there may be mappings");
    must(taken.mappings <= most, "the kernel's limit holds");
    must(shortfall_count(SHORTFALL_OVER_MAPPINGS) > 0,
         "blocks without a guard page are counted");
    must(shortfall_count(SHORTFALL_OVER_MAPPINGS) < (size_t)count / 4,
         "most have one");
    for (int i = 0; i < OWN_MAPPINGS; i++) {
        must(mmap(NULL, 4096, i % 2 == 0 ? PROT_READ : PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                 != MAP_FAILED,
             "the program has mappings left for itself");
    }
    for (int i = 0; i < OWN_MAPPINGS; i++) {
        check(allocate(i), i);
        char *largest = allocate_bytes(LARGEST);
        put(largest, LARGEST, i);
        must(!is_accessible(largest + LARGEST), "the largest have guards");
    }
    for (int i = 0; i < count; i++) {
        is_put(blocks[i], bytes, i);
    }
    for (int i = 0; i < count; i++) {
        heap_free(blocks[i], MOAT_FAMILY_MALLOC, NULL);
        must(!is_accessible(blocks[i]) || !has_put(blocks[i], bytes, i),
             "a freed block is out of reach or stamped");
        blocks[i] = allocate_bytes(bytes);
        put(blocks[i], bytes, i);
    }
    look("each replaced");
    for (int i = 0; i < count; i++) {
        is_put(blocks[i], bytes, i);
        heap_free(blocks[i], MOAT_FAMILY_MALLOC, NULL);
    }
}

/* As many as there may be mappings; those of the program are left to it. */
static void live_large(void)
{
    enum { BYTES = 140000 };
    long most = proc_number("/proc/sys/vm/max_map_count", "");
    if (most > MOST_MAPPINGS / 2) {
        printf("# vm.max_map_count is %ld\n", most);
        exit(77);
    }
    for (int i = 0; i < most; i++) {
        blocks[i] = allocate_bytes(BYTES);
        put(blocks[i], BYTES, i);
    }
    look("as many as there may be mappings");
    for (int i = 0; i < most; i += 2) {
        heap_free(blocks[i], MOAT_FAMILY_MALLOC, NULL);
        must(!is_accessible(blocks[i]), "a freed block is out of reach");
    }
    look("half of them freed");
    for (int i = 0; i < OWN_MAPPINGS; i++) {
        must(mmap(NULL, 4096, i % 2 == 0 ? PROT_READ : PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                 != MAP_FAILED,
             "the program has mappings left for itself");
    }
    for (int i = 0; i < most; i += 2) {
        blocks[i] = allocate_bytes(BYTES);
        put(blocks[i], BYTES, i);
    }
    for (int i = 0; i < most; i++) {
        is_put(blocks[i], BYTES, i);
        must(!is_accessible(blocks[i] + BYTES), "each ends at a guard page");
        heap_free(blocks[i], MOAT_FAMILY_MALLOC, NULL);
        must(!is_accessible(blocks[i]), "each freed block is out of reach");
    }
    look("all freed");
}

static void limit_medium(void)
{
    limit_of(10000);
}

static void limit_large(void)
{
    limit_of(140000);
}

static void destroy(int count)
{
    struct moat_arena_config config = { .name = "many",
                                        .capacity = (size_t)count * SIZE,
                                        .layout = MOAT_LAYOUT_FENCED };
    struct moat_arena *arena = moat_arena_create_with(&config);
    for (int i = 0; i < count; i++) {
        blocks[i] = moat_arena_alloc(arena, SIZE);
        must(blocks[i] != NULL, "no allocation is refused");
    }
    getppid();
    moat_arena_destroy(arena);
    getppid();
    for (int i = 0; i < count; i++) {
        must(!is_accessible(blocks[i]), "all of it is out of reach");
    }
}

static void few(void)
{
    destroy(10);
}

static void many(void)
{
    destroy(3000);
}

static void nothing(void)
{
    allocate(0);
}

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
    { "nothing", nothing },
    { "live", live },
    { "pairs", pairs },
    { "pairs_that_split", pairs_that_split },
    { "large", large },
    { "few", few },
    { "many", many },
    { "limit", limit },
    { "limit_medium", limit_medium },
    { "limit_large", limit_large },
    { "live_large", live_large },
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (argument_count == 2 && strcmp(plays[i].name, arguments[1]) == 0) {
            plays[i].play();
            fflush(stdout);
            /* Nothing is looked for at exit. */
            _exit(0);
        }
    }
    return 2;
}
