/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for records; see books.h. */
#include "os/books.h"

#include "base/size.h"
#include "os/pages.h"

#include <errno.h>

/* The tables of arenas, sites, threads and owners are 164 MiB of it. */
#define BOOKS_BYTES ((size_t)192 << 20)

static struct {
    uintptr_t start;
    size_t used;
} books;

static int take(size_t bytes, uintptr_t *start)
{
    if (books.start == 0) {
        int error = pages_map(BOOKS_BYTES, "moat books", &books.start);
        if (error != 0) {
            return error;
        }
    }
    if (bytes > BOOKS_BYTES - books.used) {
        return ENOMEM;
    }
    *start = books.start + books.used;
    books.used += bytes;
    return 0;
}

int books_take(size_t bytes, uintptr_t *start)
{
    size_t whole = size_round_up(bytes, pages_size());
    return take(whole, start) == 0 ? 0
                                   : pages_map(whole, "moat books", start);
}
