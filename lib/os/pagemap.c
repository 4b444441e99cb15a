/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /proc/self/pagemap; see pagemap.h. */
#include "os/pagemap.h"

#include "os/pages.h"
#include "os/process.h"

#include <errno.h>
#include <unistd.h>

/* Of an entry: in memory, or in swap. */
#define PRESENT (UINT64_C(3) << 62)
#define OF_FILE (UINT64_C(1) << 61)

void pagemap_refresh(struct pagemap *pagemap)
{
    pagemap->count = 0;
}

int pagemap_open(struct pagemap *pagemap)
{
    int saved_errno = errno;
    int error = 0;
    pagemap_refresh(pagemap);
    pagemap->descriptor = process_open("pagemap");
    if (pagemap->descriptor < 0) {
        error = errno;
    }
    errno = saved_errno;
    return error;
}

void pagemap_close(struct pagemap *pagemap)
{
    int saved_errno = errno;
    close(pagemap->descriptor);
    errno = saved_errno;
}

static int fill(struct pagemap *pagemap, uintptr_t page)
{
    int saved_errno = errno;
    ssize_t got = pread(pagemap->descriptor, pagemap->entries,
                        sizeof pagemap->entries,
                        (off_t)(page * sizeof pagemap->entries[0]));
    int error = 0;
    if (got < (ssize_t)sizeof pagemap->entries[0]) {
        error = got < 0 ? errno : EIO;
        got = 0;
    }
    pagemap->first = page;
    pagemap->count = (size_t)got / sizeof pagemap->entries[0];
    errno = saved_errno;
    return error;
}

int pagemap_look(struct pagemap *pagemap, uintptr_t address,
                 struct pagemap_page *found)
{
    uintptr_t page = address / pages_size();
    if (page - pagemap->first >= pagemap->count) {
        int error = fill(pagemap, page);
        if (error != 0) {
            return error;
        }
    }
    uint64_t entry = pagemap->entries[page - pagemap->first];
    found->is_there = (entry & PRESENT) != 0;
    found->is_of_file = (entry & OF_FILE) != 0;
    return 0;
}

int pagemap_is_there(struct pagemap *pagemap, uintptr_t address,
                     bool *is_there)
{
    struct pagemap_page page;
    int error = pagemap_look(pagemap, address, &page);
    if (error == 0) {
        *is_there = page.is_there;
    }
    return error;
}
