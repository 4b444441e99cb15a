/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare system calls of each way to revoke: what a page costs that is made
 * accessible, touched and made inaccessible, without anything around it.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Missing from the headers of Linux 6.1. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)
#define UFFDIO_MOVE_MODE_DONTWAKE ((__u64)1 << 0)
struct uffdio_move {
    __u64 dst;
    __u64 src;
    __u64 len;
    __u64 mode;
    __s64 move;
};
#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

struct bare {
    const char *way;
    int descriptor;
    size_t page_bytes;
    /* Two pages, and one of zeroes. */
    char *page;
    char *other;
    char *zeroes;
};

static inline bool bare_copy(const struct bare *bare)
{
    struct uffdio_copy copy = { .dst = (uintptr_t)bare->page,
                                .src = (uintptr_t)bare->zeroes,
                                .len = bare->page_bytes,
                                .mode = UFFDIO_COPY_MODE_DONTWAKE };
    return ioctl(bare->descriptor, UFFDIO_COPY, &copy) == 0;
}

static inline bool bare_move(struct bare *bare)
{
    struct uffdio_move move = { .dst = (uintptr_t)bare->other,
                                .src = (uintptr_t)bare->page,
                                .len = bare->page_bytes,
                                .mode = UFFDIO_MOVE_MODE_DONTWAKE };
    char *page = bare->page;
    bare->page = bare->other;
    bare->other = page;
    return ioctl(bare->descriptor, UFFDIO_MOVE, &move) == 0;
}

static inline bool bare_watch(struct bare *bare, bool is_move)
{
    struct uffdio_api api
        = { .api = UFFD_API,
            .features
            = UFFD_FEATURE_SIGBUS | (is_move ? UFFD_FEATURE_MOVE : 0) };
    struct uffdio_register range = { .range = { .start = (uintptr_t)bare->page,
                                                .len = 2 * bare->page_bytes },
                                     .mode = UFFDIO_REGISTER_MODE_MISSING };
    bare->descriptor = (int)syscall(
        SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    return bare->descriptor >= 0
           && ioctl(bare->descriptor, UFFDIO_API, &api) == 0
           && ioctl(bare->descriptor, UFFDIO_REGISTER, &range) == 0
           && (!is_move || bare_copy(bare));
}

/* The calls of WAY, "move", "drop", "guard" or "mprotect". Returns false when
 * they do not work here. */
static inline bool bare_start(struct bare *bare, const char *way)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return false;
    }
    *bare = (struct bare){ .way = way,
                           .page_bytes = page_bytes,
                           .page = pages,
                           .other = pages + page_bytes,
                           .zeroes = pages + 2 * page_bytes };
    memset(bare->zeroes, 0, page_bytes);
    if (way[0] == 'm' && way[1] == 'o') {
        return bare_watch(bare, true);
    }
    if (way[0] == 'd') {
        return bare_watch(bare, false);
    }
    if (way[0] == 'g') {
        return madvise(bare->page, page_bytes, MADV_GUARD_INSTALL) == 0;
    }
    return mprotect(bare->page, page_bytes, PROT_NONE) == 0;
}

/* Once. For "move" the page is accessible all the time, elsewhere. */
static inline bool bare_pair(struct bare *bare)
{
    size_t bytes = bare->page_bytes;
    switch (bare->way[1]) {
    case 'o':
        return bare_move(bare);
    case 'r': {
        bool is_there = bare_copy(bare);
        *(volatile char *)bare->page = 1;
        return is_there && madvise(bare->page, bytes, MADV_DONTNEED) == 0;
    }
    case 'u': {
        bool is_there = madvise(bare->page, bytes, MADV_GUARD_REMOVE) == 0;
        *(volatile char *)bare->page = 1;
        return is_there && madvise(bare->page, bytes, MADV_GUARD_INSTALL) == 0;
    }
    default: {
        bool is_there
            = mprotect(bare->page, bytes, PROT_READ | PROT_WRITE) == 0;
        *(volatile char *)bare->page = 1;
        return is_there && mprotect(bare->page, bytes, PROT_NONE) == 0
               && madvise(bare->page, bytes, MADV_DONTNEED) == 0;
    }
    }
}

/* The same; and for "move" the page is touched where it went. */
static inline bool bare_touched(struct bare *bare)
{
    bool is_done = bare_pair(bare);
    if (is_done && bare->way[1] == 'o') {
        *(volatile char *)bare->page = 1;
    }
    return is_done;
}

#endif
