/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing a way to revoke, and what to do when it fails; see revoke.h. */
#include "os/revoke.h"

#include <stddef.h>

/* The best first. */
static const struct revoke_way *const ways[] = {
    &revoke_guard,
    &revoke_mprotect,
};

const struct revoke_way *revoke_way_at(size_t place)
{
    return place < sizeof ways / sizeof ways[0] ? ways[place] : NULL;
}

static const struct revoke_way *way_of(enum revoke_way_id id)
{
    return id == REVOKE_MPROTECT ? &revoke_mprotect : &revoke_guard;
}

const struct revoke_way *revoke_choose(enum revoke_way_id wanted, int *refused)
{
    *refused = 0;
    if (wanted != REVOKE_AUTO) {
        const struct revoke_way *way = way_of(wanted);
        *refused = way->probe();
        return *refused == 0 ? way : &revoke_mprotect;
    }
    const struct revoke_way *way;
    for (size_t place = 0; (way = revoke_way_at(place)) != NULL; place++) {
        int error = way->probe();
        if (error == 0) {
            return way;
        }
        if (*refused == 0) {
            *refused = error;
        }
    }
    return &revoke_mprotect;
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
