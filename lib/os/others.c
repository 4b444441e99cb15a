/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stopping threads; see others.h. */
#include "os/others.h"

#include "base/size.h"
#include "os/context.h"
#include "os/pages.h"
#include "os/process.h"
#include "os/tasks.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Of a value of Moat's own; above it stands the number of the stop. */
    MAGIC = 0x4d6f6174,
    /* New threads may come while they are being stopped. */
    ROOM_FOR_NEW = 64,
    WAIT_MS = 5,
    /* So often a thread that cannot hear at the moment is looked at. */
    PATIENCE = 50,
    MOST_MS = 2000,
    MASK_BYTES = 8
};

enum stage {
    STAGE_ASKED = 1,
    STAGE_STOPPED = 2,
    /* It goes on: ended, deaf, or too slow. */
    STAGE_LEFT_OUT = 3
};

struct asked {
    int task;
    /* How often it could not hear. */
    int deaf;
    _Atomic uint32_t stage;
    struct other other;
};

/*
 * A thread may come to the handler long after it was asked to. So the table
 * stays mapped for good, and a larger one replaces it without unmapping it.
 */
static struct {
    _Atomic(struct asked *) table;
    size_t capacity;
    _Atomic size_t count;
    /* The number of this stop while there is one, else 0. */
    _Atomic uint32_t present;
    uint32_t last;
    _Atomic uint32_t arrived;
    /* Of the caller. */
    uint64_t mask;
    int cancelling;
} stop;

static void futex_wait(_Atomic uint32_t *word, uint32_t value,
                       const struct timespec *time)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, time, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int most)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

/* The kernel's call: libc's keeps two signals of its own out of it. */
static void set_mask(const uint64_t *wanted, uint64_t *before)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, wanted, before, MASK_BYTES);
}

static uint64_t bit_of(int signal)
{
    return (uint64_t)1 << (signal - 1);
}

static struct asked *find(int task)
{
    struct asked *table = atomic_load(&stop.table);
    size_t count = atomic_load(&stop.count);
    for (size_t i = 0; table != NULL && i < count; i++) {
        if (table[i].task == task) {
            return &table[i];
        }
    }
    return NULL;
}

static void note_where(struct other *other, const ucontext_t *context)
{
    other->stack_pointer = context_read(context).stack_pointer;
    other->context = context;
    other->stack = thread_stack_in_signal();
    other->storage = thread_storage();
    if ((context->uc_stack.ss_flags & SS_DISABLE) == 0) {
        other->alternate.low = (uintptr_t)context->uc_stack.ss_sp;
        other->alternate.high
            = other->alternate.low + context->uc_stack.ss_size;
    }
}

static void wait_for_the_end(uint32_t number)
{
    while (atomic_load(&stop.present) == number) {
        futex_wait(&stop.present, number, NULL);
    }
}

static uint64_t value_of(const siginfo_t *info)
{
    return (uint64_t)(uintptr_t)info->si_value.sival_ptr;
}

static bool is_of_a_stop(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && (uint32_t)value_of(info) == MAGIC;
}

/* Where there is no memory for it, the kernel loses the value. */
static bool may_be_of_a_stop(const siginfo_t *info)
{
    return info->si_code == SI_USER && info->si_pid == 0;
}

/* Who was asked twice has the signal pending: it must not come when there is
 * no stop any more. */
static void forget_pending(void)
{
    uint64_t only = bit_of(SIGSEGV);
    struct timespec none = { .tv_sec = 0 };
    siginfo_t info;
    if (syscall(SYS_rt_sigtimedwait, &only, &info, &none, MASK_BYTES)
            == SIGSEGV
        && !is_of_a_stop(&info) && !may_be_of_a_stop(&info)) {
        /* Another one, which is the program's. */
        syscall(SYS_rt_tgsigqueueinfo, process_id(), process_thread_id(),
                SIGSEGV, &info);
    }
}

bool others_meet(const siginfo_t *info, const ucontext_t *context)
{
    bool is_ours = is_of_a_stop(info);
    bool may_be_ours = may_be_of_a_stop(info);
    uint32_t number = atomic_load(&stop.present);
    struct asked *self = NULL;
    if (number != 0 && (may_be_ours || value_of(info) >> 32 == number)) {
        self = find(process_thread_id());
    }
    if (!is_ours && (!may_be_ours || self == NULL)) {
        return false;
    }
    uint64_t all = UINT64_MAX;
    set_mask(&all, NULL);
    uint32_t asked = STAGE_ASKED;
    if (self == NULL || atomic_load(&self->stage) != asked) {
        /* Too late; or asked twice. */
        return true;
    }
    note_where(&self->other, context);
    if (atomic_compare_exchange_strong(&self->stage, &asked,
                                       STAGE_STOPPED)) {
        atomic_fetch_add(&stop.arrived, 1);
        futex_wake(&stop.arrived, 1);
        wait_for_the_end(number);
        forget_pending();
    }
    return true;
}

/* Milliseconds of a clock that nobody sets. */
static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A thread that has the signal blocked would get it too late. */
static void ask(int task, const struct task_status *status)
{
    if ((status->blocked & bit_of(SIGSEGV)) != 0) {
        return;
    }
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGSEGV;
    info.si_code = SI_QUEUE;
    info.si_pid = process_id();
    info.si_value.sival_ptr
        = (void *)(uintptr_t)((uint64_t)stop.last << 32 | MAGIC);
    syscall(SYS_rt_tgsigqueueinfo, process_id(), task, SIGSEGV, &info);
}

/* What goes on while threads are being stopped. */
struct round {
    int self;
    bool is_caught;
    /* Threads that were not known before. */
    size_t fresh;
    /* There was no room for them. */
    size_t lost;
    int64_t started;
};

