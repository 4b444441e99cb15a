/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revoking: the ways to make pages inaccessible and accessible again.
 *
 * For all ways: ranges lie in the region and are whole pages; results are 0 or
 * a positive errno value; errno itself is left as it was. Different ranges may
 * be handled by different threads at once. Whatever fails, no page becomes
 * accessible that was not to be.
 *
 * The life of a page: reserved (PROT_NONE) -> prepare -> guarded -> arm ->
 * accessible, zeroed -> revoke -> guarded, its memory gone -> arm ...
 */
#ifndef OS_REVOKE_H
#define OS_REVOKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum revoke_way_id {
    REVOKE_AUTO,
    REVOKE_MOVE,
    REVOKE_DROP,
    REVOKE_GUARD,
    REVOKE_MPROTECT,
    REVOKE_WAYS
};

struct revoke_way {
    const char *name;
    /* NULL, or: get ready, before anything else but probe(). 0, or why this
     * kernel or container does not have the way. */
    int (*start)(void);
    /* The same, and try it on a page of its own. */
    int (*probe)(void);
    /* From reserved to guarded. */
    int (*prepare)(uintptr_t start, size_t bytes);
    int (*arm)(uintptr_t start, size_t bytes);
    int (*revoke)(uintptr_t start, size_t bytes);
    /*
     * NULL, or: make the armed pages of FROM inaccessible and the guarded ones
     * of TO accessible in one call. TO then holds what FROM held. When it
     * fails, TO is guarded, and FROM is to be revoked: it may have lost pages.
     */
    int (*transfer)(uintptr_t from, uintptr_t to, size_t bytes);
    /*
     * NULL, or: in the child of a fork(), bring the guards back that it did
     * not inherit. Also done by the first other call that comes; until then
     * what was guarded reads as zeroes.
     */
    int (*adopt)(void);
    /*
     * NULL, or: a range is about to be mapped anew; 0 when it may be.
     */
    int (*forget)(uintptr_t start, size_t bytes);
    /*
     * NULL, or: zeroes are put where armed pages are missing because the
     * program has dropped them; those that are there stay.
     */
    int (*refill)(uintptr_t start, size_t bytes);
    /* Whether armed pages take memory only when they are touched. */
    bool is_sparse;
};

/* No errno value: all calls of a way succeed, and its guard does not hold. */
enum { REVOKE_UNPROVEN = 10000 };

extern const struct revoke_way revoke_move;
extern const struct revoke_way revoke_drop;
extern const struct revoke_way revoke_guard;
extern const struct revoke_way revoke_mprotect;

/* Way number PLACE, counted from 0, the best first; NULL: there are no more. */
const struct revoke_way *revoke_way_at(size_t place);

/*
 * Whether WAY guards a page of its own: a system call, which gets EFAULT where
 * an access would fault, cannot read it. Returns 0, REVOKE_UNPROVEN, or the
 * errno value of a call that fails.
 */
int revoke_prove(const struct revoke_way *way);

/*
 * Choose a way by trying: WANTED, or with REVOKE_AUTO the first that works and
 * is proven. Where WANTED is not it is the next one that is.
 *
 * *REFUSED is REVOKE_UNPROVEN when that is why a way was not taken, or the
 * errno value for which WANTED, or with REVOKE_AUTO the best way, was not
 * taken, else 0. Returns never NULL: mprotect is the last resort
 * and is taken even when its trial fails, so that each call can answer for
 * itself.
 */
const struct revoke_way *revoke_choose(enum revoke_way_id wanted,
                                       int *refused);

/* The next way behind WAY that works, mprotect behind one that is none of
 * these; NULL: there is none. */
const struct revoke_way *revoke_weaker(const struct revoke_way *way);

/*
 * For ranges that are armed as a whole and of which most may never be touched:
 * WAY itself if it is sparse, else the best way that is.
 */
const struct revoke_way *revoke_sparse(const struct revoke_way *way);

/* Before pages are mapped anew by another: all ways forget them. */
int revoke_forget(uintptr_t start, size_t bytes);

/*
 * Put pages back to reserved, whatever was done to them by whichever way.
 */
int revoke_renew(uintptr_t start, size_t bytes);

/*
 * Make armed pages inaccessible by WAY, and when it fails by mprotect().
 *
 * *FELL_BACK says whether that happened: such pages are no longer for
 * way->arm(). Returns 0, or the errno value of the last failure, when the
 * pages are still accessible.
 */
int revoke_or_deny(const struct revoke_way *way, uintptr_t start, size_t bytes,
                   bool *fell_back);

#endif
