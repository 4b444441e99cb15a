/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userfaultfd; see userfault.h. */
#include "os/userfault.h"

#include "os/address_space.h"
#include "os/books.h"
#include "os/checkers.h"
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
    /* -1: there is a stand-in, or will be in a moment. */
    _Atomic int descriptor;
    /* How many there have been, a stand-in counted: a new one may have the
     * number of the last. */
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
    /* A child of fork() may find that a thread of its parent was at it. */
    bool is_replacing;
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
static bool is_in_place(int descriptor)
{
    struct stat file;
    int saved_errno = errno;
    bool is_open = fstat(descriptor, &file) == 0;
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
    /* Valgrind does not know the call, and says so at length. */
    int error = checkers_is_valgrind() ? ENOSYS : address_space_start();
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
    if (old >= 0 && is_in_place(old)) {
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

static int unregister_range(int descriptor, uintptr_t start, uintptr_t end)
{
    struct uffdio_range range = { .start = start, .len = end - start };
    return control(descriptor, UFFDIO_UNREGISTER, &range);
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
 * While the ranges are registered, a page that is armed without the descriptor
 * would still be its to deliver. Closing is not enough: a call of another
 * thread may hold the file for a moment, and a child made by clone() for long.
 */
static void give_back(int descriptor)
{
    for (size_t i = 0; i < uffd.ranges.count; i++) {
        unregister_range(descriptor, uffd.ranges.ranges[i].start,
                         uffd.ranges.ranges[i].end);
    }
    close(descriptor);
}

/*
 * The stand-in takes over; NULL: there is none. The lock is held.
 *
 * Other threads arm and revoke pages meanwhile, and one that is armed when it
 * has been found missing loses what was in it. So the number changes before
 * any page is looked at, and who has begun with the old one does it again with
 * the stand-in: see instead_of(). A page that was found missing and is there
 * now, or the reverse, was changed after the kernel's lock of its page table
 * had been here, so its changer sees the new number; where there was no page
 * table yet, the fence and the atomic operations of those calls order it.
 */
static const struct revoke_way *stand_in(void)
{
    int descriptor = uffd.descriptor;
    /* From here on those that begin wait for the lock. */
    uffd.is_replacing = true;
    uffd.descriptor = -1;
    uffd.opened++;
    atomic_thread_fence(memory_order_seq_cst);
    const struct revoke_way *way = userfault_stand_in(&uffd.ranges);
    /* The program may have taken away the calls and left the descriptor. */
    if (descriptor >= 0 && is_in_place(descriptor)) {
        give_back(descriptor);
    }
    /* Where there is none, what is missing reads as zeroes now, and arming is
     * touching. */
    uffd.stand_in = way != NULL ? way : &revoke_mprotect;
    uffd.is_replacing = false;
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

/* The lock is held by nobody else. */
static void begin_anew(void)
{
    int descriptor = uffd.descriptor;
    if (descriptor >= 0 && is_in_place(descriptor)) {
        /* The parent's, which would work on the parent's memory. */
        close(descriptor);
    }
    uffd.descriptor = -1;
    if (uffd.is_replacing) {
        /* A thread of the parent was at it: some markers lie there already. */
        replace();
    } else if (descriptor >= 0 && reopen() == 0) {
        uffd.adopted++;
    } else if (descriptor >= 0) {
        replace();
    }
}

/* The address space is new. Another thread may do it at the same time. */
static void adopt(void)
{
    int state = process_begin_uncancelled();
    if (address_space_begin_claim()) {
        /* Whoever held it is in another process. */
        lock_reset_after_fork(&uffd.lock);
        lock_take(&uffd.lock);
        begin_anew();
        address_space_claim();
        lock_release(&uffd.lock);
    }
    process_end_uncancelled(state);
}

/* A descriptor, -1 where there is a stand-in; and which of all it is. */
struct opening {
    int descriptor;
    unsigned number;
};

/* Until the stand-in that another thread puts in place is there. */
static void wait_for_stand_in(void)
{
    lock_take(&uffd.lock);
    lock_release(&uffd.lock);
}

/* The one for this address space. */
static struct opening current(void)
{
    if (address_space_is_new()) {
        adopt();
    }
    /* In this order: an old descriptor goes with an old number. */
    struct opening now = { .number = uffd.opened };
    now.descriptor = uffd.descriptor;
    if (now.descriptor < 0 && uffd.stand_in == NULL) {
        wait_for_stand_in();
    }
    return now;
}

/*
 * What does in place of the descriptor what was to be done with it. It has to
 * be done again where a stand-in began to take over meanwhile, which may have
 * taken pages for guards that were being armed, or the reverse. NULL: what was
 * done with the descriptor stands.
 */
static const struct revoke_way *instead_of(struct opening used)
{
    if (used.descriptor >= 0) {
        if (uffd.opened == used.number) {
            return NULL;
        }
        wait_for_stand_in();
    }
    return uffd.stand_in;
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
        bool is_lost = error == EBADF || error == ENOTTY
                       || !is_in_place(uffd.descriptor);
        is_mended = is_lost && reopen_lost();
    }
    lock_release(&uffd.lock);
    process_end_uncancelled(state);
    return is_mended;
}

void userfault_look(void)
{
    if (!address_space_is_new()) {
        struct opening now = current();
        if (now.descriptor >= 0 && !is_in_place(now.descriptor)) {
            recover(now, EBADF);
        }
    }
}

int userfault_adopt(void)
{
    current();
    return 0;
}

/*
 * Another thread may have lost its processor between looking up the descriptor
 * and the call, which the filter would end the process for. Nothing tells, so
 * that pairs cost no more; it will have gone on by then.
 */
static void let_others_go_on(void)
{
    enum { MILLISECONDS = 20 };
    for (int i = 0; i < MILLISECONDS; i++) {
        process_yield();
    }
}

void userfault_give_up(bool is_for_all_threads)
{
    struct opening now = current();
    if (now.descriptor < 0 || address_space_is_borrowed()) {
        return;
    }
    int state = process_begin_uncancelled();
    lock_take(&uffd.lock);
    if (uffd.stand_in == NULL) {
        const struct revoke_way *way = stand_in();
        /* Markers guard as well as what they replace: nothing to tell. */
        if (way != &revoke_guard) {
            say_replaced(way);
        }
    }
    lock_release(&uffd.lock);
    if (is_for_all_threads && process_may_have_threads()) {
        let_others_go_on();
    }
    process_end_uncancelled(state);
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
        error = now.descriptor < 0
                    ? 0
                    : register_range(now.descriptor, start, start + bytes);
    }
    if (error == 0) {
        error = pages_allow(start, bytes);
    }
    const struct revoke_way *way = instead_of(now);
    if (way != NULL) {
        error = pages_deny(start, bytes);
        return error == 0 ? way->prepare(start, bytes) : error;
    }
    if (error != 0) {
        userfault_forget(start, bytes);
        unregister_range(uffd.descriptor, start, start + bytes);
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
    int error = 0;
    if (now.descriptor >= 0) {
        error = fill(now.descriptor, start, bytes);
        if (error != 0 && recover(now, error)) {
            now = current();
            error = now.descriptor < 0 ? 0
                                       : fill(now.descriptor, start, bytes);
        }
    }
    const struct revoke_way *way = instead_of(now);
    return way == NULL ? error : way->arm(start, bytes);
}

int userfault_drop(uintptr_t start, size_t bytes)
{
    struct opening now = current();
    int error = 0;
    if (now.descriptor >= 0) {
        error = pages_drop(start, bytes);
        /* Locked memory is not dropped (EINVAL) until it is unlocked. */
        if (error == EINVAL && pages_unlock(start, bytes) == 0) {
            error = pages_drop(start, bytes);
        }
    }
    const struct revoke_way *way = instead_of(now);
    return way == NULL ? error : way->revoke(start, bytes);
}

/* Once. *HAS_BEGUN says whether some of the pages were moved. */
static inline int move_once(int descriptor, uintptr_t from, uintptr_t to,
                            size_t bytes, bool *has_begun)
{
    struct uffdio_move move = { .dst = to,
                                .src = from,
                                .len = bytes,
                                .mode = UFFDIO_MOVE_MODE_DONTWAKE };
    int error = control(descriptor, UFFDIO_MOVE, &move);
    *has_begun = move.move > 0;
    return error;
}

static int move(int descriptor, uintptr_t from, uintptr_t to, size_t bytes)
{
    int error = EAGAIN;
    bool has_begun = false;
    for (int i = 0; error == EAGAIN && !has_begun && i < MOVE_TRIES; i++) {
        error = move_once(descriptor, from, to, bytes, &has_begun);
    }
    return error;
}

/* What moving a page of our own can meet while the descriptor is well. */
static bool is_about_pages(int error)
{
    return error == EAGAIN || error == EBUSY || error == EEXIST;
}

/* The first try on USED has ended with ERROR, or a stand-in takes over. */
static __attribute__((noinline)) int
move_again(struct opening used, int error, bool has_begun, uintptr_t from,
           uintptr_t to, size_t bytes)
{
    struct opening now = used;
    if (error == EAGAIN && !has_begun) {
        error = move(now.descriptor, from, to, bytes);
    }
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
    const struct revoke_way *way = instead_of(now);
    if (way != NULL) {
        way->revoke(to, bytes);
        return ENOSYS;
    }
    return error;
}

/*
 * Each free() comes here. A processor forgets over a system call where the
 * functions return to that have led to it, so there are few of them.
 */
int userfault_move(uintptr_t from, uintptr_t to, size_t bytes)
{
    struct opening now = current();
    if (now.descriptor < 0) {
        return ENOSYS;
    }
    bool has_begun;
    int error = move_once(now.descriptor, from, to, bytes, &has_begun);
    return error == 0 && uffd.opened == now.number
               ? 0
               : move_again(now, error, has_begun, from, to, bytes);
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
    struct opening now = current();
    int error = now.descriptor < 0 ? ENOSYS : 0;
    for (size_t done = 0; error == 0 && done < bytes; done += page_bytes) {
        error = userfault_mend(start + done);
        if (error == EEXIST) {
            error = 0;
        }
    }
    const struct revoke_way *way
        = now.descriptor < 0 ? NULL : instead_of(now);
    return way == NULL ? error : way->arm(start, bytes);
}
