/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * malloc() and its kin, as the C standard, POSIX and glibc have them; what
 * they do is the heap's business (api/heap.h).
 */
#include "api/heap.h"
#include "base/size.h"
#include "os/pages.h"
#include "preload/early.h"
#include "preload/foreign.h"
#include "preload/malloc.h"
#include "preload/operators.h"
#include "preload/preload.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Those of C23, which glibc 2.36 does not declare. */
void free_sized(void *block, size_t bytes);
void free_aligned_sized(void *block, size_t alignment, size_t bytes);

/* Pointers into a block must be subtractable. */
static bool is_too_large(size_t bytes)
{
    return bytes > PTRDIFF_MAX;
}

static void *allocate(size_t bytes, size_t alignment, bool is_zeroed,
                      const void *caller)
{
    if (operators_take_refusal() || is_too_large(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    if (!heap_is_ready()) {
        return early_allocate(bytes, alignment);
    }
    /* What libstdc++ takes for operator new is for operator delete. */
    enum moat_family family
        = operators_is_in_library() ? MOAT_FAMILY_UNKNOWN : MOAT_FAMILY_MALLOC;
    return heap_allocate(bytes, alignment, is_zeroed, family, caller);
}

void malloc_release(void *block, enum moat_family family, const void *caller)
{
    if (block != NULL && !early_is_block(block) && !foreign_free(block)) {
        heap_free(block, family, caller);
    }
}

/* To a block of Moat's, from one of KEPT bytes that is none. */
static void *reallocate_other(void *block, size_t kept, size_t bytes,
                              const void *caller)
{
    void *moved = allocate(bytes, 0, false, caller);
    if (moved != NULL) {
        memcpy(moved, block, bytes < kept ? bytes : kept);
        malloc_release(block, MOAT_FAMILY_MALLOC, caller);
    }
    return moved;
}

static void *reallocate(void *block, size_t bytes, const void *caller)
{
    if (block == NULL) {
        return allocate(bytes, 0, false, caller);
    }
    if (is_too_large(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    if (early_is_block(block)) {
        return reallocate_other(block, early_bytes(block), bytes, caller);
    }
    if (bytes == 0) {
        /* glibc's choice among those that the standards leave. */
        malloc_release(block, MOAT_FAMILY_MALLOC, caller);
        return NULL;
    }
    if (foreign_is_block(block)) {
        return reallocate_other(block, foreign_bytes(block), bytes, caller);
    }
    return heap_reallocate(block, bytes, caller);
}

PRELOAD_API void *malloc(size_t bytes)
{
    return allocate(bytes, 0, false, CALLER);
}

PRELOAD_API void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!size_multiply(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return allocate(bytes, 0, true, CALLER);
}

PRELOAD_API void *realloc(void *block, size_t bytes)
{
    return reallocate(block, bytes, CALLER);
}

PRELOAD_API void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!size_multiply(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return reallocate(block, bytes, CALLER);
}

PRELOAD_API void free(void *block)
{
    malloc_release(block, MOAT_FAMILY_MALLOC, CALLER);
}

PRELOAD_API void free_sized(void *block, size_t bytes)
{
    (void)bytes;
    malloc_release(block, MOAT_FAMILY_MALLOC, CALLER);
}

PRELOAD_API void free_aligned_sized(void *block, size_t alignment,
                                    size_t bytes)
{
    (void)alignment;
    (void)bytes;
    malloc_release(block, MOAT_FAMILY_MALLOC, CALLER);
}

PRELOAD_API int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    if (!size_is_power_of_two(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    /* It returns its error and leaves errno alone. */
    int saved_errno = errno;
    void *allocated = allocate(bytes, alignment, false, CALLER);
    errno = saved_errno;
    if (allocated == NULL) {
        return ENOMEM;
    }
    *block = allocated;
    return 0;
}

PRELOAD_API void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (!size_is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return allocate(bytes, alignment, false, CALLER);
}

PRELOAD_API void *memalign(size_t alignment, size_t bytes)
{
    if (alignment > SIZE_MAX / 2 + 1) {
        errno = EINVAL;
        return NULL;
    }
    /* glibc takes the next power of two for what is none. */
    if (!size_is_power_of_two(alignment)) {
        alignment = size_power_of_two_above(alignment);
    }
    return allocate(bytes, alignment, false, CALLER);
}

PRELOAD_API void *valloc(size_t bytes)
{
    return allocate(bytes, pages_size(), false, CALLER);
}

PRELOAD_API void *pvalloc(size_t bytes)
{
    if (is_too_large(bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    bytes = bytes == 0 ? pages_size() : size_round_up(bytes, pages_size());
    return allocate(bytes, pages_size(), false, CALLER);
}

/* What was asked for: programs write to all of it. */
PRELOAD_API size_t malloc_usable_size(void *block)
{
    if (block == NULL) {
        return 0;
    }
    if (early_is_block(block)) {
        return early_bytes(block);
    }
    return foreign_is_block(block) ? foreign_bytes(block) : heap_bytes(block);
}
