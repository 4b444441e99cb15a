/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of libc's own malloc(); see foreign.h. It takes memory in three ways:
 *
 *   brk()           one range, which grows from where it was at start
 *   arenas          of threads: heaps at multiples of 64 MiB that start with a
 *                   description of themselves; a flag in front of each block
 *   mmap()          for large ones; a flag in front of them, and their mapping
 *                   starts a little before and is whole pages
 */
#include "preload/foreign.h"

#include "api/heap.h"
#include "os/pages.h"
#include "preload/next.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

enum {
    IS_MAPPED = 2,
    IS_OF_THREADS = 4,
    FLAGS = 7,
    ALIGNMENT = 16
};

#define HEAP_BYTES ((uintptr_t)64 << 20)

/* Exported by glibc for who replaces malloc(). */
void __libc_free(void *block);

static uintptr_t first_break;

/* In front of all that may use it. */
__attribute__((constructor)) static void note_break(void)
{
    first_break = (uintptr_t)sbrk(0);
}

static bool is_in_break(uintptr_t address)
{
    return address > first_break && address < (uintptr_t)sbrk(0);
}

static bool is_mapped_alone(uintptr_t address, size_t before, size_t bytes)
{
    size_t page_bytes = pages_size();
    return (bytes & IS_OF_THREADS) == 0 && before < address
           && (address - ALIGNMENT - before) % page_bytes == 0
           && (before + (bytes & ~(size_t)FLAGS)) % page_bytes == 0
           && (bytes & ~(size_t)FLAGS) > 0;
}

static bool is_in_arena(uintptr_t address)
{
    /* glibc's struct heap_info. */
    struct {
        uintptr_t arena;
        uintptr_t previous;
        size_t bytes;
    } heap;
    uintptr_t start = address & ~(HEAP_BYTES - 1);
    return pages_peek(start, sizeof heap, &heap)
           && heap.arena % ALIGNMENT == 0 && heap.arena != 0
           && heap.bytes <= HEAP_BYTES && heap.bytes % pages_size() == 0
           && address - start < heap.bytes;
}

bool foreign_is_block(const void *block)
{
    uintptr_t address = (uintptr_t)block;
    /* The bytes of the block before, if it is free; its own, and flags. */
    size_t head[2];
    if (address % ALIGNMENT != 0 || heap_holds(block)) {
        return false;
    }
    if (is_in_break(address)) {
        return true;
    }
    int saved_errno = errno;
    bool is_foreign = false;
    if (pages_peek(address - sizeof head, sizeof head, head)) {
        if ((head[1] & IS_MAPPED) != 0) {
            is_foreign = is_mapped_alone(address, head[0], head[1]);
        } else if ((head[1] & IS_OF_THREADS) != 0) {
            is_foreign = is_in_arena(address);
        }
    }
    errno = saved_errno;
    return is_foreign;
}

bool foreign_free(void *block)
{
    if (!foreign_is_block(block)) {
        return false;
    }
    int saved_errno = errno;
    heap_note_passed_through();
    __libc_free(block);
    errno = saved_errno;
    return true;
}

size_t foreign_bytes(void *block)
{
    return next_malloc_usable_size(block);
}
