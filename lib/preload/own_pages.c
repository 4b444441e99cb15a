/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program's own calls on pages: mprotect() and its kin. On pages that are
 * none of Moat's they are the kernel's. In the region they work on the pages
 * of live blocks, which are noted to be altered, and leave all guard pages
 * alone. Nothing ever makes a hole in the region: what is unmapped there is
 * reserved again, or another mapping could get in between the blocks.
 */
#include "api/heap.h"
#include "base/size.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "preload/kernel.h"
#include "preload/preload.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* Missing from the headers of glibc before 2.32, 2.36 and later. */
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* Whole pages. */
struct range {
    uintptr_t start;
    uintptr_t end;
};

/* Whether the BYTES from START have to do with Moat. */
static bool is_in_region(const void *start, size_t bytes)
{
    return heap_is_ready() && heap_meets(start, bytes);
}

/* As the calls that take any START round it. */
static struct range range_of(const void *start, size_t bytes)
{
    return (struct range){
        .start = size_round_down((uintptr_t)start, pages_size()),
        .end = size_round_up((uintptr_t)start + bytes, pages_size()),
    };
}

static bool is_aligned(const void *start)
{
    return (uintptr_t)start % pages_size() == 0;
}

/* For what the kernel itself is to judge. */
static int call(long number, const void *start, size_t bytes, int a, int b)
{
    return (int)kernel_answer(
        kernel_call(number, (long)start, (long)bytes, a, b, 0, 0));
}

/*
 * Make a call on the pages in RANGE that are the program's. That there are
 * none is said as of pages that are not mapped.
 */
static int call_on_own(long number, struct range range, int a, int b)
{
    long answer = -ENOMEM;
    /* Locking a page harms nobody who shares it; all other calls might. */
    bool is_whole = number != SYS_mlock && number != SYS_mlock2
                    && number != SYS_munlock;
    uintptr_t at = range.start;
    uintptr_t start;
    uintptr_t stop;
    while (heap_next_pages(&at, range.end, is_whole, &start, &stop)) {
        /* A length of 0 is none of an error. */
        answer = kernel_call(number, (long)start, (long)(stop - start), a, b,
                             0, 0);
        if (answer != 0) {
            break;
        }
    }
    return (int)kernel_answer(answer);
}

static int alter(long number, struct range range, int a, int b,
                 enum heap_alteration what)
{
    heap_note_alteration(range.start, range.end, what);
    return call_on_own(number, range, a, b);
}

PRELOAD_API int mprotect(void *start, size_t bytes, int protection)
{
    if (!is_in_region(start, bytes) || !is_aligned(start)) {
        return call(SYS_mprotect, start, bytes, protection, 0);
    }
    return alter(SYS_mprotect, range_of(start, bytes), protection, 0,
                 HEAP_PROTECTED);
}

PRELOAD_API int pkey_mprotect(void *start, size_t bytes, int protection,
                              int key)
{
    if (!is_in_region(start, bytes) || !is_aligned(start)) {
        return call(SYS_pkey_mprotect, start, bytes, protection, key);
    }
    struct range range = range_of(start, bytes);
    heap_note_alteration(range.start, range.end, HEAP_PROTECTED);
    return alter(SYS_pkey_mprotect, range, protection, key,
                 key == -1 ? HEAP_PROTECTED : HEAP_REPLACED);
}

PRELOAD_API int mlock(const void *start, size_t bytes)
{
    if (!is_in_region(start, bytes)) {
        return call(SYS_mlock, start, bytes, 0, 0);
    }
    return alter(SYS_mlock, range_of(start, bytes), 0, 0, HEAP_LOCKED);
}

PRELOAD_API int mlock2(const void *start, size_t bytes, unsigned flags)
{
    if (!is_in_region(start, bytes)) {
        return call(SYS_mlock2, start, bytes, (int)flags, 0);
    }
    return alter(SYS_mlock2, range_of(start, bytes), (int)flags, 0,
                 HEAP_LOCKED);
}

PRELOAD_API int munlock(const void *start, size_t bytes)
{
    if (!is_in_region(start, bytes)) {
        return call(SYS_munlock, start, bytes, 0, 0);
    }
    return alter(SYS_munlock, range_of(start, bytes), 0, 0, HEAP_LOCKED);
}

