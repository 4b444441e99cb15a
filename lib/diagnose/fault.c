/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fault path. Nothing here allocates, takes a lock that an allocation may
 * hold, or calls what is not async-signal-safe.
 *
 *   kernel -> on_signal()              our action: keeps siginfo and context
 *     -> the program's own handler     for what is none of ours
 *     -> on_report_stack()             256 KiB that nobody has overflowed
 *       -> libsigsegv's handler        SIGSEGV only
 *         -> on_fault(serious = 0)     -> sigsegv_dispatch() -> on_region()
 *         -> on_stack_overflow()       the main thread's stack
 *         -> on_fault(serious = 1)     all the rest
 *   each ends in report_fault(), or in the program, which has expected it
 *
 * Facts about libsigsegv 2.14 that shape this: its handler gets an address and
 * nothing else; a handler that declines is called a second time, then the
 * signal's default action is set and the instruction runs again, so that the
 * process dies by the signal at the culprit; it installs itself over any other
 * handler; its dispatcher's tree has no lock, so the region is registered
 * once, as one area, for life.
 */
#include "diagnose/fault.h"

#include "base/size.h"
#include "diagnose/classify.h"
#include "diagnose/expect.h"
#include "diagnose/report.h"
#include "os/context.h"
#include "os/others.h"
#include "os/pages.h"
#include "os/process.h"
#include "os/thread.h"
#include "os/userfault.h"
#include "record/describe.h"
#include "record/heap_walk.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sigsegv.h>
#include <stdatomic.h>
#include <string.h>

enum {
    REPORT_STACK_BYTES = 256 * 1024,
    /* The main thread's alternate stack; see os/thread.c for the others. */
    ALTERNATE_STACK_BYTES = 64 * 1024,
    /*
     * How far from the stack pointer an access can be for the stack to have
     * ended under it: a frame moves the pointer first and touches later, so
     * up to a large frame above it, and a little below.
     */
    FRAME_BYTES = 1024 * 1024,
    BELOW_BYTES = 64 * 1024,
    /* So many faults in a row on pages that are there, as when threads touch
     * a missing one at once, are no accident. */
    MOST_MENDED_BY_OTHERS = 1000,
    /* What the program sets is read by other threads' faults without a lock,
     * and overwritten when so many more have been set. */
    USER_ACTIONS = 64
};

/* What the program wants done with a signal. */
struct user_action {
    _Atomic(const struct sigaction *) action;
    _Atomic unsigned used;
    struct sigaction *actions;
};

/* Common symbols come last in memory, behind what each start touches. */
__attribute__((common)) struct sigaction fault_segv_actions[USER_ACTIONS];
__attribute__((common)) struct sigaction fault_bus_actions[USER_ACTIONS];

static struct {
    struct moat_state *state;
    bool has_user_handlers;
    bool is_installed;
    sigsegv_dispatcher dispatcher;
    /* libsigsegv's own action for SIGSEGV. */
    struct sigaction library;
    /* What the program had for SIGSEGV and SIGBUS. */
    struct user_action user_segv;
    struct user_action user_bus;
    uintptr_t report_stack_top;
} gate = {
    .user_segv = { .actions = fault_segv_actions },
    .user_bus = { .actions = fault_bus_actions },
};

/* The fault being reported; belongs to the report's owner. */
static struct {
    int signal;
    siginfo_t *info;
    ucontext_t *context;
    struct context_state state;
    struct classify_fault facts;
    bool is_reported;
    jmp_buf after_library;
} fault;

static bool is_stack_overflow(uintptr_t address, uintptr_t stack_pointer)
{
    bool is_near = address >= stack_pointer - BELOW_BYTES
                   && address - (stack_pointer - BELOW_BYTES)
                          < BELOW_BYTES + FRAME_BYTES;
    if (!is_near) {
        return false;
    }
    struct thread_stack stack = thread_stack_in_signal();
    if (stack.high == 0) {
        return true;
    }
    /* The guard area below the stack, or its first page. */
    return address < stack.low + pages_size();
}

