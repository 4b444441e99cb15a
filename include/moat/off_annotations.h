/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With MOAT_OFF: what AddressSanitizer and Valgrind are told of arenas, so that
 * they find in them what they find in the heap. Comes with off.h.
 *
 * AddressSanitizer is told in a program that is compiled with it, whichever of
 * its files are. Valgrind is told by files that were compiled where there is
 * <valgrind/memcheck.h>; all that use the same arena must have been, or none.
 * Its requests are left out with MOAT_OFF_NO_VALGRIND or, as everywhere, with
 * NVALGRIND defined. Where neither tool runs the program, an allocation costs
 * what it would without any of this, and a free a branch where the header is.
 *
 * Live is what a block was asked for; what is behind that up to a multiple of
 * 16, what was freed, reset or taken back, and what no block has reached is
 * dead. Said plainly, what is not found:
 *  - blocks of a multiple of 16 bytes touch: one byte too far is then in the
 *    next block, or in what is yet to come;
 *  - of an arena of more than 256 MiB, AddressSanitizer learns of what lies
 *    behind these only as it is freed, reset or taken back.
 *
 * For LeakSanitizer, what the first 256 MiB of an arena refer to is no leak.
 * For Valgrind each arena is a pool: an error in what was freed names the block
 * and where it was allocated and freed, and blocks that no pointer refers to
 * are leaks.
 */
#ifndef MOAT_OFF_ANNOTATIONS_H
#define MOAT_OFF_ANNOTATIONS_H

#include <moat/version.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined MOAT_OFF_NO_VALGRIND && defined __has_include
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define MOAT_OFF_HAS_VALGRIND
#endif
#endif
#ifndef MOAT_OFF_HAS_VALGRIND
#define MOAT_OFF_REQUEST(request) (void)0
#define MOAT_OFF_IS_IN_VALGRIND 0
#else
#define MOAT_OFF_REQUEST(request)                                              \
    do {                                                                       \
        request;                                                               \
    } while (0)
#define MOAT_OFF_IS_IN_VALGRIND RUNNING_ON_VALGRIND
#endif

/* Whether a free need look at all. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define MOAT_OFF_HAS_ASAN
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined MOAT_OFF_HAS_ASAN                  \
    || defined MOAT_OFF_HAS_VALGRIND
#define MOAT_OFF_CAN_WATCH 1
#else
#define MOAT_OFF_CAN_WATCH 0
#endif

MOAT_BEGIN_DECLS

/* There in a program that is compiled with them. */
__attribute__((weak)) void __asan_poison_memory_region(const volatile void *,
                                                       size_t);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *,
                                                         size_t);
__attribute__((weak)) void __lsan_register_root_region(const void *, size_t);
__attribute__((weak)) void __lsan_unregister_root_region(const void *, size_t);

#define MOAT_OFF_BY_ASAN 1U
#define MOAT_OFF_BY_VALGRIND 2U

/* What AddressSanitizer learns of an arena at once, and where LeakSanitizer
 * looks for pointers. */
#define MOAT_OFF_TOLD ((size_t)256 << 20)

/* Who watches an arena, and what they need that a bump allocator does not. */
struct moat_off_watch {
    unsigned by;
    /* For each 16 bytes: 0, or 1 more than the size of the live block that
     * starts there. Has half of the BYTES of the arena. */
    size_t *sizes;
    char *base;
    size_t bytes;
    /* How far from BASE something may be dead for AddressSanitizer. */
    size_t told;
};

static inline unsigned moat_off_watchers(void)
{
    unsigned by = 0;
    if (__asan_poison_memory_region != NULL
        && __asan_unpoison_memory_region != NULL) {
        by |= MOAT_OFF_BY_ASAN;
    }
    if (MOAT_OFF_IS_IN_VALGRIND) {
        by |= MOAT_OFF_BY_VALGRIND;
    }
    return by;
}

static inline void moat_off_poison(const struct moat_off_watch *watch,
                                   size_t start, size_t bytes)
{
    if ((watch->by & MOAT_OFF_BY_ASAN) != 0) {
        __asan_poison_memory_region(watch->base + start, bytes);
    }
}

