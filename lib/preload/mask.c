/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal masks; see mask.h. */
#include "preload/mask.h"

#include "preload/next.h"
#include "preload/preload.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/select.h>

/* What _FORTIFY_SOURCE makes of ppoll(). */
int __ppoll_chk(struct pollfd *files, nfds_t count,
                const struct timespec *time, const sigset_t *set,
                size_t file_bytes);

enum { HAS_SEGV = 1, HAS_BUS = 2 };

static __thread unsigned kept_back
    __attribute__((tls_model("initial-exec")));

unsigned mask_filter(sigset_t *set)
{
    unsigned bits = (sigismember(set, SIGSEGV) == 1 ? HAS_SEGV : 0)
                    | (sigismember(set, SIGBUS) == 1 ? HAS_BUS : 0);
    if (bits != 0) {
        sigdelset(set, SIGSEGV);
        sigdelset(set, SIGBUS);
    }
    return bits;
}

void mask_restore(sigset_t *set, unsigned bits)
{
    if ((bits & HAS_SEGV) != 0) {
        sigaddset(set, SIGSEGV);
    }
    if ((bits & HAS_BUS) != 0) {
        sigaddset(set, SIGBUS);
    }
}

unsigned mask_kept_back(void)
{
    return kept_back;
}

void mask_inherit(unsigned bits)
{
    kept_back = bits;
}

void mask_unblock(void)
{
    sigset_t faults;
    sigset_t before;
    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    if (next_pthread_sigmask(SIG_UNBLOCK, &faults, &before) == 0) {
        kept_back = mask_filter(&before);
    }
}

/* The mask that was inherited over exec. */
__attribute__((constructor)) static void unblock(void)
{
    mask_unblock();
}

static int change(int how, const sigset_t *wanted, sigset_t *before)
{
    sigset_t filtered;
    unsigned bits = 0;
    unsigned bits_before = kept_back;
    if (wanted != NULL) {
        filtered = *wanted;
        bits = mask_filter(&filtered);
    }
    int error = next_pthread_sigmask(how, wanted == NULL ? NULL : &filtered,
                                     before);
    if (error != 0) {
        return error;
    }
    if (wanted != NULL) {
        kept_back = how == SIG_SETMASK ? bits
                    : how == SIG_BLOCK ? bits_before | bits
                                       : bits_before & ~bits;
    }
    if (before != NULL) {
        mask_restore(before, bits_before);
    }
    return 0;
}

PRELOAD_API int pthread_sigmask(int how, const sigset_t *wanted,
                                sigset_t *before)
{
    return change(how, wanted, before);
}

int mask_change(int how, const sigset_t *wanted, sigset_t *before)
{
    int error = change(how, wanted, before);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

PRELOAD_API int sigprocmask(int how, const sigset_t *wanted, sigset_t *before)
{
    return mask_change(how, wanted, before);
}

int mask_change_one(int how, int number, sigset_t *before)
{
    sigset_t one;
    if (sigemptyset(&one) != 0 || sigaddset(&one, number) != 0) {
        return -1;
    }
    return mask_change(how, &one, before);
}

PRELOAD_API int sighold(int number)
{
    return mask_change_one(SIG_BLOCK, number, NULL);
}

PRELOAD_API int sigrelse(int number)
{
    return mask_change_one(SIG_UNBLOCK, number, NULL);
}

/* SET without the two, in FILTERED; NULL stays NULL. */
static const sigset_t *filter(const sigset_t *set, sigset_t *filtered)
{
    if (set == NULL) {
        return NULL;
    }
    *filtered = *set;
    mask_filter(filtered);
    return filtered;
}

PRELOAD_API int sigsuspend(const sigset_t *set)
{
    sigset_t filtered;
    return next_sigsuspend(filter(set, &filtered));
}

PRELOAD_API int ppoll(struct pollfd *files, nfds_t count,
                      const struct timespec *time, const sigset_t *set)
{
    sigset_t filtered;
    return next_ppoll(files, count, time, filter(set, &filtered));
}

PRELOAD_API int pselect(int count, fd_set *read_set, fd_set *write_set,
                        fd_set *except_set, const struct timespec *time,
                        const sigset_t *set)
{
    sigset_t filtered;
    return next_pselect(count, read_set, write_set, except_set, time,
                        filter(set, &filtered));
}

PRELOAD_API int epoll_pwait(int descriptor, struct epoll_event *events,
                            int most, int time, const sigset_t *set)
{
    sigset_t filtered;
    return next_epoll_pwait(descriptor, events, most, time,
                            filter(set, &filtered));
}

PRELOAD_API int epoll_pwait2(int descriptor, struct epoll_event *events,
                             int most, const struct timespec *time,
                             const sigset_t *set)
{
    sigset_t filtered;
    return next_epoll_pwait2(descriptor, events, most, time,
                             filter(set, &filtered));
}

PRELOAD_API int __ppoll_chk(struct pollfd *files, nfds_t count,
                            const struct timespec *time, const sigset_t *set,
                            size_t file_bytes)
{
    sigset_t filtered;
    return next___ppoll_chk(files, count, time, filter(set, &filtered),
                            file_bytes);
}
