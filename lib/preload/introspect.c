/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glibc's questions about its heap and knobs for it. There is nothing to tune
 * here, and no figure means what it means there: the answers are harmless.
 */
#include "preload/preload.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

PRELOAD_API struct mallinfo2 mallinfo2(void)
{
    return (struct mallinfo2){ .arena = 0 };
}

PRELOAD_API struct mallinfo mallinfo(void)
{
    return (struct mallinfo){ .arena = 0 };
}

/* No memory was given back. */
PRELOAD_API int malloc_trim(size_t kept)
{
    (void)kept;
    return 0;
}

/* Understood. */
PRELOAD_API int mallopt(int parameter, int value)
{
    (void)parameter;
    (void)value;
    return 1;
}

PRELOAD_API void malloc_stats(void)
{
}

PRELOAD_API int malloc_info(int options, FILE *out)
{
    if (options != 0) {
        return EINVAL;
    }
    fputs("<malloc version=\"1\"></malloc>\n", out);
    return 0;
}
