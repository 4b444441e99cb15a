/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userfaultfd; see userfault.h. */
#include "os/userfault.h"

#include "os/address_space.h"
#include "os/books.h"
#include "os/lock.h"
#include "os/output.h"
#include "os/own_memory.h"
#include "os/pages.h"
#include "os/process.h"
#include "os/range_list.h"
#include "os/userfault_stand_in.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Missing from the headers of Linux 6.1: both are of 5.11 and 6.8. */
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

enum {
    /* One page of bookkeeping holds 256 ranges; neighbours are one range. */
    RANGE_PAGES = 16,
    /* Which a start needs, and many a program. */
    FEW_RANGES = 4,
    /*
     * Up to here pages are copied in, which is faster than the zero page and
     * a fault at the first write; more would take memory that a sparse block
     * never touches.
     */
    COPIED_PAGES = 32,
    /* Another thread holds the page for a moment. */
    MOVE_TRIES = 8,
    /* The mappings are changing, or a stray page is in the way. */
    FILL_TRIES = 64
};

static struct {
    _Atomic int descriptor;
    /* How many there have been: a new one may have the number of the last. */
    _Atomic unsigned opened;
    /* What is open there, unless the program has put another file there. */
    dev_t device;
    ino_t inode;
    bool can_move;
    uintptr_t zeroes;
    struct lock lock;
    /* What is registered; under the lock. While they are few they are in
     * memory that is touched anyway. */
    struct range_list ranges;
    struct range few_ranges[FEW_RANGES];
    struct range_list many_ranges;
    _Atomic(const struct revoke_way *) stand_in;
    _Atomic unsigned lost;
    _Atomic unsigned adopted;
    _Atomic unsigned replaced;
} uffd = { .descriptor = -1 };

/* An ioctl that answers 0 or an errno value. */
static int control(int descriptor, unsigned long request, void *argument)
{
    int saved_errno = errno;
    int error = ioctl(descriptor, request, argument) == 0 ? 0 : errno;
    errno = saved_errno;
    return error;
}

static int agree(int descriptor, uint64_t features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };
    return control(descriptor, UFFDIO_API, &api);
}