static enum moat_access access_of(enum context_access access)
{
    switch (access) {
    case CONTEXT_ACCESS_READ:
        return MOAT_ACCESS_READ;
    case CONTEXT_ACCESS_WRITE:
        return MOAT_ACCESS_WRITE;
    default:
        return MOAT_ACCESS_UNKNOWN;
    }
}

/* Write the report and end the process; with abort_on_error, come back, so
 * that the caller declines and the signal ends it. */
static void report_fault(struct moat_finding *finding)
{
    const void *pc = (const void *)fault.state.program_counter;
    describe_self(gate.state, finding);
    finding->pc = pc;
    finding->stacks.fault
        = (struct moat_stack){ .frames = 1, .frame = { pc } };
    fault.is_reported = true;
    if (expect_is_open(fault.state.stack_pointer)) {
        expect_meet(finding, fault.state.stack_pointer);
    }
    report_write(finding);
    if (!report_must_abort() && finding->kind != MOAT_KIND_SEGV) {
        report_end_process();
    }
}

static void classify_and_report(bool is_stack_end)
{
    struct moat_finding finding;
    fault.facts.is_stack_end = is_stack_end;
    classify_fault(gate.state, &fault.facts, &finding);
    report_fault(&finding);
}

static int on_region(void *address, void *unused)
{
    (void)address;
    (void)unused;
    classify_and_report(false);
    return 0;
}

static void on_stack_overflow(int emergency, stackoverflow_context_t context)
{
    (void)emergency;
    (void)context;
    /*
     * libsigsegv calls for any address nearer to the stack than to what lies
     * below it, which may be terabytes away; the stack pointer decides.
     */
    if (!fault.is_reported
        && is_stack_overflow(fault.facts.address, fault.state.stack_pointer)) {
        classify_and_report(true);
    }
    /* This handler must not return. */
    _longjmp(fault.after_library, 1);
}

static void report_the_rest(void)
{
    if (!fault.is_reported) {
        /* Of a thread; or of the main one, where libsigsegv does not look at
         * its stack or could not find it. */
        classify_and_report(is_stack_overflow(fault.facts.address,
                                              fault.state.stack_pointer));
    }
}

static int on_fault(void *address, int serious)
{
    if (fault.is_reported) {
        return 0;
    }
    if (serious == 0) {
        return sigsegv_dispatch(&gate.dispatcher, address);
    }
    report_the_rest();
    return 0;
}

static void on_report_stack(void *unused)
{
    (void)unused;
    if (fault.signal == SIGSEGV) {
        if (_setjmp(fault.after_library) == 0) {
            gate.library.sa_sigaction(fault.signal, fault.info,
                                      fault.context);
            return;
        }
    } else if (region_contains(&gate.state->region, fault.facts.address)) {
        on_region(NULL, NULL);
    }
    report_the_rest();
    /* The instruction runs again, under the signal's default action. */
    process_set_default(fault.signal);
}

static struct user_action *user_action_of(int signal)
{
    return signal == SIGBUS ? &gate.user_bus : &gate.user_segv;
}

static struct sigaction get_user_action(struct user_action *user)
{
    const struct sigaction *action = atomic_load(&user->action);
    return action != NULL ? *action : (struct sigaction){ .sa_flags = 0 };
}

static struct sigaction exchange_user_action(struct user_action *user,
                                             const struct sigaction *wanted)
{
    struct sigaction *fresh
        = &user->actions[atomic_fetch_add(&user->used, 1) % USER_ACTIONS];
    *fresh = *wanted;
    const struct sigaction *before = atomic_exchange(&user->action, fresh);
    return before != NULL ? *before : (struct sigaction){ .sa_flags = 0 };
}

