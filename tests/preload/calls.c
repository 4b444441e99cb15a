/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of malloc(3) and its kin, as the standards and glibc have
 * them: run with the preload library in place. Prints TAP.
 */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int number;
static bool is_all_well = true;

/* Compilers know these functions, and what cannot be; not so by this way. */
static void *(*volatile allocate)(size_t) = malloc;
static void *(*volatile allocate_zeroed)(size_t, size_t) = calloc;
static void *(*volatile reallocate)(void *, size_t) = realloc;
static void *(*volatile reallocate_array)(void *, size_t, size_t)
    = reallocarray;
static void *(*volatile allocate_aligned)(size_t, size_t) = aligned_alloc;
static void *(*volatile allocate_at)(size_t, size_t) = memalign;
static void *(*volatile allocate_page)(size_t) = valloc;
static void *(*volatile allocate_pages)(size_t) = pvalloc;
static void (*volatile release)(void *) = free;

static void is(bool condition, const char *name)
{
    number++;
    is_all_well = is_all_well && condition;
    printf("%sok %d - %s\n", condition ? "" : "not ", number, name);
}

static bool is_filled(const char *block, size_t bytes, char byte)
{
    for (size_t i = 0; i < bytes; i++) {
        if (block[i] != byte) {
            return false;
        }
    }
    return true;
}

static void check_malloc(void)
{
    errno = EDOM;
    char *block = allocate(100);
    is(block != NULL && errno == EDOM, "malloc() leaves errno alone");
    is((uintptr_t)block % 16 == 0, "a block is aligned for everything");
    is(malloc_usable_size(block) == 100, "its size is what was asked for");
    is(!is_filled(block, 100, 0), "fresh memory is not zero");
    errno = EDOM;
    release(block);
    is(errno == EDOM, "free() leaves errno alone");
    release(NULL);
    is(errno == EDOM, "free() takes NULL");
    char *none = allocate(0);
    char *other = allocate(0);
    is(none != NULL && other != NULL && none != other,
       "blocks of no bytes differ");
    is(malloc_usable_size(none) == 0, "and have no bytes");
    release(none);
    release(other);
    errno = 0;
    is(allocate(SIZE_MAX) == NULL && errno == ENOMEM,
       "more than there can be is ENOMEM");
    errno = 0;
    is(allocate((size_t)PTRDIFF_MAX + 1) == NULL && errno == ENOMEM,
       "and so is a block whose ends cannot be subtracted");
    errno = 0;
    is(allocate((size_t)1 << 46) == NULL && errno == ENOMEM,
       "and more than there is");
}

