/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signals NAME: a program that does something with SIGSEGV, SIGBUS or signal
 * masks. Exit status 0 when all is as it would be without Moat; those named
 * crime_* commit one in spite of what they have done, and are to be reported.
 */
#include "tests/support/play.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/wait.h>

static sigjmp_buf way_back;
static volatile sig_atomic_t handled;
static volatile char sink;

static void go_back(int number)
{
    handled++;
    siglongjmp(way_back, number);
}

static void count(int number)
{
    (void)number;
    handled++;
}

static void overflow(void)
{
    volatile char *block = allocate(32);
    block[32] = 'x';
}

static char *no_access(void)
{
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);
    MUST(page != MAP_FAILED);
    return page;
}

static void a_handler_gets_the_programs_own_faults(void)
{
    volatile char *page = no_access();
    MUST(signal(SIGSEGV, go_back) == SIG_DFL);
    if (sigsetjmp(way_back, 1) == 0) {
        page[0] = 'x';
    }
    MUST(handled == 1);
    if (sigsetjmp(way_back, 1) == 0) {
        sink = page[1];
    }
    MUST(handled == 2);
    MUST(signal(SIGSEGV, SIG_DFL) == go_back);
}

static void a_handler_is_read_back(void)
{
    struct sigaction action = { .sa_handler = count, .sa_flags = SA_ONSTACK };
    struct sigaction before;
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaddset(&action.sa_mask, SIGSEGV);
    for (int i = 0; i < 2; i++) {
        int number = i == 0 ? SIGBUS : SIGUSR2;
        MUST(sigaction(number, &action, &before) == 0);
        MUST(before.sa_handler == SIG_DFL);
        MUST(sigaction(number, NULL, &before) == 0);
        MUST(before.sa_handler == count);
        MUST((before.sa_flags & SA_ONSTACK) != 0);
        MUST(sigismember(&before.sa_mask, SIGUSR1) == 1);
        MUST(sigismember(&before.sa_mask, SIGSEGV) == 1);
        MUST(sigismember(&before.sa_mask, SIGBUS) == 0);
    }
    errno = 0;
    MUST(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
    MUST(sigaction(1000, &action, NULL) == -1 && errno == EINVAL);
    MUST(signal(SIGSEGV, SIG_ERR) == SIG_ERR);
}

static void a_handler_is_reset_if_it_shall_be(void)
{
    struct sigaction action = { .sa_handler = go_back,
                                .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
    volatile char *page = no_access();
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(way_back, 1) == 0) {
        page[0] = 'x';
    }
    MUST(handled == 1);
    sigaction(SIGSEGV, NULL, &action);
    MUST(action.sa_handler == SIG_DFL);
}

static void a_signal_that_is_sent_is_handled(void)
{
    signal(SIGSEGV, count);
    raise(SIGSEGV);
    kill(getpid(), SIGSEGV);
    MUST(handled == 2);
    signal(SIGBUS, SIG_IGN);
    raise(SIGBUS);
    MUST(handled == 2);
}

static void crime_outside_of_moat_in_a_child(void)
{
    int status;
    volatile char *page = no_access();
    pid_t child = fork();
    if (child == 0) {
        fclose(stderr);
        page[0] = 'x';
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void a_mask_is_read_back(void)
{
    sigset_t all;
    sigset_t set;
    sigfillset(&all);
    MUST(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    MUST(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
    MUST(sigismember(&set, SIGSEGV) == 1 && sigismember(&set, SIGBUS) == 1);
    MUST(sigismember(&set, SIGUSR1) == 1);
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, NULL, &set) == 0);
    MUST(sigismember(&set, SIGSEGV) == 1 && sigismember(&set, SIGBUS) == 0);
    sigemptyset(&set);
    MUST(sigprocmask(SIG_SETMASK, &set, &all) == 0);
    MUST(sigismember(&all, SIGSEGV) == 1 && sigismember(&all, SIGBUS) == 0);
    MUST(sigprocmask(SIG_SETMASK, NULL, &all) == 0);
    MUST(sigismember(&all, SIGSEGV) == 0);
    errno = 0;
    MUST(sigprocmask(77, &set, NULL) == -1 && errno == EINVAL);
    MUST(pthread_sigmask(77, &set, NULL) == EINVAL);
}

static void *look_at_mask(void *unused)
{
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    MUST(sigismember(&set, SIGSEGV) == 1);
    MUST(sigismember(&set, SIGUSR1) == 1);
    return unused;
}

static void a_thread_inherits_the_mask(void)
{
    sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    MUST(pthread_create(&thread, NULL, look_at_mask, NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void waiting_calls_take_a_mask(void)
{
    struct timespec at_once = { .tv_sec = 0 };
    sigset_t set;
    sigset_t none;
    sigfillset(&set);
    sigemptyset(&none);
    MUST(ppoll(NULL, 0, &at_once, &set) == 0);
    MUST(pselect(0, NULL, NULL, NULL, &at_once, &set) == 0);
    signal(SIGUSR1, count);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    MUST(handled == 0);
    MUST(sigsuspend(&none) == -1 && errno == EINTR && handled == 1);
    raise(SIGUSR1);
    MUST(ppoll(NULL, 0, NULL, &none) == -1 && errno == EINTR && handled == 2);
}

/* The function sigpause() of BSD, which the header hides, and sigvec(), which
 * it lacks. */
struct old_vector {
    void (*handler)(int);
    int mask;
    int flags;
};
int old_sigvec(int number, const struct old_vector *wanted,
               struct old_vector *before);
int old_sigpause(int mask);
__asm__(".symver old_sigvec, sigvec@GLIBC_2.2.5");
__asm__(".symver old_sigpause, sigpause@GLIBC_2.2.5");

enum { OLD_USR1 = 1 << (SIGUSR1 - 1), OLD_SEGV = 1 << (SIGSEGV - 1) };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void the_signals_of_system_v(void)
{
    volatile char *page = no_access();
    MUST(sigset(SIGSEGV, go_back) == SIG_DFL);
    if (sigsetjmp(way_back, 1) == 0) {
        page[0] = 'x';
    }
    MUST(handled == 1);
    MUST(sigset(SIGSEGV, SIG_HOLD) == go_back);
    MUST(sigset(SIGSEGV, SIG_DFL) == SIG_HOLD);
    MUST(sigset(SIGSEGV, SIG_DFL) == SIG_DFL);
    errno = 0;
    MUST(sigset(SIGKILL, go_back) == SIG_ERR && errno == EINVAL);
    MUST(sigignore(SIGBUS) == 0);
    raise(SIGBUS);
    signal(SIGUSR1, count);
    MUST(sighold(SIGUSR1) == 0);
    raise(SIGUSR1);
    MUST(handled == 1);
    MUST(sigpause(SIGUSR1) == -1 && errno == EINTR && handled == 2);
    raise(SIGUSR1);
    MUST(handled == 2);
    MUST(sigrelse(SIGUSR1) == 0 && handled == 3);
}

static void the_signals_of_bsd(void)
{
    struct old_vector vector = { .handler = count, .mask = OLD_USR1 };
    struct old_vector before;
    MUST(old_sigvec(SIGSEGV, &vector, &before) == 0);
    MUST(before.handler == SIG_DFL);
    MUST(old_sigvec(SIGSEGV, NULL, &before) == 0);
    MUST(before.handler == count && before.mask == OLD_USR1);
    MUST(before.flags == 0);
    raise(SIGSEGV);
    MUST(handled == 1);
    signal(SIGUSR1, count);
    MUST(sigblock(OLD_USR1 | OLD_SEGV) == 0);
    MUST(siggetmask() == (OLD_USR1 | OLD_SEGV));
    raise(SIGUSR1);
    MUST(handled == 1);
    MUST(old_sigpause(0) == -1 && errno == EINTR && handled == 2);
    MUST(sigsetmask(0) == (OLD_USR1 | OLD_SEGV));
    MUST(sigsetmask(0) == 0);
}

static void crime_after_old_calls(void)
{
    struct old_vector vector = { .handler = count };
    sigset(SIGSEGV, go_back);
    sigset(SIGBUS, go_back);
    old_sigvec(SIGSEGV, &vector, NULL);
    old_sigvec(SIGBUS, &vector, NULL);
    sighold(SIGSEGV);
    sigset(SIGBUS, SIG_HOLD);
    sigblock(~0);
    sigsetmask(~0);
    overflow();
}

static void overflow_and_go_on(int number)
{
    (void)number;
    overflow();
}

static void crime_in_a_handler_while_paused(void)
{
    signal(SIGUSR1, overflow_and_go_on);
    sigblock(OLD_USR1);
    raise(SIGUSR1);
    old_sigpause(~OLD_USR1);
}
#pragma GCC diagnostic pop

static void *look_at_attributes_mask(void *unused)
{
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    MUST(sigismember(&set, SIGBUS) == 1 && sigismember(&set, SIGSEGV) == 0);
    return unused;
}

static void attributes_hold_a_mask(void)
{
    sigset_t set;
    sigset_t read_back;
    pthread_t thread;
    pthread_attr_t attributes;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    pthread_attr_init(&attributes);
    MUST(pthread_attr_setsigmask_np(&attributes, &set) == 0);
    MUST(pthread_attr_getsigmask_np(&attributes, &read_back) == 0);
    MUST(sigismember(&read_back, SIGBUS) == 1);
    MUST(pthread_create(&thread, &attributes, look_at_attributes_mask, NULL)
         == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void *overflow_in_thread(void *unused)
{
    overflow();
    return unused;
}

static void crime_in_a_thread_whose_attributes_block_all(void)
{
    sigset_t all;
    pthread_t thread;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    MUST(pthread_attr_setsigmask_np(&attributes, &all) == 0);
    pthread_create(&thread, &attributes, overflow_in_thread, NULL);
    pthread_join(thread, NULL);
}

/* Each waits with all blocked but SIGUSR1, whose handler commits the crime. */
static void crime_in_a_handler_while_waiting(int (*wait)(const sigset_t *))
{
    sigset_t set;
    signal(SIGUSR1, overflow_and_go_on);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    sigfillset(&set);
    sigdelset(&set, SIGUSR1);
    wait(&set);
}

static int wait_by_ppoll(const sigset_t *set)
{
    return ppoll(NULL, 0, NULL, set);
}

int __ppoll_chk(struct pollfd *files, nfds_t count,
                const struct timespec *time, const sigset_t *set,
                size_t file_bytes);

static int wait_by_checked_ppoll(const sigset_t *set)
{
    return __ppoll_chk(NULL, 0, NULL, set, 0);
}

static int wait_by_pselect(const sigset_t *set)
{
    return pselect(0, NULL, NULL, NULL, NULL, set);
}

static int wait_by_epoll(const sigset_t *set)
{
    struct epoll_event event;
    return epoll_pwait(epoll_create1(0), &event, 1, -1, set);
}

static int wait_by_epoll_pwait2(const sigset_t *set)
{
    struct epoll_event event;
    return epoll_pwait2(epoll_create1(0), &event, 1, NULL, set);
}

static void crime_while_in_ppoll(void)
{
    crime_in_a_handler_while_waiting(wait_by_ppoll);
}

static void crime_while_in_checked_ppoll(void)
{
    crime_in_a_handler_while_waiting(wait_by_checked_ppoll);
}

static void crime_while_in_pselect(void)
{
    crime_in_a_handler_while_waiting(wait_by_pselect);
}

static void crime_while_in_sigsuspend(void)
{
    crime_in_a_handler_while_waiting(sigsuspend);
}

static void crime_while_in_epoll_pwait(void)
{
    crime_in_a_handler_while_waiting(wait_by_epoll);
}

static void crime_while_in_epoll_pwait2(void)
{
    crime_in_a_handler_while_waiting(wait_by_epoll_pwait2);
}

static void crime_after_a_handler(void)
{
    signal(SIGSEGV, go_back);
    signal(SIGBUS, go_back);
    overflow();
}

static void crime_after_ignoring(void)
{
    signal(SIGSEGV, SIG_IGN);
    signal(SIGBUS, SIG_IGN);
    overflow();
}

static void crime_with_all_blocked(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    overflow();
}

static void overflow_in_handler(int number)
{
    (void)number;
    overflow();
}

static void crime_in_a_handler_that_blocks_all(void)
{
    struct sigaction action = { .sa_handler = overflow_in_handler };
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void *overflow_with_all_blocked(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    overflow();
    return unused;
}

static void crime_in_a_thread_that_blocks_all(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, overflow_with_all_blocked, NULL);
    pthread_join(thread, NULL);
}

static void crime_in_a_program_that_inherits_a_mask(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    execl("/proc/self/exe", "signals", "crime_after_a_handler", (char *)NULL);
}

static int recurse(volatile char *above)
{
    volatile char frame[1024];
    frame[0] = above == NULL ? 1 : above[0];
    return frame[0] != 0 ? recurse(frame) + frame[0] : 0;
}

static void *recurse_in_thread(void *unused)
{
    sink = (char)recurse(NULL);
    return unused;
}

static void crime_without_end_in_a_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, recurse_in_thread, NULL);
    pthread_join(thread, NULL);
}

static const struct play plays[] = {
    PLAY(a_handler_gets_the_programs_own_faults),
    PLAY(a_handler_is_read_back),
    PLAY(a_handler_is_reset_if_it_shall_be),
    PLAY(a_mask_is_read_back),
    PLAY(a_signal_that_is_sent_is_handled),
    PLAY(a_thread_inherits_the_mask),
    PLAY(attributes_hold_a_mask),
    PLAY(crime_after_a_handler),
    PLAY(crime_after_ignoring),
    PLAY(crime_after_old_calls),
    PLAY(crime_in_a_handler_that_blocks_all),
    PLAY(crime_in_a_handler_while_paused),
    PLAY(crime_in_a_program_that_inherits_a_mask),
    PLAY(crime_in_a_thread_that_blocks_all),
    PLAY(crime_in_a_thread_whose_attributes_block_all),
    PLAY(crime_outside_of_moat_in_a_child),
    PLAY(crime_while_in_checked_ppoll),
    PLAY(crime_while_in_epoll_pwait),
    PLAY(crime_while_in_epoll_pwait2),
    PLAY(crime_while_in_ppoll),
    PLAY(crime_while_in_pselect),
    PLAY(crime_while_in_sigsuspend),
    PLAY(crime_with_all_blocked),
    PLAY(crime_without_end_in_a_thread),
    PLAY(the_signals_of_bsd),
    PLAY(the_signals_of_system_v),
    PLAY(waiting_calls_take_a_mask),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
