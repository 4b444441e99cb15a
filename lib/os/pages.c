/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function a kernel operation; see pages.h. Where a call is only a wish
 * (a name, no huge pages) its failure changes nothing and is not returned.
 */
#include "os/pages.h"

#include "os/checkers.h"
#include "os/own_memory.h"
#include "os/process.h"

#include <errno.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* Missing from the headers of glibc before 2.32. */
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static size_t page_size;

size_t pages_size(void)
{
    if (page_size == 0) {
        page_size = (size_t)getauxval(AT_PAGESZ);
    }
    return page_size;
}

/* The errno value of a call that answered STATUS, with errno put back. */
static int outcome(int status, int saved_errno)
{
    int error = status == 0 ? 0 : errno;
    errno = saved_errno;
    return error;
}

static int map(size_t bytes, int protection, uintptr_t *start)
{
    int saved_errno = errno;
    void *address
        = mmap(NULL, bytes, protection,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED) {
        return outcome(-1, saved_errno);
    }
    *start = (uintptr_t)address;
    own_memory_note(*start, bytes);
    return 0;
}

int pages_reserve(size_t bytes, uintptr_t *start)
{
    return map(bytes, PROT_NONE, start);
}

/* Kernels that do not know names need not be told each. */
static void set_name(uintptr_t start, size_t bytes, const char *name)
{
    static _Atomic bool is_unknown;
    int saved_errno = errno;
    if (!is_unknown
        && prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, bytes, name) != 0
        && errno == EINVAL) {
        is_unknown = true;
    }
    errno = saved_errno;
}

/* A page of page table entries maps so much; nothing smaller is one huge page,
 * unless the machine's owner asks for that. */
static size_t least_huge_page(void)
{
    return pages_size() * (pages_size() / sizeof(uint64_t));
}

int pages_map(size_t bytes, const char *name, uintptr_t *start)
{
    int error = map(bytes, PROT_READ | PROT_WRITE, start);
    if (error == 0) {
        set_name(*start, bytes, name);
        if (bytes >= least_huge_page()) {
            pages_set_sparse(*start, bytes);
        }
    }
    return error;
}

void pages_unmap(uintptr_t start, size_t bytes)
{
    int saved_errno = errno;
    own_memory_forget(start);
    munmap((void *)start, bytes);
    errno = saved_errno;
}

int pages_drop(uintptr_t start, size_t bytes)
{
    int saved_errno = errno;
    return outcome(madvise((void *)start, bytes, MADV_DONTNEED), saved_errno);
}

int pages_allow(uintptr_t start, size_t bytes)
{
    int saved_errno = errno;
    return outcome(mprotect((void *)start, bytes, PROT_READ | PROT_WRITE),
                   saved_errno);
}

/* What filters answer, and mprotect() and the memory never. */
static bool is_refusal(int error)
{
    return error == EPERM || error == ENOSYS || error == EACCES;
}

static _Atomic bool keeps_unlocked;

static int map_anew(uintptr_t start, size_t bytes, int protection)
{
    int saved_errno = errno;
    void *address
        = mmap((void *)start, bytes, protection,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (address != MAP_FAILED && keeps_unlocked) {
        munlock(address, bytes);
    }
    return outcome(address == MAP_FAILED ? -1 : 0, saved_errno);
}

int pages_provide(uintptr_t start, size_t bytes)
{
    int error = pages_allow(start, bytes);
    if (!is_refusal(error)) {
        return error;
    }
    uintptr_t missing = start;
    for (uintptr_t page = start; page < start + bytes; page += pages_size()) {
        int reach = pages_touch(page);
        if (reach != 0 && reach != EFAULT) {
            return error;
        }
        if (reach == 0) {
            if (missing < page
                && map_anew(missing, page - missing, PROT_READ | PROT_WRITE)
                       != 0) {
                return error;
            }
            missing = page + pages_size();
        }
    }
    return missing < start + bytes
                   && map_anew(missing, start + bytes - missing,
                               PROT_READ | PROT_WRITE)
                          != 0
               ? error
               : 0;
}

int pages_deny(uintptr_t start, size_t bytes)
{
    int saved_errno = errno;
    return outcome(mprotect((void *)start, bytes, PROT_NONE), saved_errno);
}

int pages_renew(uintptr_t start, size_t bytes)
{
    int error = map_anew(start, bytes, PROT_NONE);
    if (error == 0) {
        pages_set_sparse(start, bytes);
    }
    return error;
}

int pages_transfer(uintptr_t from, uintptr_t to, size_t bytes)
{
    int saved_errno = errno;
    /* MREMAP_DONTUNMAP is of 5.7. */
    void *moved = mremap((void *)from, bytes, bytes,
                         MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
                         (void *)to);
    return outcome(moved == MAP_FAILED ? -1 : 0, saved_errno);
}

bool pages_peek(uintptr_t start, size_t bytes, void *copy)
{
    int saved_errno = errno;
    struct iovec to = { .iov_base = copy, .iov_len = bytes };
    struct iovec from = { .iov_base = (void *)start, .iov_len = bytes };
    bool is_complete
        /* Not by the number of the process: main() may have ended before. */
        = process_vm_readv(process_thread_id(), &to, 1, &from, 1, 0)
          == (ssize_t)bytes;
    errno = saved_errno;
    return is_complete;
}

int pages_touch(uintptr_t address)
{
    /* The kernel reads the set before it looks at what is to be done with it,
     * which is nothing: there is no such number. It asks for no rights, and no
     * sandbox can do without it. */
    enum { NOTHING = -1, SET_BYTES = 8 };
    if (checkers_is_valgrind()) {
        /* That call is one that Valgrind makes itself. */
        char byte;
        return pages_peek(address, 1, &byte) ? 0 : EFAULT;
    }
    int saved_errno = errno;
    int error = 0;
    if (syscall(SYS_rt_sigprocmask, NOTHING, address, NULL, SET_BYTES) != 0
        && errno != EINVAL) {
        error = errno;
    }
    errno = saved_errno;
    return error;
}

int pages_unlock(uintptr_t start, size_t bytes)
{
    int saved_errno = errno;
    return outcome(munlock((void *)start, bytes), saved_errno);
}

int pages_keep_unlocked(uintptr_t start, size_t bytes)
{
    keeps_unlocked = true;
    return pages_unlock(start, bytes);
}

void pages_set_sparse(uintptr_t start, size_t bytes)
{
    int saved_errno = errno;
    madvise((void *)start, bytes, MADV_NOHUGEPAGE);
    errno = saved_errno;
}

/* The first number of statm in /proc: the pages of the address space. */
static size_t address_space_in_use(void)
{
    char statm[64];
    int descriptor = process_open("statm");
    if (descriptor < 0) {
        return 0;
    }
    ssize_t count = read(descriptor, statm, sizeof statm);
    close(descriptor);
    size_t pages = 0;
    for (ssize_t i = 0; i < count && statm[i] >= '0' && statm[i] <= '9'; i++) {
        pages = pages * 10 + (size_t)(statm[i] - '0');
    }
    return pages * pages_size();
}

size_t pages_address_space_left(void)
{
    int saved_errno = errno;
    struct rlimit limit;
    size_t left = SIZE_MAX;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        size_t used = address_space_in_use();
        left = limit.rlim_cur > used ? (size_t)limit.rlim_cur - used : 0;
    }
    errno = saved_errno;
    return left;
}