static void check_calloc(void)
{
    char *block = allocate_zeroed(10, 10);
    is(block != NULL && is_filled(block, 100, 0), "calloc() gives zeroes");
    memset(block, 'x', 100);
    release(block);
    bool is_zero = true;
    for (int i = 0; i < 1000; i++) {
        block = allocate_zeroed(1, 100);
        is_zero = is_zero && is_filled(block, 100, 0);
        memset(block, 'x', 100);
        release(block);
    }
    is(is_zero, "also when others had the memory before");
    errno = 0;
    is(allocate_zeroed(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM,
       "a product that overflows is ENOMEM");
    size_t huge = (size_t)8 << 30;
    block = allocate_zeroed(1, huge);
    is(block != NULL && block[huge - 1] == 0 && block[huge / 2] == 0,
       "8 GiB of zeroes take no memory");
    release(block);
}

static void check_realloc(void)
{
    char *block = reallocate(NULL, 10);
    memset(block, 'a', 10);
    char *moved = reallocate(block, 20);
    is(moved != NULL && moved != block && is_filled(moved, 10, 'a'),
       "realloc() moves, with the bytes");
    block = reallocate(moved, 5);
    is(is_filled(block, 5, 'a') && malloc_usable_size(block) == 5,
       "also to a smaller block");
    errno = 0;
    is(reallocate(block, SIZE_MAX / 2) == NULL && errno == ENOMEM
           && is_filled(block, 5, 'a'),
       "what cannot grow stays as it is");
    errno = 0;
    is(reallocate_array(block, SIZE_MAX / 2, 4) == NULL && errno == ENOMEM
           && is_filled(block, 5, 'a'),
       "reallocarray() finds the overflow");
    block = reallocate_array(block, 10, 10);
    is(is_filled(block, 5, 'a') && malloc_usable_size(block) == 100,
       "and multiplies");
    is(reallocate(block, 0) == NULL, "realloc() to nothing frees");
    size_t bytes = 1000;
    block = allocate(bytes);
    memset(block, 'b', bytes);
    bool is_kept = true;
    while (bytes < 20000000) {
        size_t more = bytes + bytes / 3;
        block = reallocate(block, more);
        is_kept = is_kept && is_filled(block, bytes, 'b');
        memset(block, 'b', more);
        bytes = more;
    }
    is(is_kept, "a block that grows to 20 MB keeps its bytes");
    release(block);
}

static void check_alignment(void)
{
    bool is_aligned = true;
    void *block = NULL;
    for (size_t alignment = 8; alignment <= (size_t)1 << 24; alignment *= 2) {
        is_aligned = is_aligned
                     && posix_memalign(&block, alignment, 100) == 0
                     && (uintptr_t)block % alignment == 0;
        memset(block, 'x', 100);
        release(block);
        block = allocate_aligned(alignment, 2 * alignment);
        is_aligned = is_aligned && (uintptr_t)block % alignment == 0;
        release(block);
    }
    is(is_aligned, "blocks are aligned as asked for, up to 16 MiB");
    block = &number;
    errno = EDOM;
    is(posix_memalign(&block, 24, 8) == EINVAL && block == &number
           && posix_memalign(&block, 4, 8) == EINVAL
           && posix_memalign(&block, 0, 8) == EINVAL && errno == EDOM,
       "posix_memalign() refuses what is no power of two");
    is(posix_memalign(&block, 64, SIZE_MAX) == ENOMEM && block == &number
           && errno == EDOM,
       "and returns its errors");
    errno = 0;
    is(allocate_aligned(24, 8) == NULL && errno == EINVAL,
       "so does aligned_alloc()");
    block = allocate_at(24, 8);
    is((uintptr_t)block % 32 == 0, "memalign() takes the next power of two");
    release(block);
    errno = 0;
    is(allocate_at(SIZE_MAX, 8) == NULL && errno == EINVAL,
       "if there is one");
    block = valloc(1);
    is((uintptr_t)block % (size_t)getpagesize() == 0
           && malloc_usable_size(block) == 1,
       "valloc() gives a page's start");
    release(block);
    block = pvalloc(1);
    is((uintptr_t)block % (size_t)getpagesize() == 0
           && malloc_usable_size(block) == (size_t)getpagesize(),
       "pvalloc() gives whole pages");
    release(block);
}

/* More than there can be, than can be counted, and than there is. */
static void check_too_much(void)
{
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 4096,
                                    (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX,
                                    PTRDIFF_MAX - 4096, (size_t)1 << 46 };
    char *kept = allocate(10);
    memset(kept, 'k', 10);
    bool is_refused = true;
    bool is_left = true;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t bytes = sizes[i];
        void *block = kept;
        errno = 0;
        is_refused = is_refused && allocate_zeroed(1, bytes) == NULL
                     && allocate_zeroed(bytes, 2) == NULL && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && reallocate(kept, bytes) == NULL
                     && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && reallocate(NULL, bytes) == NULL
                     && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && reallocate_array(kept, bytes, 1) == NULL
                     && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && allocate_aligned(64, bytes) == NULL
                     && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && allocate_at(4096, bytes) == NULL
                     && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && allocate_page(bytes) == NULL
                     && errno == ENOMEM;
        errno = 0;
        is_refused = is_refused && allocate_pages(bytes) == NULL
                     && errno == ENOMEM;
        errno = EDOM;
        is_left = is_left && posix_memalign(&block, 64, bytes) == ENOMEM
                  && block == kept && errno == EDOM;
    }
    is(is_refused, "too much is NULL and ENOMEM from each function");
    is(is_left, "but for posix_memalign(), which leaves both alone");
    is(is_filled(kept, 10, 'k'), "what was to grow is as it was");
    release(kept);
}

static void check_questions(void)
{
    struct mallinfo2 info = mallinfo2();
    is(info.uordblks == 0, "mallinfo2() answers");
    is(malloc_trim(0) == 0, "malloc_trim() has nothing to give back");
    is(mallopt(M_MMAP_THRESHOLD, 1) == 1, "mallopt() agrees");
    malloc_stats();
    is(malloc_usable_size(NULL) == 0, "NULL has no bytes");
}

int main(void)
{
    check_malloc();
    check_calloc();
    check_realloc();
    check_alignment();
    check_too_much();
    check_questions();
    printf("1..%d\n", number);
    return is_all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
