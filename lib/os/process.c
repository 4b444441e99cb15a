/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process; see process.h. */
#include "os/process.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int process_id(void)
{
    /* Not getpid(), which is nowhere near what else a start touches of libc. */
    return (int)syscall(SYS_getpid);
}

int process_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

bool process_has_thread_ended(int thread)
{
    int saved_errno = errno;
    bool has_ended = syscall(SYS_tkill, thread, 0) != 0 && errno == ESRCH;
    errno = saved_errno;
    return has_ended;
}

int process_open(const char *name)
{
    /* The second where a sandbox knows the files of processes alone. */
    static const char *const folders[] = { "/proc/thread-self/",
                                           "/proc/self/" };
    int descriptor = -1;
    for (int i = 0; i < 2 && descriptor < 0; i++) {
        char path[64];
        struct text text = text_in(path, sizeof path);
        text_string(&text, folders[i]);
        text_string(&text, name);
        descriptor = open(path, O_RDONLY | O_CLOEXEC);
    }
    return descriptor;
}

void process_thread_name(char name[16])
{
    int saved_errno = errno;
    memset(name, 0, 16);
    prctl(PR_GET_NAME, name);
    errno = saved_errno;
}

bool process_is_privileged(void)
{
    int saved_errno = errno;
    bool is_privileged = getauxval(AT_SECURE) != 0;
    errno = saved_errno;
    return is_privileged;
}

uint64_t process_secret(void)
{
    int saved_errno = errno;
    uint64_t secret = 0;
    if (getrandom(&secret, sizeof secret, GRND_NONBLOCK)
        != (ssize_t)sizeof secret) {
        /* The 16 random bytes that the kernel gives to each new program. */
        const void *random = (const void *)getauxval(AT_RANDOM);
        if (random != NULL) {
            memcpy(&secret, random, sizeof secret);
        }
    }
    errno = saved_errno;
    return secret;
}

_Noreturn void process_exit(int status)
{
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}

void process_set_default(int signal)
{
    int saved_errno = errno;
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigaction(signal, &action, NULL);
    errno = saved_errno;
}

_Noreturn void process_end_by(int signal)
{
    process_set_default(signal);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    syscall(SYS_tgkill, getpid(), process_thread_id(), signal);
    /* Only a debugger that swallows the signal leads here. */
    process_exit(128 + signal);
}

void process_trap(bool is_fatal)
{
    int saved_errno = errno;
    /* A tracer is told of an ignored signal too. */
    struct sigaction action = { .sa_handler = is_fatal ? SIG_DFL : SIG_IGN };
    struct sigaction before;
    sigset_t only;
    sigset_t mask;
    sigemptyset(&only);
    sigaddset(&only, SIGTRAP);
    bool is_set = sigaction(SIGTRAP, &action, &before) == 0;
    if (is_set && sigprocmask(SIG_UNBLOCK, &only, &mask) == 0) {
        syscall(SYS_tgkill, getpid(), process_thread_id(), SIGTRAP);
        sigprocmask(SIG_SETMASK, &mask, NULL);
    }
    if (is_set) {
        sigaction(SIGTRAP, &before, NULL);
    }
    errno = saved_errno;
}

int process_lowest_descriptor(void)
{
    enum { BELOW = 256, ROOM = 8 };
    int saved_errno = errno;
    struct rlimit limit;
    int lowest = BELOW - ROOM;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < BELOW) {
        lowest = limit.rlim_cur > ROOM ? (int)limit.rlim_cur - ROOM : 0;
    }
    errno = saved_errno;
    return lowest;
}

_Noreturn void process_wait_for_the_end(void)
{
    for (;;) {
        pause();
    }
}

void process_yield(void)
{
    int saved_errno = errno;
    struct timespec pause_time = { .tv_nsec = 1000000 };
    nanosleep(&pause_time, NULL);
    errno = saved_errno;
}

int process_begin_uncancelled(void)
{
    int state = PTHREAD_CANCEL_ENABLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    return state;
}

void process_end_uncancelled(int state)
{
    pthread_setcancelstate(state, NULL);
}