static int open_descriptor(int *opened)
{
    int saved_errno = errno;
    int error = 0;
    int low = (int)syscall(SYS_userfaultfd,
                           O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
    int high = -1;
    if (low >= 0) {
        high = fcntl(low, F_DUPFD_CLOEXEC, process_lowest_descriptor());
    }
    if (high < 0) {
        error = errno;
    }
    if (low >= 0) {
        close(low);
    }
    if (error == 0) {
        error = agree(high, UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MOVE);
        uffd.can_move = error == 0;
        if (error != 0) {
            error = agree(high, UFFD_FEATURE_SIGBUS);
        }
        if (error != 0) {
            close(high);
        }
    }
    errno = saved_errno;
    *opened = high;
    return error;
}

static void use_descriptor(int descriptor)
{
    struct stat file = { .st_ino = 0 };
    int saved_errno = errno;
    fstat(descriptor, &file);
    errno = saved_errno;
    uffd.device = file.st_dev;
    uffd.inode = file.st_ino;
    uffd.descriptor = descriptor;
    uffd.opened++;
}

/* Whether what was opened is still there, and not a file of the program's. */
static bool is_in_place(void)
{
    struct stat file;
    int saved_errno = errno;
    bool is_open = fstat(uffd.descriptor, &file) == 0;
    errno = saved_errno;
    return is_open && file.st_dev == uffd.device
           && file.st_ino == uffd.inode;
}

/* The zeroes, and behind them the ranges. */
static int map_tables(void)
{
    size_t range_bytes = RANGE_PAGES * pages_size();
    size_t zero_bytes = COPIED_PAGES * pages_size();
    int error = books_take(zero_bytes + range_bytes, &uffd.zeroes);
    if (error == 0) {
        uffd.many_ranges.ranges = (struct range *)(uffd.zeroes + zero_bytes);
        uffd.many_ranges.capacity = range_bytes / sizeof(struct range);
        uffd.ranges.ranges = uffd.few_ranges;
        uffd.ranges.capacity = FEW_RANGES;
        /* Ranges end where blocks do. */
        own_memory_note((uintptr_t)uffd.few_ranges, sizeof uffd.few_ranges);
    }
    return error;
}

int userfault_start(void)
{
    if (uffd.descriptor >= 0) {
        return 0;
    }
    int descriptor;
    int error = address_space_start();
    if (error == 0 && uffd.zeroes == 0) {
        error = map_tables();
    }
    if (error == 0) {
        error = open_descriptor(&descriptor);
    }
    if (error == 0) {
        use_descriptor(descriptor);
    }
    return error;
}

int userfault_descriptor(void)
{
    return uffd.descriptor;
}

void userfault_renumber(void)
{
    int saved_errno = errno;
    int state = process_begin_uncancelled();
    lock_take(&uffd.lock);
    int old = uffd.descriptor;
    if (old >= 0 && is_in_place()) {
        /* Above it, or where that is not allowed, anywhere. */
        int other = fcntl(old, F_DUPFD_CLOEXEC, old + 1);
        if (other < 0) {
            other = fcntl(old, F_DUPFD_CLOEXEC, 3);
        }
        if (other >= 0) {
            use_descriptor(other);
            close(old);
        }
    }
    lock_release(&uffd.lock);
    process_end_uncancelled(state);
    errno = saved_errno;
}

bool userfault_can_move(void)
{
    return uffd.can_move;
}

struct userfault_counts userfault_counts(void)
{
    return (struct userfault_counts){ .lost = uffd.lost,
                                      .adopted = uffd.adopted,
                                      .replaced = uffd.replaced };
}

static int register_range(int descriptor, uintptr_t start, uintptr_t end)
{
    struct uffdio_register range = {
        .range = { .start = start, .len = end - start },
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    return control(descriptor, UFFDIO_REGISTER, &range);
}

/* Everything anew, with a new descriptor. */
static int reopen(void)
{
    int descriptor;
    int error = open_descriptor(&descriptor);
    if (error != 0) {
        return error;
    }
    for (size_t i = 0; error == 0 && i < uffd.ranges.count; i++) {
        error = register_range(descriptor, uffd.ranges.ranges[i].start,
                               uffd.ranges.ranges[i].end);
    }
    if (error == 0) {
        use_descriptor(descriptor);
    } else {
        close(descriptor);
    }
    return error;
}

/*
 * The program may have taken away the calls and left the descriptor; while it
 * is open, a page that is armed without it would still be its to deliver.
 */
static void close_if_in_place(void)
{
    if (uffd.descriptor >= 0 && is_in_place()) {
        close(uffd.descriptor);
    }
}

/* The stand-in takes over; NULL: there is none. */
static const struct revoke_way *stand_in(void)
{
    const struct revoke_way *way = userfault_stand_in(&uffd.ranges);
    close_if_in_place();
    /* Where there is none, what is missing reads as zeroes now, and arming is
     * touching. */
    uffd.stand_in = way != NULL ? way : &revoke_mprotect;
    uffd.descriptor = -1;
    return way;
}

static void say_replaced(const struct revoke_way *way)
{
    uffd.replaced++;
    if (way == NULL) {
        output_message("warning: userfaultfd was taken away, and nothing can "
                       "take its place: some uses of freed memory are not "
                       "found");
    } else {
        output_message(way == &revoke_guard
                           ? "warning: userfaultfd was taken away; using "
                             "guard markers"
                           : "warning: userfaultfd was taken away; using "
                             "mprotect");
    }
}

static void replace(void)
{
    say_replaced(stand_in());
}

/* The address space is new. */
static void adopt(void)
{
    if (!address_space_begin_claim()) {
        /* Another thread does it. */
        lock_take(&uffd.lock);
        lock_release(&uffd.lock);
        return;
    }
    int state = process_begin_uncancelled();
    /* Whoever held it is in another process. */
    lock_reset_after_fork(&uffd.lock);
    lock_take(&uffd.lock);
    if (uffd.stand_in == NULL && uffd.descriptor >= 0) {
        /* The parent's, which would work on the parent's memory. */
        close_if_in_place();
        if (reopen() == 0) {
            uffd.adopted++;
        } else {
            uffd.descriptor = -1;
            replace();
        }
    }
    address_space_claim();
    lock_release(&uffd.lock);
    process_end_uncancelled(state);
}

/* A descriptor, -1 where there is a stand-in; and which of all it is. */
struct opening {
    int descriptor;
    unsigned number;
};

/* The one for this address space. */
static struct opening current(void)
{
    if (address_space_is_new()) {
        adopt();
    }
    struct opening now = { .number = uffd.opened };
    now.descriptor = uffd.stand_in != NULL ? -1 : uffd.descriptor;
    return now;
}

/* The lock is held. Returns whether there is a descriptor or a stand-in. */
static bool reopen_lost(void)
{
    int error = reopen();
    if (error == EBUSY) {
        /* Another process has it, and the ranges still belong to it. */
        return false;
    }
    uffd.lost++;
    if (error == 0) {
        output_message("warning: the program closed Moat's userfaultfd; a new "
                       "one is in place");
    } else {
        replace();
    }
    return true;
}

/* A call on USED has failed with ERROR. Returns whether to try it again. */
static bool recover(struct opening used, int error)
{
    if (address_space_is_borrowed()) {
        /* The child of a vfork() has lost it, not its parent. */
        return false;
    }
    bool is_mended = true;
    int state = process_begin_uncancelled();
    lock_take(&uffd.lock);
    if (uffd.stand_in == NULL && uffd.opened == used.number) {
        bool is_lost = error == EBADF || error == ENOTTY || !is_in_place();
        is_mended = is_lost && reopen_lost();
    }
    lock_release(&uffd.lock);
    process_end_uncancelled(state);
    return is_mended;
}

int userfault_adopt(void)
{
    current();
    return 0;
}

void userfault_give_up(void)
{
    struct opening now = current();
    if (now.descriptor < 0 || address_space_is_borrowed()) {
        return;
    }
    lock_take(&uffd.lock);
    if (uffd.stand_in == NULL) {
        const struct revoke_way *way = stand_in();
        /* Markers guard as well as what they replace: nothing to tell. */
        if (way != &revoke_guard) {
            say_replaced(way);
        }
    }
    lock_release(&uffd.lock);
}

/* Go on with room for many, if that is not so already. */
static bool make_room(void)
{
    if (uffd.ranges.ranges != uffd.few_ranges) {
        return false;
    }
    memcpy(uffd.many_ranges.ranges, uffd.few_ranges, sizeof uffd.few_ranges);
    uffd.many_ranges.count = uffd.ranges.count;
    uffd.many_ranges.last = uffd.ranges.last;
    uffd.ranges = uffd.many_ranges;
    return true;
}

static int note_range(uintptr_t start, size_t bytes)
{
    uintptr_t end = start + bytes;
    lock_take(&uffd.lock);
    bool has_room = range_list_add(&uffd.ranges, start, end)
                    || (make_room()
                        && range_list_add(&uffd.ranges, start, end));
    lock_release(&uffd.lock);
    return has_room ? 0 : ENOSPC;
}

int userfault_register(uintptr_t start, size_t bytes)
{
    struct opening now = current();
    if (now.descriptor < 0) {
        return uffd.stand_in->prepare(start, bytes);
    }
    /* Noted first: who opens a new one meanwhile registers it there too. */
    int error = note_range(start, bytes);
    if (error != 0) {
        return error;
    }
    error = register_range(now.descriptor, start, start + bytes);
    if (error != 0 && recover(now, error)) {
        now = current();
        if (now.descriptor < 0) {
            return uffd.stand_in->prepare(start, bytes);
        }
        error = register_range(now.descriptor, start, start + bytes);
    }
    if (error == 0) {
        error = pages_allow(start, bytes);
    }
    if (error != 0) {
        struct uffdio_range range = { .start = start, .len = bytes };
        userfault_forget(start, bytes);
        control(uffd.descriptor, UFFDIO_UNREGISTER, &range);
    }
    return error;
}

int userfault_try(void)
{
    uintptr_t page;
    int descriptor = current().descriptor;
    int error
        = descriptor >= 0 ? pages_reserve(pages_size(), &page) : ENOSYS;
    if (error != 0) {
        return error;
    }
    /* Not noted: it is gone at once. */
    error = register_range(descriptor, page, page + pages_size());
    if (error == 0) {
        error = pages_allow(page, pages_size());
    }
    char byte;
    if (error == 0 && pages_peek(page, 1, &byte)) {
        error = ENOSYS;
    }
    pages_unmap(page, pages_size());
    return error;
}

int userfault_forget(uintptr_t start, size_t bytes)
{
    lock_take(&uffd.lock);
    uintptr_t end = start + bytes;
    bool is_cut = range_list_cut(&uffd.ranges, start, end)
                  || (make_room()
                      && range_list_cut(&uffd.ranges, start, end));
    lock_release(&uffd.lock);
    return is_cut ? 0 : ENOSPC;
}

/* Put zeroes on up to COPIED_PAGES, or the zero page on more. */
static int64_t put_zeroes(int descriptor, uintptr_t start, size_t bytes,
                          int *error)
{
    int64_t done;
    if (bytes <= COPIED_PAGES * pages_size()) {
        struct uffdio_copy copy = { .dst = start,
                                    .src = uffd.zeroes,
                                    .len = bytes,
                                    .mode = UFFDIO_COPY_MODE_DONTWAKE };
        *error = control(descriptor, UFFDIO_COPY, &copy);
        done = copy.copy;
    } else {
        struct uffdio_zeropage zero
            = { .range = { .start = start, .len = bytes },
                .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE };
        *error = control(descriptor, UFFDIO_ZEROPAGE, &zero);
        done = zero.zeropage;
    }
    return *error == 0 ? (int64_t)bytes : done;
}

static int fill(int descriptor, uintptr_t start, size_t bytes)
{
    uintptr_t at = start;
    uintptr_t end = start + bytes;
    size_t most = bytes;
    int tries = 0;
    while (at < end) {
        int error;
        int64_t done = put_zeroes(descriptor, at,
                                  end - at < most ? end - at : most, &error);
        if (done > 0) {
            at += (uintptr_t)done;
            tries = 0;
        }
        if (error == EEXIST) {
            /* Touched while nothing guarded it: what is there is stray. */
            error = pages_drop(at, pages_size());
        }
        if (error == ENOENT && most > pages_size()) {
            /*
             * It begins in one mapping and ends in another. What was
             * registered in two steps need not have become one: not when guard
             * markers came to lie beside in between (seen with 6.18).
             */
            most = pages_size();
            error = 0;
        }
        bool can_try = error == 0 || error == EAGAIN;
        if (at < end && (!can_try || ++tries == FILL_TRIES)) {
            if (at > start) {
                pages_drop(start, at - start);
            }
            return can_try ? ENOMEM : error;
        }
    }
    return 0;
}

int userfault_fill(uintptr_t start, size_t bytes)
{
    struct opening now = current();
    if (now.descriptor >= 0) {
        int error = fill(now.descriptor, start, bytes);
        if (error == 0 || !recover(now, error)) {
            return error;
        }
        now = current();
    }
    return now.descriptor >= 0 ? fill(now.descriptor, start, bytes)
                               : uffd.stand_in->arm(start, bytes);
}

int userfault_drop(uintptr_t start, size_t bytes)
{
    if (current().descriptor < 0) {
        return uffd.stand_in->revoke(start, bytes);
    }
    int error = pages_drop(start, bytes);
    /* Locked memory is not dropped (EINVAL) until it is unlocked. */
    if (error == EINVAL && pages_unlock(start, bytes) == 0) {
        error = pages_drop(start, bytes);
    }
    return error;
}

static int move(int descriptor, uintptr_t from, uintptr_t to, size_t bytes)
{
    struct uffdio_move move = { .dst = to,
                                .src = from,
                                .len = bytes,
                                .mode = UFFDIO_MOVE_MODE_DONTWAKE };
    int error = EAGAIN;
    for (int i = 0; error == EAGAIN && i < MOVE_TRIES; i++) {
        error = control(descriptor, UFFDIO_MOVE, &move);
        if (error == EAGAIN && move.move > 0) {
            break;
        }
    }
    return error;
}

/* What moving a page of our own can meet while the descriptor is well. */
static bool is_about_pages(int error)
{
    return error == EAGAIN || error == EBUSY || error == EEXIST;
}

int userfault_move(uintptr_t from, uintptr_t to, size_t bytes)
{
    struct opening now = current();
    if (now.descriptor < 0) {
        return ENOSYS;
    }
    int error = move(now.descriptor, from, to, bytes);
    if (error != 0 && !is_about_pages(error) && recover(now, error)) {
        now = current();
        if (now.descriptor < 0) {
            return ENOSYS;
        }
        error = move(now.descriptor, from, to, bytes);
    }
    if (error != 0 && error != EBADF && error != ENOTTY) {
        pages_drop(to, bytes);
    }
    return error;
}

int userfault_mend(uintptr_t page)
{
    /* Nothing to recover: without a descriptor it would not have come to this.
     */
    int descriptor = uffd.descriptor;
    if (descriptor < 0 || address_space_is_new()) {
        return ENOSYS;
    }
    int error;
    put_zeroes(descriptor, page, pages_size(), &error);
    return error;
}

int userfault_refill(uintptr_t start, size_t bytes)
{
    size_t page_bytes = pages_size();
    for (size_t done = 0; done < bytes; done += page_bytes) {
        int error = userfault_mend(start + done);
        if (error != 0 && error != EEXIST) {
            return error;
        }
    }
    return 0;
}
