/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing a way to revoke, and what to do when it fails; see revoke.h. */
#include "os/revoke.h"

#include "os/pages.h"

#include <errno.h>
#include <stddef.h>

/* The best first, in the order of enum revoke_way_id. */
static const struct revoke_way *const ways[] = {
    &revoke_move,
    &revoke_drop,
    &revoke_guard,
    &revoke_mprotect,
};

const struct revoke_way *revoke_way_at(size_t place)
{
    return place < sizeof ways / sizeof ways[0] ? ways[place] : NULL;
}

/* PAGE is reserved. */
static int prove_on(const struct revoke_way *way, uintptr_t page)
{
    int error = way->prepare(page, pages_size());
    return error == 0 && pages_touch(page) != EFAULT ? REVOKE_UNPROVEN : error;
}

int revoke_prove(const struct revoke_way *way)
{
    uintptr_t page;
    int error = pages_reserve(pages_size(), &page);
    if (error != 0) {
        return error;
    }
    error = prove_on(way, page);
    if (way->forget != NULL) {
        way->forget(page, pages_size());
    }
    pages_unmap(page, pages_size());
    return error;
}

const struct revoke_way *revoke_choose(enum revoke_way_id wanted, int *refused)
{
    const struct revoke_way *way;
    size_t place = wanted == REVOKE_AUTO ? 0 : (size_t)(wanted - REVOKE_MOVE);
    *refused = 0;
    for (; (way = revoke_way_at(place)) != NULL; place++) {
        /* The proof is a trial too: no probe before it. */
        int error = way->start != NULL ? way->start() : 0;
        if (error == 0) {
            error = revoke_prove(way);
        }
        if (error == 0) {
            return way;
        }
        if (*refused == 0 || error == REVOKE_UNPROVEN) {
            *refused = error;
        }
    }
    return &revoke_mprotect;
}

const struct revoke_way *revoke_weaker(const struct revoke_way *way)
{
    const struct revoke_way *weaker;
    bool is_behind = false;
    for (size_t place = 0; (weaker = revoke_way_at(place)) != NULL; place++) {
        if (is_behind && weaker->probe() == 0) {
            return weaker;
        }
        is_behind = is_behind || weaker == way;
    }
    return is_behind ? NULL : &revoke_mprotect;
}

const struct revoke_way *revoke_sparse(const struct revoke_way *way)
{
    if (way->is_sparse) {
        return way;
    }
    return revoke_guard.probe() == 0 ? &revoke_guard : &revoke_mprotect;
}

int revoke_forget(uintptr_t start, size_t bytes)
{
    for (size_t place = 0; place < sizeof ways / sizeof ways[0]; place++) {
        int error = ways[place]->forget != NULL
                        ? ways[place]->forget(start, bytes)
                        : 0;
        if (error != 0) {
            return error;
        }
    }
    return 0;
}

int revoke_renew(uintptr_t start, size_t bytes)
{
    int error = revoke_forget(start, bytes);
    return error == 0 ? pages_renew(start, bytes) : error;
}

int revoke_or_deny(const struct revoke_way *way, uintptr_t start, size_t bytes,
                   bool *fell_back)
{
    *fell_back = false;
    int error = way->revoke(start, bytes);
    if (error != 0 && way != &revoke_mprotect) {
        *fell_back = true;
        error = revoke_mprotect.revoke(start, bytes);
    }
    return error;
}