static int advise_own(struct range range, int advice)
{
    switch (advice) {
    case MADV_FREE:
        /* It leaves the time to the kernel, for which canaries cannot wait. */
        advice = MADV_DONTNEED;
        break;
    case MADV_DONTFORK:
        /*
         * Child and parent share no page, as is wanted. The kernel would leave
         * a hole in the child, though, into which any mapping may go.
         */
        advice = MADV_WIPEONFORK;
        break;
    case MADV_DOFORK:
        advice = MADV_KEEPONFORK;
        break;
    default:
        break;
    }
    switch (advice) {
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_GUARD_REMOVE: {
        int answer
            = alter(SYS_madvise, range, advice, 0, HEAP_DROPPED);
        int saved_errno = errno;
        heap_refill(range.start, range.end);
        errno = saved_errno;
        return answer;
    }
    case MADV_WILLNEED:
    case MADV_COLD:
    case MADV_PAGEOUT:
    case MADV_POPULATE_READ:
    case MADV_POPULATE_WRITE:
    case MADV_COLLAPSE:
        return call_on_own(SYS_madvise, range, advice, 0);
    case MADV_WIPEONFORK:
    case MADV_GUARD_INSTALL:
        return alter(SYS_madvise, range, advice, 0, HEAP_REPLACED);
    default:
        return alter(SYS_madvise, range, advice, 0, HEAP_ADVISED);
    }
}

static int advise(const void *start, size_t bytes, int advice)
{
    if (!is_in_region(start, bytes) || !is_aligned(start)) {
        return call(SYS_madvise, start, bytes, advice, 0);
    }
    return advise_own(range_of(start, bytes), advice);
}

PRELOAD_API int madvise(void *start, size_t bytes, int advice)
{
    return advise(start, bytes, advice);
}

PRELOAD_API int posix_madvise(void *start, size_t bytes, int advice)
{
    /* What is dropped would be lost, which POSIX does not allow: glibc. */
    if (advice == POSIX_MADV_DONTNEED) {
        return 0;
    }
    int saved_errno = errno;
    int error = advise(start, bytes, advice) == 0 ? 0 : errno;
    errno = saved_errno;
    return error;
}

/*
 * Whether RANGE is the program's to map anew; then that is noted, and what
 * fails later is undone by free() as well.
 */
static bool begin_replacing(struct range range)
{
    if (!heap_owns(range.start, range.end)) {
        return false;
    }
    heap_note_alteration(range.start, range.end, HEAP_REPLACED);
    return true;
}

/* A call that failed may have left a hole. */
static void fill_hole(struct range range)
{
    kernel_call(SYS_mmap, (long)range.start, (long)(range.end - range.start),
                PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
                    | MAP_FIXED_NOREPLACE,
                -1, 0);
}

PRELOAD_API int munmap(void *start, size_t bytes)
{
    if (!is_in_region(start, bytes) || !is_aligned(start)) {
        return call(SYS_munmap, start, bytes, 0, 0);
    }
    struct range range = range_of(start, bytes);
    int error = EINVAL;
    if (begin_replacing(range)) {
        error = revoke_renew(range.start, range.end - range.start);
    }
    return (int)kernel_answer(-error);
}

/* The kernel puts a mapping into the region only where it is told to. */
static bool is_forced(int flags)
{
    return (flags & MAP_FIXED) != 0 && (flags & MAP_FIXED_NOREPLACE) == 0;
}

static void *map(void *start, size_t bytes, int protection, int flags,
                 int descriptor, off_t offset)
{
    bool is_replacing = is_forced(flags) && is_in_region(start, bytes)
                        && is_aligned(start);
    struct range range = range_of(start, bytes);
    if (is_replacing
        && (!begin_replacing(range)
            || revoke_forget(range.start, range.end - range.start) != 0)) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    long answer = kernel_answer(kernel_call(SYS_mmap, (long)start, (long)bytes,
                                            protection, flags, descriptor,
                                            offset));
    if (is_replacing && answer == -1) {
        fill_hole(range);
    }
    return (void *)answer;
}

PRELOAD_API void *mmap(void *start, size_t bytes, int protection, int flags,
                       int descriptor, off_t offset)
{
    return map(start, bytes, protection, flags, descriptor, offset);
}

PRELOAD_API void *mmap64(void *start, size_t bytes, int protection, int flags,
                         int descriptor, __off64_t offset)
{
    return map(start, bytes, protection, flags, descriptor, offset);
}

