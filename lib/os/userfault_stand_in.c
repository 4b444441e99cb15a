/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guards in place of a lost userfaultfd; see userfault_stand_in.h. */
#include "os/userfault_stand_in.h"

#include "os/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Of an entry of /proc/self/pagemap: in memory, or in swap. */
#define PAGEMAP_PRESENT (UINT64_C(3) << 62)

enum { ENTRIES = 512 };

/*
 * Revoke the runs of missing pages from START to END. A page that is there is
 * a live block's, or stays accessible for a while longer than it should; it
 * cannot be told, and taking a live one would lose data.
 */
static int revoke_missing(int pagemap, const struct revoke_way *way,
                          uintptr_t start, uintptr_t end)
{
    uint64_t entries[ENTRIES];
    size_t page_bytes = pages_size();
    uintptr_t run = start;
    uintptr_t page = start;
    while (page < end) {
        size_t wanted = (end - page) / page_bytes;
        size_t bytes = sizeof entries[0]
                       * (wanted < ENTRIES ? wanted : ENTRIES);
        ssize_t got = pread(pagemap, entries, bytes,
                            (off_t)(page / page_bytes * sizeof entries[0]));
        if (got < (ssize_t)sizeof entries[0]) {
            return got < 0 ? errno : EIO;
        }
        size_t count = (size_t)got / sizeof entries[0];
        for (size_t i = 0; i < count; i++, page += page_bytes) {
            if ((entries[i] & PAGEMAP_PRESENT) == 0) {
                continue;
            }
            if (run < page) {
                int error = way->revoke(run, page - run);
                if (error != 0) {
                    return error;
                }
            }
            run = page + page_bytes;
        }
    }
    return run < end ? way->revoke(run, end - run) : 0;
}

static int revoke_all_missing(int pagemap, const struct revoke_way *way,
                              const struct range_list *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        int error = revoke_missing(pagemap, way, ranges->ranges[i].start,
                                   ranges->ranges[i].end);
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

/* Markers of a call that got halfway would stay when mprotect() arms. */
static void remove_markers(const struct range_list *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        revoke_guard.arm(ranges->ranges[i].start,
                         ranges->ranges[i].end - ranges->ranges[i].start);
    }
}

const struct revoke_way *userfault_stand_in(const struct range_list *ranges)
{
    static const struct revoke_way *const ways[]
        = { &revoke_guard, &revoke_mprotect };
    const struct revoke_way *way = NULL;
    int saved_errno = errno;
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    for (size_t i = 0; pagemap >= 0 && way == NULL && i < 2; i++) {
        if (ways[i]->probe() != 0) {
            continue;
        }
        if (revoke_all_missing(pagemap, ways[i], ranges) == 0) {
            way = ways[i];
        } else if (ways[i] == &revoke_guard) {
            remove_markers(ranges);
        }
    }
    if (pagemap >= 0) {
        close(pagemap);
    }
    errno = saved_errno;
    return way;
}
