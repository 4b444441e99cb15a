/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guarded copies: a test input that ends, or starts, exactly at a guard page.
 * For unit tests of parsers, codecs and vectorized code, which like to read a
 * little further than they may:
 *
 *     char *input = moat_guarded_copy(line, strlen(line),
 *                                     MOAT_PLACEMENT_AFTER);
 *     parse(input, strlen(line));
 *     moat_guarded_free(input);
 *
 * Any thread may free what another has copied. Neither function is for signal
 * handlers.
 */
#ifndef MOAT_GUARDED_H
#define MOAT_GUARDED_H

#include <moat/version.h>

#include <stddef.h>

#ifdef MOAT_OFF
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#endif

MOAT_BEGIN_DECLS

/* On which side of a copy the guard page is. */
enum moat_placement {
    /* Behind it: the byte after the last one cannot be touched. */
    MOAT_PLACEMENT_AFTER = 0,
    /* In front of it: the byte before the first one cannot. */
    MOAT_PLACEMENT_BEFORE = 1
};

/*
 * Copy SIZE BYTES to memory of their own, exactly against a guard page on the
 * side that PLACEMENT says.
 *
 * With MOAT_PLACEMENT_AFTER the copy is aligned as its size allows and no more:
 * 5 bytes start at an odd address. On the other side, up to 64 bytes on the
 * same page are canaries, checked by moat_guarded_free() and at exit. SIZE 0
 * gives a copy of which no byte may be touched.
 *
 * A copy takes one page of memory at least, in a constant number of mappings
 * where the kernel has guard markers (6.13). A freed one stays inaccessible for
 * long, so that a late access is reported as heap-use-after-free.
 *
 * Returns the copy, to be freed by moat_guarded_free(), or NULL with errno set:
 *  - EINVAL: BYTES is NULL and SIZE is not 0, or PLACEMENT is unknown;
 *  - ENOMEM: SIZE exceeds the reserved address range, or the kernel refuses
 *    memory or a further mapping.
 *
 * Thread-safe.
 */
MOAT_API void *moat_guarded_copy(const void *bytes, size_t size,
                                 enum moat_placement placement)
    __attribute__((alloc_size(2)));

/*
 * Free COPY; NULL is allowed and does nothing.
 *
 * Damaged canaries are reported, seen at free. What is no copy is reported as
 * bad-free, what was freed before as double-free, and nothing is freed.
 *
 * Thread-safe. errno is preserved.
 */
MOAT_API void moat_guarded_free(void *copy);

#ifdef MOAT_OFF
/* Plain copies, without guard pages. */
static inline void *moat_guarded_copy(const void *bytes, size_t size,
                                      enum moat_placement placement)
{
    if ((bytes == (const void *)0 && size != 0)
        || (placement != MOAT_PLACEMENT_AFTER
            && placement != MOAT_PLACEMENT_BEFORE)) {
        errno = EINVAL;
        return (void *)0;
    }
    void *copy = malloc(size == 0 ? 1 : size);
    return copy == (void *)0 || size == 0 ? copy : memcpy(copy, bytes, size);
}

/* Only NULL or a copy: anything else is what free() makes of it. */
static inline void moat_guarded_free(void *copy)
{
    int saved_errno = errno;
    free(copy);
    errno = saved_errno;
}
#endif

MOAT_END_DECLS

#endif
