/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap_refusals: uses the heap while system calls fail, and looks for itself
 * whether each freed block is out of reach and each live one ends at a guard,
 * or whether Moat has counted and said that it is not so; and what became of
 * the bytes of a freed block that is not out of reach.
 *
 * Exit status 0: all is well; 42: an allocation was refused with ENOMEM;
 * others: something is lost, and nobody has said so.
 */
#include "alloc/altered.h"
#include "alloc/shortfall.h"
#include "api/heap.h"
#include "os/pages.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCKS = 12, LARGE = 3, ALTERED = 4, GROWTHS = 6 };

static char *freed[4 * BLOCKS + 2 * LARGE + ALTERED + GROWTHS];
static int freed_count;

static void end_refused(void)
{
    _exit(errno == ENOMEM ? 42 : 3);
}

static char *allocate(size_t bytes)
{
    char *block = heap_allocate(bytes, 0, false, MOAT_FAMILY_MALLOC, NULL);
    if (block == NULL) {
        end_refused();
    }
    memset(block, 'a', bytes);
    return block;
}

static bool is_accessible(const char *address)
{
    char byte;
    return pages_peek((uintptr_t)address, 1, &byte);
}

static void check(const char *block, size_t bytes, char letter)
{
    for (size_t i = 0; i < bytes; i++) {
        if (block[i] != letter) {
            _exit(4);
        }
    }
}

static void release(char *block)
{
    heap_free(block, MOAT_FAMILY_MALLOC, NULL);
    freed[freed_count++] = block;
}

static void check_freed(void)
{
    for (int i = 0; i < freed_count; i++) {
        if (freed[i] != NULL && is_accessible(freed[i])
            && shortfall_count(SHORTFALL_STAMPED) == 0
            && shortfall_count(SHORTFALL_LEFT_OPEN) == 0
            && shortfall_count(SHORTFALL_NOT_STAMPED) == 0
            && shortfall_count(SHORTFALL_OVER_MAPPINGS) == 0) {
            _exit(5);
        }
        if (freed[i] != NULL && is_accessible(freed[i])
            && shortfall_count(SHORTFALL_LEFT_OPEN) == 0
            && shortfall_count(SHORTFALL_NOT_STAMPED) == 0
            && freed[i][0] == 'a' && freed[i][1] == 'a') {
            _exit(7);
        }
    }
}

static void check_guard(const char *block, size_t bytes)
{
    if (is_accessible(block + bytes)
        && shortfall_count(SHORTFALL_OVER_MAPPINGS) == 0) {
        _exit(6);
    }
}

/* A block that is allocated again is no freed one any more. */
static void forget_freed(const char *block)
{
    for (int i = 0; i < freed_count; i++) {
        if (freed[i] == block) {
            freed[i] = NULL;
        }
    }
}

static void use(int count, size_t bytes)
{
    char *blocks[BLOCKS];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < count; i++) {
            blocks[i] = allocate(bytes);
            forget_freed(blocks[i]);
        }
        for (int i = 0; i < count; i++) {
            check(blocks[i], bytes, 'a');
            check_guard(blocks[i], bytes);
        }
        for (int i = 0; i < count; i++) {
            release(blocks[i]);
        }
    }
    check_freed();
}

/* What a program may do with pages of its blocks, as preload/own_pages notes
 * it.
 */
static void use_altered(size_t bytes)
{
    uintptr_t page_bytes = pages_size();
    for (int i = 0; i < ALTERED; i++) {
        char *block = allocate(bytes);
        forget_freed(block);
        uintptr_t page = (uintptr_t)block / page_bytes * page_bytes;
        if (i % 2 == 0) {
            altered_note(page, page + page_bytes, BLOCK_LOCKED);
            mlock((void *)page, page_bytes);
        } else {
            altered_note(page, page + page_bytes, BLOCK_PROTECTED);
            mprotect((void *)page, page_bytes, PROT_READ);
        }
        release(block);
    }
    check_freed();
}

static void grow(void)
{
    size_t bytes = 262144;
    char *block = allocate(bytes);
    for (int i = 0; i < GROWTHS; i++) {
        memset(block, 'a' + i, bytes);
        char *moved = heap_reallocate(block, bytes + 4096, NULL);
        if (moved == NULL) {
            check(block, bytes, (char)('a' + i));
            end_refused();
        }
        check(moved, bytes, (char)('a' + i));
        check_guard(moved, bytes + 4096);
        freed[freed_count++] = block;
        forget_freed(moved);
        block = moved;
        bytes += 4096;
    }
    release(block);
    check_freed();
}

int main(void)
{
    use(BLOCKS, 64);
    use(BLOCKS, 8192);
    use(LARGE, 600000);
    use_altered(64);
    grow();
    return 0;
}
