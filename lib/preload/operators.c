/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C++'s operators new and delete, by the names that the Itanium ABI gives
 * them. libstdc++'s would call malloc() and free() here too, but each block
 * would then have been allocated by libstdc++.
 *
 * A program may replace the plain operator, and rely on the other forms to
 * call it, so they do where it is not the one below.
 */
#include "api/heap.h"
#include "preload/early.h"
#include "preload/malloc.h"
#include "preload/next.h"
#include "preload/operators.h"
#include "preload/preload.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* nw, dl: new and delete; na, da: of arrays; m: size_t; Pv: void *;
 * RKSt9nothrow_t: const std::nothrow_t &; St11align_val_t: std::align_val_t.
 */
void *_Znwm(size_t bytes);
void *_Znam(size_t bytes);
void *_ZnwmRKSt9nothrow_t(size_t bytes, const void *nothrow);
void *_ZnamRKSt9nothrow_t(size_t bytes, const void *nothrow);
void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment);
void *_ZnamSt11align_val_t(size_t bytes, size_t alignment);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment,
                                         const void *nothrow);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t bytes, size_t alignment,
                                         const void *nothrow);
void _ZdlPv(void *block);
void _ZdaPv(void *block);
void _ZdlPvm(void *block, size_t bytes);
void _ZdaPvm(void *block, size_t bytes);
void _ZdlPvRKSt9nothrow_t(void *block, const void *nothrow);
void _ZdaPvRKSt9nothrow_t(void *block, const void *nothrow);
void _ZdlPvSt11align_val_t(void *block, size_t alignment);
void _ZdaPvSt11align_val_t(void *block, size_t alignment);
void _ZdlPvmSt11align_val_t(void *block, size_t bytes, size_t alignment);
void _ZdaPvmSt11align_val_t(void *block, size_t bytes, size_t alignment);
void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *block, size_t alignment,
                                         const void *nothrow);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *block, size_t alignment,
                                         const void *nothrow);

__thread bool operators_is_refused __attribute__((tls_model("initial-exec")));

__thread const char *operators_frame
    __attribute__((tls_model("initial-exec")));

/* The definitions below, whatever the names mean to the program. */
extern __typeof__(_Znwm) own_new
    __attribute__((alias("_Znwm"), visibility("hidden")));
extern __typeof__(_Znam) own_array_new
    __attribute__((alias("_Znam"), visibility("hidden")));
extern __typeof__(_ZdlPv) own_delete
    __attribute__((alias("_ZdlPv"), visibility("hidden")));
extern __typeof__(_ZdaPv) own_array_delete
    __attribute__((alias("_ZdaPv"), visibility("hidden")));
extern __typeof__(_ZnwmSt11align_val_t) own_aligned_new
    __attribute__((alias("_ZnwmSt11align_val_t"), visibility("hidden")));
extern __typeof__(_ZdlPvSt11align_val_t) own_aligned_delete
    __attribute__((alias("_ZdlPvSt11align_val_t"), visibility("hidden")));

/* What the names mean to the program; the compiler must not know better. */
static void *(*volatile plain_new)(size_t) = _Znwm;
static void *(*volatile array_new)(size_t) = _Znam;
static void (*volatile plain_delete)(void *) = _ZdlPv;
static void (*volatile array_delete)(void *) = _ZdaPv;
static void *(*volatile aligned_new)(size_t, size_t) = _ZnwmSt11align_val_t;
static void (*volatile aligned_delete)(void *, size_t) = _ZdlPvSt11align_val_t;

/*
 * FAMILY, if no operator is the program's own: else what one of them allocates
 * may be for another of them to free.
 */
static enum moat_family judged(enum moat_family family)
{
    bool are_ours = plain_new == own_new && plain_delete == own_delete
                    && array_new == own_array_new
                    && array_delete == own_array_delete
                    && aligned_new == own_aligned_new
                    && aligned_delete == own_aligned_delete;
    return are_ours ? family : MOAT_FAMILY_UNKNOWN;
}

/* NULL when there is no memory. */
static void *allocate(size_t bytes, size_t alignment, enum moat_family family,
                      const void *caller)
{
    void *block = NULL;
    if (bytes <= PTRDIFF_MAX && !operators_take_refusal()) {
        block = heap_is_ready() ? heap_allocate(bytes, alignment, false,
                                                judged(family), caller)
                                : early_allocate(bytes, alignment);
    }
    operators_is_refused = block == NULL;
    return block;
}

/* Before asking libstdc++ in FRAME, and after it, with what was returned. */
static const char *enter_library(const char *frame)
{
    const char *before = operators_is_in_library() ? operators_frame : NULL;
    if (before == NULL) {
        operators_frame = frame;
    }
    return before;
}

static void leave_library(const char *before)
{
    operators_frame = before;
}

static void *ask_library(size_t bytes)
{
    const char *before = enter_library(__builtin_frame_address(0));
    void *block = next__Znwm(bytes);
    leave_library(before);
    return block;
}

static void *ask_library_aligned(size_t bytes, size_t alignment)
{
    const char *before = enter_library(__builtin_frame_address(0));
    void *block = next__ZnwmSt11align_val_t(bytes, alignment);
    leave_library(before);
    return block;
}

/* libstdc++'s fails too, and then calls the new-handler, or throws. */
PRELOAD_API void *_Znwm(size_t bytes)
{
    void *block = allocate(bytes, 0, MOAT_FAMILY_NEW, CALLER);
    return block != NULL ? block : ask_library(bytes);
}

