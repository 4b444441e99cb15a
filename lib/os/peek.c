/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying what may not be there; see peek.h. */
#include "os/peek.h"

#include "base/size.h"
#include "os/pages.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void peek_open(struct peek *peek)
{
    int saved_errno = errno;
    peek->is_refused = false;
    peek->descriptor = open("/proc/thread-self/mem", O_RDONLY | O_CLOEXEC);
    errno = saved_errno;
}

void peek_close(struct peek *peek)
{
    int saved_errno = errno;
    if (peek->descriptor >= 0) {
        close(peek->descriptor);
    }
    errno = saved_errno;
}

/* Page by page: one that cannot be read does not hide the next. */
static void copy_through(const struct peek *peek,
                         const struct peek_piece *piece)
{
    char *copy = piece->copy;
    for (size_t at = 0; at < piece->bytes;) {
        uintptr_t address = piece->start + at;
        size_t bytes = size_round_down(address, pages_size()) + pages_size()
                       - address;
        bytes = bytes < piece->bytes - at ? bytes : piece->bytes - at;
        if (peek->descriptor < 0
            || pread(peek->descriptor, copy + at, bytes, (off_t)address)
                   != (ssize_t)bytes) {
            memset(copy + at, 0, bytes);
        }
        at += bytes;
    }
}

/* How many of the PIECES the kernel has copied as a whole. */
static size_t copy_many(struct peek *peek, const struct peek_piece *pieces,
                        size_t count)
{
    struct iovec to[PEEK_PIECES];
    struct iovec from[PEEK_PIECES];
    for (size_t i = 0; i < count; i++) {
        to[i] = (struct iovec){ pieces[i].copy, pieces[i].bytes };
        from[i] = (struct iovec){ (void *)pieces[i].start, pieces[i].bytes };
    }
    /* Of a thread, since a process whose first one has ended has no memory. */
    ssize_t got = process_vm_readv(process_thread_id(), to, count, from, count,
                                   0);
    if (got < 0) {
        peek->is_refused = errno != EFAULT;
        return 0;
    }
    size_t whole = 0;
    while (whole < count && (size_t)got >= pieces[whole].bytes) {
        got -= (ssize_t)pieces[whole].bytes;
        whole++;
    }
    return whole;
}

void peek_copy(struct peek *peek, const struct peek_piece *pieces,
               size_t count)
{
    int saved_errno = errno;
    for (size_t i = 0; i < count;) {
        if (!peek->is_refused) {
            i += copy_many(peek, pieces + i, count - i);
        }
        if (i < count) {
            copy_through(peek, &pieces[i]);
            i++;
        }
    }
    errno = saved_errno;
}
