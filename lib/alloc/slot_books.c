/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The books of slots; see slot_books.h. */
#include "alloc/slot_books.h"

#include "base/size.h"
#include "os/pages.h"

/* A step: 768 KiB of records, 64 KiB of links. */
enum { STEP = 16384 };

static size_t links_bytes(size_t count)
{
    return size_round_up((count + 1) * sizeof(uint32_t), pages_size());
}

int slot_books_reserve(struct slot_books *books, size_t capacity)
{
    uintptr_t links;
    int error = pages_reserve(links_bytes(capacity), &links);
    if (error == 0) {
        *books = (struct slot_books){ .next = (uint32_t *)links,
                                      .capacity = capacity };
    }
    return error;
}

void slot_books_restart(struct slot_books *books)
{
    books->usable = 0;
}

int slot_books_extend(struct slot_books *books,
                      const struct moat_arena *window, size_t count)
{
    if (count <= books->usable) {
        return 0;
    }
    size_t usable = size_round_up(count, STEP);
    usable = usable < books->capacity ? usable : books->capacity;
    size_t records = size_round_up(usable * sizeof *window->blocks,
                                   pages_size());
    int error
        = pages_provide((uintptr_t)books->next, links_bytes(usable));
    if (error == 0) {
        error = pages_provide((uintptr_t)window->blocks, records);
    }
    if (error == 0) {
        books->usable = usable;
    }
    return error;
}
