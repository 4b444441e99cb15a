/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processes NAME: a program that closes what it did not open, or makes children
 * in unusual ways, and then uses a freed block: to be reported. Those that do
 * not start with crime_ are to be as they would be without Moat.
 */
#include "tests/support/play.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static volatile char sink;
static __thread char *volatile freed;

static void free_one(void)
{
    freed = allocate(100);
    release(freed);
}

/* At once: nothing may be allocated or freed before. */
static void use_it(void)
{
    sink = freed[50];
}

static void crime_after_close(void)
{
    free_one();
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        close(descriptor);
    }
    use_it();
}

static void crime_after_close_range(void)
{
    free_one();
    MUST(close_range(3, ~0u, 0) == 0);
    use_it();
}

static void crime_after_closefrom(void)
{
    free_one();
    closefrom(3);
    use_it();
}

static void crime_after_dup2_to_each(void)
{
    free_one();
    for (int descriptor = 3; descriptor < 1000; descriptor++) {
        MUST(dup2(2, descriptor) == descriptor);
    }
    use_it();
}

static void crime_after_dup3_to_each(void)
{
    free_one();
    for (int descriptor = 3; descriptor < 1000; descriptor++) {
        MUST(dup3(2, descriptor, O_CLOEXEC) == descriptor);
    }
    use_it();
}

static void crime_after_close_by_syscall(void)
{
    free_one();
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        syscall(SYS_close, descriptor);
    }
    use_it();
}

static void crime_after_close_range_by_syscall(void)
{
    free_one();
    MUST(syscall(SYS_close_range, 3, ~0U, 0) == 0);
    use_it();
}

static void crime_after_dup3_by_syscall(void)
{
    free_one();
    for (int descriptor = 3; descriptor < 1000; descriptor++) {
        MUST(syscall(SYS_dup3, 2, descriptor, O_CLOEXEC) == descriptor);
    }
    use_it();
}

/* Past all that looks after Moat's descriptor. */
static void crime_after_raw_close_range(void)
{
    free_one();
    MUST(play_call(SYS_close_range, 3, ~0U, 0) == 0);
    /* The guards are back with the next call that needs the descriptor. */
    char *blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = allocate(5000);
        memset(blocks[i], 'x', 5000);
    }
    for (int i = 0; i < 100; i++) {
        MUST(blocks[i][4999] == 'x');
        release(blocks[i]);
    }
    use_it();
}

/* The process is ended for what only Moat does. */
static struct sock_fprog deadly_filter(void)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return (struct sock_fprog){ .len = sizeof filter / sizeof filter[0],
                                .filter = filter };
}

static void use_another(void)
{
    for (int i = 0; i < 100; i++) {
        free_one();
        release(allocate(200000));
    }
    use_it();
}

static void crime_in_a_sandbox_by_prctl(void)
{
    struct sock_fprog filter = deadly_filter();
    free_one();
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    use_another();
}

static void crime_in_a_sandbox_by_syscall(void)
{
    struct sock_fprog filter = deadly_filter();
    free_one();
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
    /* What was free before is guarded as well. */
    use_it();
}

/* Nothing is left that changes pages but mapping them anew. */
static void crime_in_a_sandbox_of_mmap_alone(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program
        = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    free_one();
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    use_another();
}

static int use_it_in_child(void *unused)
{
    (void)unused;
    use_it();
    return 0;
}

static void wait_for(pid_t child)
{
    int status;
    MUST(child > 0);
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 99);
}

static void crime_in_a_child_of_fork(void)
{
    free_one();
    pid_t child = fork();
    if (child == 0) {
        use_it();
        _exit(0);
    }
    wait_for(child);
}

/* Handlers that allocate, and threads that do so all the time. */
static void allocate_in_handler(void)
{
    free_one();
    char *large = allocate(300000);
    large[299999] = 'x';
    release(large);
}

static void *allocate_for_ever(void *unused)
{
    for (;;) {
        free_one();
        release(allocate(200000));
        release(strdup("some text"));
    }
    return unused;
}

static void start_allocating(void)
{
    pthread_t thread;
    MUST(pthread_atfork(allocate_in_handler, allocate_in_handler,
                        allocate_in_handler)
         == 0);
    for (int i = 0; i < 3; i++) {
        MUST(pthread_create(&thread, NULL, allocate_for_ever, NULL) == 0);
    }
}

