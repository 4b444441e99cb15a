/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages are there, in memory or in swap, as /proc/self/pagemap tells:
 * what has never been touched can be left alone. Async-signal-safe; errno is
 * left as it was.
 */
#ifndef OS_PAGEMAP_H
#define OS_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGEMAP_ENTRIES = 512 };

struct pagemap {
    int descriptor;
    /* What was read last: COUNT entries, from page FIRST on. */
    uintptr_t first;
    size_t count;
    uint64_t entries[PAGEMAP_ENTRIES];
};

/* Returns 0 or a positive errno value; there is nothing to close then. */
int pagemap_open(struct pagemap *pagemap);

void pagemap_close(struct pagemap *pagemap);

/* Look again, from the next call on: what was read may be old. */
void pagemap_refresh(struct pagemap *pagemap);

/* What a page is. */
struct pagemap_page {
    bool is_there;
    /* As it is in its file, or shared: this process has no copy of its own. */
    bool is_of_file;
};

/* Store what the page at ADDRESS, its start, is in *PAGE. Returns 0 or a
 * positive errno value. */
int pagemap_look(struct pagemap *pagemap, uintptr_t address,
                 struct pagemap_page *page);

/* Whether the page at ADDRESS, its start, is there. Pages are asked for in the
 * order of addresses at best, because many are looked at in one go. Returns 0
 * or a positive errno value. */
int pagemap_is_there(struct pagemap *pagemap, uintptr_t address,
                     bool *is_there);

#endif
