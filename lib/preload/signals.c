/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signal handlers: those of the program for SIGSEGV and SIGBUS stand behind
 * Moat's, and get the faults that are none of Moat's (diagnose/fault.h). The
 * program reads back what it has set.
 */
#include "api/faults.h"
#include "preload/mask.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "preload/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

/* The same under other names. */
int __sigaction(int number, const struct sigaction *wanted,
                struct sigaction *before);
sighandler_t bsd_signal(int number, sighandler_t handler);
sighandler_t __sysv_signal(int number, sighandler_t handler);

/* For each signal, what of its mask is kept from the kernel: a fault while
 * its signal is blocked would end the process without a report. */
static _Atomic unsigned char kept_back[NSIG];

static bool is_number(int number)
{
    return number > 0 && number < NSIG;
}

static bool is_fault(int number)
{
    return number == SIGSEGV || number == SIGBUS;
}

int signals_act(int number, const struct sigaction *wanted,
                struct sigaction *before)
{
    struct sigaction filtered;
    unsigned char bits = 0;
    if (is_fault(number)) {
        return faults_set_action(number, wanted, before);
    }
    if (wanted != NULL) {
        filtered = *wanted;
        bits = (unsigned char)mask_filter(&filtered.sa_mask);
    }
    int result
        = next_sigaction(number, wanted == NULL ? NULL : &filtered, before);
    if (result == 0 && is_number(number)) {
        unsigned char bits_before
            = wanted == NULL ? kept_back[number]
                             : atomic_exchange(&kept_back[number], bits);
        if (before != NULL) {
            mask_restore(&before->sa_mask, bits_before);
        }
    }
    return result;
}

PRELOAD_API int sigaction(int number, const struct sigaction *wanted,
                          struct sigaction *before)
{
    return signals_act(number, wanted, before);
}

PRELOAD_API int __sigaction(int number, const struct sigaction *wanted,
                            struct sigaction *before)
{
    return signals_act(number, wanted, before);
}

/* One that has no mask; FLAGS as sigaction() has them. */
static sighandler_t set_handler(int number, sighandler_t handler, int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    struct sigaction before;
    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    if (signals_act(number, &action, &before) != 0) {
        return SIG_ERR;
    }
    return before.sa_handler;
}

static sighandler_t set_for_good(int number, sighandler_t handler)
{
    return is_fault(number) ? set_handler(number, handler, SA_RESTART)
                            : next_signal(number, handler);
}

static sighandler_t set_once(int number, sighandler_t handler)
{
    return set_handler(number, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

PRELOAD_API sighandler_t signal(int number, sighandler_t handler)
{
    return set_for_good(number, handler);
}

PRELOAD_API sighandler_t bsd_signal(int number, sighandler_t handler)
{
    return set_for_good(number, handler);
}

PRELOAD_API sighandler_t ssignal(int number, sighandler_t handler)
{
    return set_for_good(number, handler);
}

PRELOAD_API sighandler_t sysv_signal(int number, sighandler_t handler)
{
    return set_once(number, handler);
}

PRELOAD_API sighandler_t __sysv_signal(int number, sighandler_t handler)
{
    return set_once(number, handler);
}

PRELOAD_API int sigignore(int number)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    return signals_act(number, &ignore, NULL);
}
