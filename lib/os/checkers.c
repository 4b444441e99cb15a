/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling AddressSanitizer and Valgrind; see checkers.h. */
#include "os/checkers.h"

#ifdef HAVE_VALGRIND_MEMCHECK_H
#include <valgrind/memcheck.h>
#else
/* Built without its header: it is told nothing. */
#define RUNNING_ON_VALGRIND 0
#define IGNORE(first, second) ((void)(first), (void)(second))
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, is_zeroed) IGNORE(pool, redzone)
#define VALGRIND_DESTROY_MEMPOOL(pool) IGNORE(pool, 0)
#define VALGRIND_DISABLE_ERROR_REPORTING IGNORE(0, 0)
#define VALGRIND_ENABLE_ERROR_REPORTING IGNORE(0, 0)
#define VALGRIND_FREELIKE_BLOCK(start, redzone) IGNORE(start, redzone)
#define VALGRIND_MAKE_MEM_DEFINED(start, bytes) IGNORE(start, bytes)
#define VALGRIND_MAKE_MEM_NOACCESS(start, bytes) IGNORE(start, bytes)
#define VALGRIND_MAKE_MEM_UNDEFINED(start, bytes) IGNORE(start, bytes)
#define VALGRIND_MALLOCLIKE_BLOCK(start, bytes, redzone, is_zeroed)            \
    IGNORE(start, bytes)
#define VALGRIND_MEMPOOL_ALLOC(pool, start, bytes) IGNORE(pool, bytes)
#define VALGRIND_MEMPOOL_FREE(pool, start) IGNORE(pool, start)
#define VALGRIND_MEMPOOL_TRIM(pool, start, bytes)                              \
    (IGNORE(pool, start), (void)(bytes))
#endif

__attribute__((weak)) void __asan_poison_memory_region(const volatile void *,
                                                       size_t);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *,
                                                         size_t);
__attribute__((weak)) void __lsan_register_root_region(const void *, size_t);

unsigned char checkers_found;

void checkers_start(void)
{
    if (__asan_poison_memory_region != NULL
        && __asan_unpoison_memory_region != NULL) {
        checkers_found |= CHECKERS_ASAN;
    }
    if (RUNNING_ON_VALGRIND) {
        checkers_found |= CHECKERS_VALGRIND;
    }
}

static bool has_asan(void)
{
    return (checkers_found & CHECKERS_ASAN) != 0;
}

static void poison(uintptr_t start, size_t bytes)
{
    if (has_asan()) {
        __asan_poison_memory_region((const void *)start, bytes);
    }
}

static void unpoison(uintptr_t start, size_t bytes)
{
    if (has_asan()) {
        __asan_unpoison_memory_region((const void *)start, bytes);
    }
}

void checkers_note_dead(uintptr_t start, size_t bytes)
{
    poison(start, bytes);
    (void)VALGRIND_MAKE_MEM_NOACCESS(start, bytes);
}

void checkers_note_pool(const void *pool)
{
    VALGRIND_CREATE_MEMPOOL(pool, CHECKERS_REDZONE, 0);
}

void checkers_note_allocated(const void *pool, uintptr_t start, size_t bytes)
{
    unpoison(start, bytes);
    VALGRIND_MEMPOOL_ALLOC(pool, start, bytes);
}

void checkers_note_freed(const void *pool, uintptr_t start, size_t bytes)
{
    poison(start, bytes);
    VALGRIND_MEMPOOL_FREE(pool, start);
}

void checkers_note_cut(const void *pool, uintptr_t base, uintptr_t start)
{
    VALGRIND_MEMPOOL_TRIM(pool, base, start - base);
}

void checkers_note_pool_end(const void *pool)
{
    VALGRIND_DESTROY_MEMPOOL(pool);
}

void checkers_note_heap_allocated(uintptr_t start, size_t bytes)
{
    unpoison(start, bytes);
    VALGRIND_MALLOCLIKE_BLOCK(start, bytes, 0, 0);
}

void checkers_note_heap_freed(uintptr_t start, size_t bytes)
{
    poison(start, bytes);
    VALGRIND_FREELIKE_BLOCK(start, 0);
}

void checkers_note_defined(void *copy, size_t bytes)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(copy, bytes);
}

void checkers_note_root(uintptr_t start, size_t bytes)
{
    if (__lsan_register_root_region != NULL) {
        __lsan_register_root_region((const void *)start, bytes);
    }
}

void checkers_note_no_root(uintptr_t start, size_t bytes)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(start, bytes);
}

void checkers_note_stack_left(uintptr_t low, uintptr_t high)
{
    if (low < high) {
        unpoison(low, high - low);
    }
}

void checkers_pause(void)
{
    VALGRIND_DISABLE_ERROR_REPORTING;
}

void checkers_resume(void)
{
    VALGRIND_ENABLE_ERROR_REPORTING;
}