PRELOAD_API void *_ZnwmSt11align_val_t(size_t bytes, size_t alignment)
{
    void *block = allocate(bytes, alignment, MOAT_FAMILY_NEW, CALLER);
    return block != NULL ? block : ask_library_aligned(bytes, alignment);
}

PRELOAD_API void *_Znam(size_t bytes)
{
    if (plain_new != own_new) {
        return plain_new(bytes);
    }
    void *block = allocate(bytes, 0, MOAT_FAMILY_NEW_ARRAY, CALLER);
    return block != NULL ? block : ask_library(bytes);
}

PRELOAD_API void *_ZnamSt11align_val_t(size_t bytes, size_t alignment)
{
    if (aligned_new != own_aligned_new) {
        return aligned_new(bytes, alignment);
    }
    void *block = allocate(bytes, alignment, MOAT_FAMILY_NEW_ARRAY, CALLER);
    return block != NULL ? block : ask_library_aligned(bytes, alignment);
}

/* The forms that do not throw must catch what a plain one throws, which is
 * libstdc++'s work. */
PRELOAD_API void *_ZnwmRKSt9nothrow_t(size_t bytes, const void *nothrow)
{
    void *block = NULL;
    if (plain_new == own_new) {
        block = allocate(bytes, 0, MOAT_FAMILY_NEW, CALLER);
    }
    return block != NULL ? block : next__ZnwmRKSt9nothrow_t(bytes, nothrow);
}

PRELOAD_API void *_ZnamRKSt9nothrow_t(size_t bytes, const void *nothrow)
{
    void *block = NULL;
    if (plain_new == own_new) {
        block = allocate(bytes, 0, MOAT_FAMILY_NEW_ARRAY, CALLER);
    }
    return block != NULL ? block : next__ZnamRKSt9nothrow_t(bytes, nothrow);
}

PRELOAD_API void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t bytes,
                                                     size_t alignment,
                                                     const void *nothrow)
{
    void *block = NULL;
    if (aligned_new == own_aligned_new) {
        block = allocate(bytes, alignment, MOAT_FAMILY_NEW, CALLER);
    }
    return block != NULL ? block
                         : next__ZnwmSt11align_val_tRKSt9nothrow_t(
                             bytes, alignment, nothrow);
}

PRELOAD_API void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t bytes,
                                                     size_t alignment,
                                                     const void *nothrow)
{
    void *block = NULL;
    if (aligned_new == own_aligned_new) {
        block = allocate(bytes, alignment, MOAT_FAMILY_NEW_ARRAY, CALLER);
    }
    return block != NULL ? block
                         : next__ZnamSt11align_val_tRKSt9nothrow_t(
                             bytes, alignment, nothrow);
}

PRELOAD_API void _ZdlPv(void *block)
{
    malloc_release(block, judged(MOAT_FAMILY_NEW), CALLER);
}

PRELOAD_API void _ZdlPvSt11align_val_t(void *block, size_t alignment)
{
    (void)alignment;
    malloc_release(block, judged(MOAT_FAMILY_NEW), CALLER);
}

static void delete_any(void *block, enum moat_family family,
                       const void *caller)
{
    if (plain_delete == own_delete) {
        malloc_release(block, judged(family), caller);
    } else {
        plain_delete(block);
    }
}

static void delete_aligned(void *block, size_t alignment,
                           enum moat_family family, const void *caller)
{
    if (aligned_delete == own_aligned_delete) {
        malloc_release(block, judged(family), caller);
    } else {
        aligned_delete(block, alignment);
    }
}

PRELOAD_API void _ZdaPv(void *block)
{
    delete_any(block, MOAT_FAMILY_NEW_ARRAY, CALLER);
}

PRELOAD_API void _ZdlPvm(void *block, size_t bytes)
{
    (void)bytes;
    delete_any(block, MOAT_FAMILY_NEW, CALLER);
}

PRELOAD_API void _ZdaPvm(void *block, size_t bytes)
{
    (void)bytes;
    delete_any(block, MOAT_FAMILY_NEW_ARRAY, CALLER);
}

PRELOAD_API void _ZdlPvRKSt9nothrow_t(void *block, const void *nothrow)
{
    (void)nothrow;
    delete_any(block, MOAT_FAMILY_NEW, CALLER);
}

PRELOAD_API void _ZdaPvRKSt9nothrow_t(void *block, const void *nothrow)
{
    (void)nothrow;
    delete_any(block, MOAT_FAMILY_NEW_ARRAY, CALLER);
}

PRELOAD_API void _ZdaPvSt11align_val_t(void *block, size_t alignment)
{
    delete_aligned(block, alignment, MOAT_FAMILY_NEW_ARRAY, CALLER);
}

PRELOAD_API void _ZdlPvmSt11align_val_t(void *block, size_t bytes,
                                        size_t alignment)
{
    (void)bytes;
    delete_aligned(block, alignment, MOAT_FAMILY_NEW, CALLER);
}

PRELOAD_API void _ZdaPvmSt11align_val_t(void *block, size_t bytes,
                                        size_t alignment)
{
    (void)bytes;
    delete_aligned(block, alignment, MOAT_FAMILY_NEW_ARRAY, CALLER);
}

PRELOAD_API void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *block,
                                                     size_t alignment,
                                                     const void *nothrow)
{
    (void)nothrow;
    delete_aligned(block, alignment, MOAT_FAMILY_NEW, CALLER);
}

PRELOAD_API void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *block,
                                                     size_t alignment,
                                                     const void *nothrow)
{
    (void)nothrow;
    delete_aligned(block, alignment, MOAT_FAMILY_NEW_ARRAY, CALLER);
}