static inline void moat_off_unpoison(const struct moat_off_watch *watch,
                                     size_t start, size_t bytes)
{
    if ((watch->by & MOAT_OFF_BY_ASAN) != 0) {
        __asan_unpoison_memory_region(watch->base + start, bytes);
    }
}

/* WATCH is zeroed but for BY and SIZES; BYTES at BASE are a new arena's. */
static inline void moat_off_note_created(struct moat_off_watch *watch,
                                         char *base, size_t bytes)
{
    watch->base = base;
    watch->bytes = bytes;
    watch->told = bytes < MOAT_OFF_TOLD ? bytes : MOAT_OFF_TOLD;
    moat_off_poison(watch, 0, watch->told);
    if (__lsan_register_root_region != NULL) {
        __lsan_register_root_region(base, watch->told);
    }
    MOAT_OFF_REQUEST(VALGRIND_CREATE_MEMPOOL(base, 0, 0));
    MOAT_OFF_REQUEST(VALGRIND_MAKE_MEM_NOACCESS(base, bytes));
}

/* It is about to be unmapped; what comes there next is all live. */
static inline void moat_off_note_destroyed(const struct moat_off_watch *watch,
                                           size_t cursor)
{
    size_t least = watch->bytes < MOAT_OFF_TOLD ? watch->bytes : MOAT_OFF_TOLD;
    moat_off_unpoison(watch, 0, cursor > watch->told ? cursor : watch->told);
    if (__lsan_unregister_root_region != NULL) {
        __lsan_unregister_root_region(watch->base, least);
    }
    MOAT_OFF_REQUEST(VALGRIND_DESTROY_MEMPOOL(watch->base));
}

static inline void moat_off_note_allocated(const struct moat_off_watch *watch,
                                           size_t start, size_t size)
{
    watch->sizes[start / 16] = size + 1;
    moat_off_unpoison(watch, start, size);
    MOAT_OFF_REQUEST(
        VALGRIND_MEMPOOL_ALLOC(watch->base, watch->base + start, size));
}

/* The size of the block at START, OTHERWISE if none is there. */
static inline size_t moat_off_size_at(const struct moat_off_watch *watch,
                                      size_t start, size_t otherwise)
{
    size_t size = watch->sizes[start / 16];
    return size == 0 ? otherwise : size - 1;
}

/* BLOCK may be any pointer. */
static inline void moat_off_note_freed(const struct moat_off_watch *watch,
                                       const void *block)
{
    size_t start = (size_t)((uintptr_t)block - (uintptr_t)watch->base);
    if (start < watch->bytes && start % 16 == 0
        && watch->sizes[start / 16] != 0) {
        moat_off_poison(watch, start, watch->sizes[start / 16] - 1);
        watch->sizes[start / 16] = 0;
    }
    /* Of what is no block, Valgrind says so. */
    MOAT_OFF_REQUEST(VALGRIND_MEMPOOL_FREE(watch->base, block));
}

/* The blocks from START up to END, where the arena was filled to, have ended.
 */
static inline void moat_off_note_cut(struct moat_off_watch *watch,
                                     size_t start, size_t end)
{
    moat_off_poison(watch, start, end - start);
    memset(&watch->sizes[start / 16], 0,
           (end - start) / 16 * sizeof *watch->sizes);
    if (end > watch->told) {
        watch->told = end;
    }
    MOAT_OFF_REQUEST(
        VALGRIND_MEMPOOL_TRIM(watch->base, watch->base, start));
}

/* Copy the first BYTES: live blocks, and zeroes for all else. */
static inline void moat_off_copy_watched(const struct moat_off_watch *watch,
                                         char *copy, size_t bytes)
{
    memset(copy, 0, bytes);
    for (size_t start = 0; start < bytes; start += 16) {
        memcpy(copy + start, watch->base + start,
               moat_off_size_at(watch, start, 0));
    }
    /* Uninitialized or not, it is for Moat to look at. */
    MOAT_OFF_REQUEST(VALGRIND_MAKE_MEM_DEFINED(copy, bytes));
}

MOAT_END_DECLS

#endif
