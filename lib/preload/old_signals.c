/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What System V and BSD had for signals: glibc's own versions would set
 * handlers and masks without asking Moat.
 */

/* The header's sigpause() is __xpg_sigpause(), and not the function of that
 * name. */
#define sigpause sigpause_of_the_header
#include "preload/mask.h"
#include "preload/preload.h"
#include "preload/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#undef sigpause

/* Of BSD; glibc 2.21 took it out of its header. */
struct sigvec {
    void (*sv_handler)(int);
    int sv_mask;
    int sv_flags;
};

enum {
    SIGVEC_ONSTACK = 1,
    SIGVEC_INTERRUPT = 2,
    SIGVEC_RESETHAND = 4,
    /* A mask of BSD is an int. */
    SIGNALS_OF_A_MASK = 32
};

int sigvec(int number, const struct sigvec *wanted, struct sigvec *before);
int sigpause(int mask);
int __sigpause(int signal_or_mask, int is_signal);
int __xpg_sigpause(int number);

static void set_of(sigset_t *set, int mask)
{
    sigemptyset(set);
    for (int i = 0; i < SIGNALS_OF_A_MASK; i++) {
        if (((unsigned)mask >> i & 1) != 0) {
            sigaddset(set, i + 1);
        }
    }
}

static int mask_of(const sigset_t *set)
{
    unsigned mask = 0;
    for (int i = 0; i < SIGNALS_OF_A_MASK; i++) {
        if (sigismember(set, i + 1) == 1) {
            mask |= 1U << i;
        }
    }
    return (int)mask;
}

PRELOAD_API sighandler_t sigset(int number, sighandler_t handler)
{
    struct sigaction action = { .sa_handler = handler };
    struct sigaction before;
    sigset_t mask;
    bool holds = handler == SIG_HOLD;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (signals_act(number, holds ? NULL : &action, &before) != 0
        || mask_change_one(holds ? SIG_BLOCK : SIG_UNBLOCK, number, &mask)
               != 0) {
        return SIG_ERR;
    }
    return sigismember(&mask, number) == 1 ? SIG_HOLD : before.sa_handler;
}

PRELOAD_API int sigvec(int number, const struct sigvec *wanted,
                       struct sigvec *before)
{
    struct sigaction action = { .sa_flags = 0 };
    struct sigaction was;
    if (wanted != NULL) {
        unsigned flags = (unsigned)wanted->sv_flags;
        action.sa_handler = wanted->sv_handler;
        set_of(&action.sa_mask, wanted->sv_mask);
        action.sa_flags
            = (int)(((flags & SIGVEC_ONSTACK) != 0 ? SA_ONSTACK : 0)
                    | ((flags & SIGVEC_INTERRUPT) == 0 ? SA_RESTART : 0)
                    | ((flags & SIGVEC_RESETHAND) != 0 ? SA_RESETHAND : 0));
    }
    if (signals_act(number, wanted == NULL ? NULL : &action, &was) != 0) {
        return -1;
    }
    if (before != NULL) {
        unsigned flags = (unsigned)was.sa_flags;
        before->sv_handler = was.sa_handler;
        before->sv_mask = mask_of(&was.sa_mask);
        before->sv_flags
            = ((flags & SA_ONSTACK) != 0 ? SIGVEC_ONSTACK : 0)
              | ((flags & SA_RESTART) == 0 ? SIGVEC_INTERRUPT : 0)
              | ((flags & SA_RESETHAND) != 0 ? SIGVEC_RESETHAND : 0);
    }
    return 0;
}

static int change_mask(int how, int mask)
{
    sigset_t set;
    sigset_t before;
    set_of(&set, mask);
    return mask_change(how, &set, &before) == 0 ? mask_of(&before) : -1;
}

PRELOAD_API int sigblock(int mask)
{
    return change_mask(SIG_BLOCK, mask);
}

PRELOAD_API int sigsetmask(int mask)
{
    return change_mask(SIG_SETMASK, mask);
}

PRELOAD_API int siggetmask(void)
{
    return change_mask(SIG_BLOCK, 0);
}

PRELOAD_API int sigpause(int mask)
{
    sigset_t set;
    set_of(&set, mask);
    return sigsuspend(&set);
}

PRELOAD_API int __xpg_sigpause(int number)
{
    sigset_t set;
    if (mask_change(SIG_BLOCK, NULL, &set) != 0
        || sigdelset(&set, number) != 0) {
        return -1;
    }
    return sigsuspend(&set);
}

PRELOAD_API int __sigpause(int signal_or_mask, int is_signal)
{
    return is_signal != 0 ? __xpg_sigpause(signal_or_mask)
                          : sigpause(signal_or_mask);
}