static void children_while_threads_allocate(void)
{
    start_allocating();
    for (int i = 0; i < 30; i++) {
        int status;
        pid_t child = i % 3 == 2 ? _Fork() : fork();
        if (child == 0) {
            for (int j = 0; j < 50; j++) {
                allocate_in_handler();
            }
            _exit(0);
        }
        MUST(child > 0 && waitpid(child, &status, 0) == child);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void crime_in_a_child_of_fork_with_threads(void)
{
    start_allocating();
    char *block = allocate(100);
    release(block);
    pid_t child = fork();
    if (child == 0) {
        sink = block[50];
        _exit(0);
    }
    wait_for(child);
}

static void crime_in_a_child_of__Fork(void)
{
    free_one();
    pid_t child = _Fork();
    if (child == 0) {
        use_it();
        _exit(0);
    }
    wait_for(child);
}

static void crime_in_a_child_of_clone(void)
{
    static char stack[65536];
    free_one();
    wait_for(clone(use_it_in_child, stack + sizeof stack, SIGCHLD, NULL));
}

static void crime_in_a_child_of_clone_by_syscall(void)
{
    free_one();
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        use_it();
        _exit(0);
    }
    wait_for(child);
}

static void crime_in_a_child_of_vfork(void)
{
    free_one();
    pid_t child = vfork();
    if (child == 0) {
        use_it();
        _exit(0);
    }
    wait_for(child);
}

static void the_first_descriptor_is_the_lowest(void)
{
    free_one();
    int lowest = 3;
    while (fcntl(lowest, F_GETFD) >= 0) {
        lowest++;
    }
    /* What made this program may have left it some. */
    MUST(lowest < 100);
    int first = open("/dev/null", O_RDONLY);
    MUST(first == lowest);
    MUST(close(first) == 0);
    errno = 0;
    MUST(close(first) == -1 && errno == EBADF);
}

static void each_number_can_be_had(void)
{
    struct stat wanted;
    struct stat had;
    MUST(fstat(2, &wanted) == 0);
    for (int descriptor = 3; descriptor < 1000; descriptor++) {
        MUST(dup2(2, descriptor) == descriptor);
        MUST(fstat(descriptor, &had) == 0 && had.st_ino == wanted.st_ino);
        free_one();
    }
    for (int descriptor = 3; descriptor < 1000; descriptor++) {
        MUST(close(descriptor) == 0);
        free_one();
    }
}

static void raw_close_range_is_said_at_the_end(void)
{
    free_one();
    MUST(play_call(SYS_close_range, 3, ~0U, 0) == 0);
}

static int give_seven(void *seven)
{
    free_one();
    return *(int *)seven;
}

static void clone_passes_its_arguments(void)
{
    static char stack[65536];
    int seven = 7;
    int status;
    pid_t parent_sees = 0;
    pid_t child = clone(give_seven, stack + sizeof stack,
                        SIGCHLD | CLONE_PARENT_SETTID, &seven, &parent_sees,
                        NULL, NULL);
    MUST(child > 0 && parent_sees == child);
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static volatile bool has_gone_on;
static _Atomic bool is_cancelled;
static _Atomic bool are_closed;

/* A thread that was cancelled does not end in malloc() or free(), though so
 * much memory makes Moat read files, and a lost descriptor makes it write. */
static void *allocate_cancelled(void *unused)
{
    /* Opens a library at its first use. */
    pthread_cancel(pthread_self());
    is_cancelled = true;
    while (!are_closed) {
        sched_yield();
    }
    void *large = allocate((size_t)100 << 20);
    for (int i = 0; i < 100; i++) {
        release(allocate(3000));
    }
    release(large);
    has_gone_on = true;
    return unused;
}

static void a_thread_that_is_cancelled_allocates(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, allocate_cancelled, NULL) == 0);
    while (!is_cancelled) {
        sched_yield();
    }
    /* Not by close(), which spares what is Moat's. */
    play_call(SYS_close_range, 3, ~0U, 0);
    are_closed = true;
    MUST(pthread_join(thread, NULL) == 0);
    MUST(has_gone_on);
    release(allocate(100));
    release(allocate((size_t)100 << 20));
}

static const struct play plays[] = {
    PLAY(a_thread_that_is_cancelled_allocates),
    PLAY(children_while_threads_allocate),
    PLAY(clone_passes_its_arguments),
    PLAY(crime_after_close),
    PLAY(crime_after_close_by_syscall),
    PLAY(crime_after_close_range),
    PLAY(crime_after_close_range_by_syscall),
    PLAY(crime_after_closefrom),
    PLAY(crime_after_dup2_to_each),
    PLAY(crime_after_dup3_by_syscall),
    PLAY(crime_after_dup3_to_each),
    PLAY(crime_after_raw_close_range),
    PLAY(crime_in_a_child_of__Fork),
    PLAY(crime_in_a_child_of_clone),
    PLAY(crime_in_a_child_of_clone_by_syscall),
    PLAY(crime_in_a_child_of_fork),
    PLAY(crime_in_a_child_of_fork_with_threads),
    PLAY(crime_in_a_child_of_vfork),
    PLAY(crime_in_a_sandbox_by_prctl),
    PLAY(crime_in_a_sandbox_by_syscall),
    PLAY(crime_in_a_sandbox_of_mmap_alone),
    PLAY(each_number_can_be_had),
    PLAY(raw_close_range_is_said_at_the_end),
    PLAY(the_first_descriptor_is_the_lowest),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