static long move(uintptr_t from, size_t bytes, size_t new_bytes, int flags,
                 uintptr_t to)
{
    return kernel_call(SYS_mremap, (long)from, (long)bytes, (long)new_bytes,
                       flags, (long)to, 0);
}

static bool is_error(long answer)
{
    return answer < 0 && (unsigned long)answer > -4096UL;
}

/*
 * Move the pages of OLD to TO, or anywhere where that is 0, in a mapping that
 * ends up with NEW_BYTES. The kernel leaves OLD mapped all the while, so that
 * nothing gets in there.
 */
static long move_out(struct range old, size_t new_bytes, uintptr_t to)
{
    size_t bytes = old.end - old.start;
    size_t moved = bytes < new_bytes ? bytes : new_bytes;
    int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    bool is_anywhere = to == 0;
    long place = (long)to;
    if (is_anywhere) {
        place = kernel_call(SYS_mmap, 0, (long)moved, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                            0);
    }
    if (is_error(place)) {
        return place;
    }
    long answer = move(old.start, moved, moved, flags, (uintptr_t)place);
    if (is_error(answer)) {
        if (is_anywhere) {
            kernel_call(SYS_munmap, place, (long)moved, 0, 0, 0, 0);
        }
        return answer;
    }
    if (new_bytes > moved) {
        if (!is_anywhere) {
            kernel_call(SYS_munmap, place + (long)moved,
                        (long)(new_bytes - moved), 0, 0, 0, 0);
        }
        answer = move((uintptr_t)place, moved, new_bytes,
                      is_anywhere ? MREMAP_MAYMOVE : 0, 0);
    }
    return answer;
}

/* mremap() of OLD, which is in the region. */
static long remap_own(struct range old, size_t new_bytes, int flags,
                      uintptr_t to)
{
    size_t bytes = old.end - old.start;
    bool is_kept = (flags & MREMAP_DONTUNMAP) != 0;
    if (new_bytes == 0 || bytes == 0
        || ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) != 0
            && (flags & MREMAP_MAYMOVE) == 0)
        || (is_kept && bytes != new_bytes) || !heap_owns(old.start, old.end)) {
        return -EINVAL;
    }
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) == 0
        && new_bytes <= bytes) {
        struct range rest = { old.start + new_bytes, old.end };
        if (rest.start < rest.end) {
            heap_note_alteration(rest.start, rest.end, HEAP_REPLACED);
            revoke_renew(rest.start, rest.end - rest.start);
        }
        return (long)old.start;
    }
    if ((flags & MREMAP_MAYMOVE) == 0) {
        return -ENOMEM;
    }
    heap_note_alteration(old.start, old.end, HEAP_REPLACED);
    long answer
        = move_out(old, new_bytes, (flags & MREMAP_FIXED) != 0 ? to : 0);
    if (is_error(answer)) {
        return answer;
    }
    if (is_kept) {
        heap_refill(old.start, old.end);
    } else {
        revoke_renew(old.start, bytes);
    }
    return answer;
}

static long remap(void *start, size_t bytes, size_t new_bytes, int flags,
                  void *to)
{
    bool is_fixed = (flags & MREMAP_FIXED) != 0;
    struct range target = range_of(to, new_bytes);
    bool is_into_region = is_fixed && is_in_region(to, new_bytes);
    bool is_out_of_region = is_in_region(start, bytes);
    if ((!is_into_region && !is_out_of_region) || !is_aligned(start)
        || (is_fixed && !is_aligned(to))) {
        return move((uintptr_t)start, bytes, new_bytes, flags, (uintptr_t)to);
    }
    if (is_into_region
        && (!begin_replacing(target)
            || revoke_forget(target.start, target.end - target.start) != 0)) {
        return -EINVAL;
    }
    long answer
        = is_out_of_region
              ? remap_own(range_of(start, bytes),
                          size_round_up(new_bytes, pages_size()), flags,
                          (uintptr_t)to)
              : move((uintptr_t)start, bytes, new_bytes, flags, (uintptr_t)to);
    if (is_into_region && is_error(answer)) {
        fill_hole(target);
    }
    return answer;
}

PRELOAD_API void *mremap(void *start, size_t bytes, size_t new_bytes,
                         int flags, ...)
{
    void *to = NULL;
    if ((flags & MREMAP_FIXED) != 0) {
        va_list list;
        va_start(list, flags);
        to = va_arg(list, void *);
        va_end(list);
    }
    return (void *)kernel_answer(remap(start, bytes, new_bytes, flags, to));
}
