/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guards in place of a lost userfaultfd; see userfault_stand_in.h. */
#include "os/userfault_stand_in.h"

#include "os/pagemap.h"
#include "os/pages.h"

/*
 * Revoke the runs of missing pages from START to END. A page that is there is
 * a live block's, or stays accessible for a while longer than it should; it
 * cannot be told, and taking a live one would lose data.
 */
static int revoke_missing(struct pagemap *pagemap,
                          const struct revoke_way *way, uintptr_t start,
                          uintptr_t end)
{
    size_t page_bytes = pages_size();
    uintptr_t run = start;
    /* Other threads arm pages meanwhile. */
    pagemap_refresh(pagemap);
    for (uintptr_t page = start; page < end; page += page_bytes) {
        bool is_there;
        int error = pagemap_is_there(pagemap, page, &is_there);
        if (error == 0 && is_there && run < page) {
            error = way->revoke(run, page - run);
        }
        if (error != 0) {
            return error;
        }
        if (is_there) {
            run = page + page_bytes;
        }
    }
    return run < end ? way->revoke(run, end - run) : 0;
}

static int revoke_all_missing(struct pagemap *pagemap,
                              const struct revoke_way *way,
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
    struct pagemap pagemap;
    if (pagemap_open(&pagemap) != 0) {
        return NULL;
    }
    for (size_t i = 0; way == NULL && i < 2; i++) {
        if (ways[i]->probe() != 0) {
            continue;
        }
        if (revoke_all_missing(&pagemap, ways[i], ranges) == 0) {
            way = ways[i];
        } else if (ways[i] == &revoke_guard) {
            remove_markers(ranges);
        }
    }
    pagemap_close(&pagemap);
    return way;
}