void fault_set_user_action(int signal, const struct sigaction *wanted,
                           struct sigaction *before)
{
    struct user_action *user = user_action_of(signal);
    struct sigaction was = wanted == NULL
                               ? get_user_action(user)
                               : exchange_user_action(user, wanted);
    if (before != NULL) {
        *before = was;
    }
}

static bool has_handler(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0
           || (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

/* Call the program's handler as the kernel would have. */
static void call_user_handler(struct sigaction user, int signal,
                              siginfo_t *info, void *context)
{
    sigset_t before;
    if (((unsigned)user.sa_flags & SA_RESETHAND) != 0) {
        struct sigaction none = { .sa_handler = SIG_DFL };
        exchange_user_action(user_action_of(signal), &none);
    }
    if ((user.sa_flags & SA_NODEFER) == 0) {
        sigaddset(&user.sa_mask, signal);
    }
    sigprocmask(SIG_BLOCK, &user.sa_mask, &before);
    if ((user.sa_flags & SA_SIGINFO) != 0) {
        user.sa_sigaction(signal, info, context);
    } else {
        user.sa_handler(signal);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* kill(pid, SIGSEGV) and the like: no instruction is to blame. */
static void pass_on_sent_signal(const struct sigaction *user, int signal,
                                siginfo_t *info, void *context)
{
    if (has_handler(user)) {
        call_user_handler(*user, signal, info, context);
    } else if (user->sa_handler == SIG_DFL) {
        process_end_by(signal);
    }
}

/*
 * With userfaultfd a page that the program has dropped, by madvise(), is not
 * filled again by the kernel: do it. Returns whether the instruction can run
 * again.
 */
static bool mend(int signal, uintptr_t address)
{
    static _Atomic unsigned mended_by_others;
    if (signal != SIGBUS
        || !classify_is_of_live_block(gate.state, address)) {
        return false;
    }
    int error = userfault_mend(size_round_down(address, pages_size()));
    if (error == EEXIST) {
        return mended_by_others++ < MOST_MENDED_BY_OTHERS;
    }
    mended_by_others = 0;
    return error == 0;
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    int saved_errno = errno;
    struct sigaction user = get_user_action(user_action_of(signal));
    if (info->si_code <= 0) {
        if (signal == SIGSEGV && others_meet(info, context)) {
            errno = saved_errno;
            return;
        }
        pass_on_sent_signal(&user, signal, info, context);
        errno = saved_errno;
        return;
    }
    struct context_state state = context_read(context);
    struct classify_fault facts = {
        .address = (uintptr_t)info->si_addr,
        .has_address = info->si_code != SI_KERNEL,
        .access = access_of(state.access),
    };
    bool is_ours = facts.has_address
                   && region_contains(&gate.state->region, facts.address);
    if (is_ours && mend(signal, facts.address)) {
        errno = saved_errno;
        return;
    }
    /* What it has done to the pages of its blocks, it may be waiting for. */
    bool is_its_own
        = !is_ours || heap_walk_is_altered(gate.state, facts.address);
    /*
     * A handler that did not ask for the alternate stack could not have run
     * on a stack that has ended.
     */
    bool could_run = (user.sa_flags & SA_ONSTACK) != 0 || !facts.has_address
                     || !is_stack_overflow(facts.address, state.stack_pointer);
    if (is_its_own && gate.has_user_handlers && has_handler(&user)
        && could_run && !expect_is_open(state.stack_pointer)) {
        call_user_handler(user, signal, info, context);
        errno = saved_errno;
        return;
    }
    report_claim();
    fault.signal = signal;
    fault.info = info;
    fault.context = context;
    fault.state = state;
    fault.facts = facts;
    fault.is_reported = false;
    context_call_on_stack(on_report_stack, NULL, gate.report_stack_top);
    /*
     * The process is about to die by the signal: this thread stays the owner,
     * and all others wait.
     */
    errno = saved_errno;
}

/* Two stacks in one mapping, each with a guard page below. */
static int map_stacks(uintptr_t *report_top, uintptr_t *alternate_top)
{
    uintptr_t start;
    size_t guard_bytes = pages_size();
    size_t report_bytes
        = guard_bytes + size_round_up(REPORT_STACK_BYTES, guard_bytes);
    size_t alternate_bytes
        = guard_bytes + size_round_up(ALTERNATE_STACK_BYTES, guard_bytes);
    int error = pages_map(report_bytes + alternate_bytes, "moat stacks",
                          &start);
    if (error == 0) {
        error = pages_deny(start, guard_bytes);
    }
    if (error == 0) {
        error = pages_deny(start + report_bytes, guard_bytes);
    }
    if (error == 0) {
        *report_top = start + report_bytes;
        *alternate_top = start + report_bytes + alternate_bytes;
    }
    return error;
}

/*
 * libsigsegv gives the calling thread an alternate stack; a program that has
 * one already keeps its own.
 */
static int install_library(void)
{
    uintptr_t alternate_top;
    int error = map_stacks(&gate.report_stack_top, &alternate_top);
    if (error != 0) {
        return error;
    }
    sigsegv_init(&gate.dispatcher);
    if (gate.state->region.bytes != 0) {
        sigsegv_register(&gate.dispatcher, (void *)gate.state->region.start,
                         gate.state->region.bytes, on_region, NULL);
    }
    stack_t before;
    bool had_stack = sigaltstack(NULL, &before) == 0
                     && (before.ss_flags & SS_DISABLE) == 0;
    void *alternate = (void *)(alternate_top - ALTERNATE_STACK_BYTES);
    /* Without it (no /proc to find the stack's end in, or the preload library,
     * which saves the time) report_the_rest() looks at that stack too. */
    stackoverflow_install_handler(on_stack_overflow, alternate,
                                  ALTERNATE_STACK_BYTES);
    if (had_stack) {
        sigaltstack(&before, NULL);
    }
    if (sigsegv_install_handler(on_fault) != 0
        || sigaction(SIGSEGV, NULL, &gate.library) != 0) {
        return ENOSYS;
    }
    return 0;
}

/* Put our action in front, and keep what was there unless it is ours. */
static int install(int signal)
{
    struct sigaction before;
    struct sigaction action = {
        .sa_sigaction = on_signal,
        /*
         * Not deferred: a fault while the signal is blocked ends the process
         * without a word, and ours has one to say. Restarted: a thread that
         * was stopped for a while (os/others.h) need not know.
         */
        .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART,
    };
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, &action, &before) != 0) {
        return errno;
    }
    bool is_ours = (before.sa_flags & SA_SIGINFO) != 0
                   && before.sa_sigaction == on_signal;
    struct user_action *user = user_action_of(signal);
    if (!is_ours && gate.has_user_handlers
        && (user->action != NULL || has_handler(&before)
            || before.sa_handler == SIG_IGN)) {
        exchange_user_action(user, &before);
    }
    return 0;
}

bool fault_is_caught(void)
{
    int saved_errno = errno;
    struct sigaction present;
    bool is_caught = sigaction(SIGSEGV, NULL, &present) == 0
                     && (present.sa_flags & SA_SIGINFO) != 0
                     && present.sa_sigaction == on_signal;
    errno = saved_errno;
    return is_caught;
}

int fault_catch(struct moat_state *state, bool has_user_handlers)
{
    int saved_errno = errno;
    int error = 0;
    gate.state = state;
    gate.has_user_handlers = has_user_handlers;
    if (!gate.is_installed) {
        struct sigaction user;
        if (sigaction(SIGSEGV, NULL, &user) != 0) {
            error = errno;
        }
        if (error == 0) {
            error = install_library();
        }
        if (error == 0) {
            /* Back to what the program had, for install() to find. */
            sigaction(SIGSEGV, &user, NULL);
            gate.is_installed = true;
        }
    }
    if (error == 0) {
        error = install(SIGSEGV);
    }
    if (error == 0) {
        error = install(SIGBUS);
    }
    errno = saved_errno;
    return error;
}