static bool meet_task(int task, void *context)
{
    struct round *round = context;
    size_t count = atomic_load(&stop.count);
    if (task == round->self || find(task) != NULL) {
        return true;
    }
    struct task_status status;
    if (!tasks_status(task, &status) || status.has_ended) {
        return true;
    }
    if (count == stop.capacity) {
        round->lost++;
        return true;
    }
    struct asked *asked = &atomic_load(&stop.table)[count];
    memset(&asked->other, 0, sizeof asked->other);
    asked->task = task;
    asked->deaf = 0;
    atomic_store(&asked->stage,
                 round->is_caught ? STAGE_ASKED : STAGE_LEFT_OUT);
    atomic_store(&stop.count, count + 1);
    round->fresh++;
    if (round->is_caught) {
        ask(task, &status);
    }
    return true;
}

/* Ask again who has not come; false: it is not to be waited for. */
static bool ask_again(struct asked *asked)
{
    struct task_status status;
    if (!tasks_status(asked->task, &status) || status.has_ended) {
        return false;
    }
    bool is_deaf = status.is_out_of_reach
                   || (status.blocked & bit_of(SIGSEGV)) != 0;
    asked->deaf = is_deaf ? asked->deaf + 1 : 0;
    ask(asked->task, &status);
    return asked->deaf < PATIENCE;
}

/* A signal that was pending before may have stood in for ours. */
static void ask_all_again(bool is_too_late)
{
    struct asked *table = atomic_load(&stop.table);
    for (size_t i = 0; i < atomic_load(&stop.count); i++) {
        uint32_t asked = STAGE_ASKED;
        if (atomic_load(&table[i].stage) == asked
            && (is_too_late || !ask_again(&table[i]))) {
            atomic_compare_exchange_strong(&table[i].stage, &asked,
                                           STAGE_LEFT_OUT);
        }
    }
}

static bool has_all(void)
{
    struct asked *table = atomic_load(&stop.table);
    for (size_t i = 0; i < atomic_load(&stop.count); i++) {
        if (atomic_load(&table[i].stage) == STAGE_ASKED) {
            return false;
        }
    }
    return true;
}

/* Wait for those that were asked. */
static void wait_for_all(int64_t started)
{
    int64_t last = now();
    for (;;) {
        uint32_t arrived = atomic_load(&stop.arrived);
        if (has_all()) {
            return;
        }
        struct timespec time = { .tv_nsec = WAIT_MS * 1000000 };
        futex_wait(&stop.arrived, arrived, &time);
        if (now() - last >= WAIT_MS) {
            last = now();
            ask_all_again(last - started > MOST_MS);
        }
    }
}

static bool count_task(int task, void *count)
{
    (void)task;
    (*(size_t *)count)++;
    return true;
}

static int make_room(void)
{
    size_t needed = ROOM_FOR_NEW;
    int error = tasks_each(count_task, &needed);
    if (error != 0 || needed <= stop.capacity) {
        return error;
    }
    uintptr_t start;
    size_t bytes = size_round_up(2 * needed * sizeof(struct asked),
                                 pages_size());
    error = pages_map(bytes, "moat threads", &start);
    if (error == 0) {
        atomic_store(&stop.table, (struct asked *)start);
        stop.capacity = bytes / sizeof(struct asked);
    }
    return error;
}

static size_t count_left_out(void)
{
    struct asked *table = atomic_load(&stop.table);
    size_t left_out = 0;
    for (size_t i = 0; i < atomic_load(&stop.count); i++) {
        struct task_status status;
        left_out += atomic_load(&table[i].stage) == STAGE_LEFT_OUT
                    && tasks_status(table[i].task, &status)
                    && !status.has_ended;
    }
    return left_out;
}

static void begin(void)
{
    uint64_t mask = ~(bit_of(SIGSEGV) | bit_of(SIGBUS) | bit_of(SIGILL)
                      | bit_of(SIGFPE) | bit_of(SIGTRAP));
    stop.cancelling = process_begin_uncancelled();
    set_mask(&mask, &stop.mask);
}

static void end(void)
{
    set_mask(&stop.mask, NULL);
    process_end_uncancelled(stop.cancelling);
}

int others_stop(bool is_caught, size_t *left_out)
{
    int saved_errno = errno;
    begin();
    atomic_store(&stop.count, 0);
    int error = make_room();
    if (error != 0) {
        end();
        errno = saved_errno;
        return error;
    }
    struct round round = { .self = process_thread_id(),
                           .is_caught = is_caught,
                           .started = now() };
    stop.last = stop.last == UINT32_MAX ? 1 : stop.last + 1;
    atomic_store(&stop.arrived, 0);
    atomic_store(&stop.present, stop.last);
    /* Threads that are not stopped yet may have made others. */
    do {
        round.fresh = 0;
        round.lost = 0;
        tasks_each(meet_task, &round);
        wait_for_all(round.started);
    } while (round.fresh != 0 && now() - round.started < MOST_MS);
    *left_out = count_left_out() + round.lost;
    errno = saved_errno;
    return 0;
}

size_t others_count(void)
{
    return atomic_load(&stop.count);
}

const struct other *others_at(size_t place)
{
    struct asked *asked = &atomic_load(&stop.table)[place];
    return atomic_load(&asked->stage) == STAGE_STOPPED ? &asked->other : NULL;
}

void others_go_on(void)
{
    int saved_errno = errno;
    atomic_store(&stop.present, 0);
    futex_wake(&stop.present, INT32_MAX);
    end();
    errno = saved_errno;
}
