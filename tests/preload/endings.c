/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endings NAME: a program that ends while a thread waits for input, or goes on
 * when its main thread has ended. What is wrong with its blocks is reported.
 */
#include "tests/support/play.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void *wait_for_input(void *unused)
{
    getchar();
    return unused;
}

/* What damages a block, to be found at the end, while a thread has the lock of
 * stdin and waits. */
static void end_beside_a_thread_that_waits(int output)
{
    pthread_t thread;
    int ends[2];
    MUST(dup2(output, 1) == 1 && pipe(ends) == 0 && dup2(ends[0], 0) == 0);
    MUST(pthread_create(&thread, NULL, wait_for_input, NULL) == 0);
    while (ftrylockfile(stdin) == 0) {
        funlockfile(stdin);
        sched_yield();
    }
    printf("what was printed");
    FILE *other = fdopen(dup(output), "w");
    MUST(other != NULL && fputs(" and this too", other) >= 0);
    volatile char *block = allocate(20);
    block[20] = 'x';
    exit(0);
}

static void crime_at_the_end_beside_a_thread_that_waits(void)
{
    char text[100] = "";
    int ends[2];
    MUST(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        end_beside_a_thread_that_waits(ends[1]);
    }
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 99);
    close(ends[1]);
    while (read(ends[0], text + strlen(text), 50) > 0) {
    }
    MUST(strstr(text, "what was printed") != NULL);
    MUST(strstr(text, " and this too") != NULL);
    _exit(99);
}

/* What only Moat does is answered by ACTION. */
static void deny(uint32_t action)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program
        = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void (*after_main)(void);
static pthread_t main_thread;

static void *wait_for_main(void *unused)
{
    MUST(pthread_join(main_thread, NULL) == 0);
    after_main();
    exit(0);
    return unused;
}

/* Do REST when main() has ended and its thread goes on. */
_Noreturn static void end_main_before(void (*rest)(void))
{
    pthread_t thread;
    after_main = rest;
    main_thread = pthread_self();
    MUST(pthread_create(&thread, NULL, wait_for_main, NULL) == 0);
    pthread_exit(NULL);
}

static void use_one(void)
{
    volatile char *freed = allocate(100);
    release((void *)freed);
    freed[50] = 'x';
}

static void crime_in_another_thread_after_main(void)
{
    end_main_before(use_one);
}

static void damage_one(void)
{
    volatile char *block = allocate(20);
    block[20] = 'x';
}

static void crime_at_the_end_after_main(void)
{
    end_main_before(damage_one);
}

static void enter_and_use_one(void)
{
    char *live = allocate(100);
    strcpy(live, "live");
    char *freed = allocate(100);
    release(freed);
    deny(SECCOMP_RET_KILL_PROCESS);
    MUST(strcmp(live, "live") == 0);
    freed[50] = 'x';
}

static void crime_in_a_sandbox_after_main(void)
{
    end_main_before(enter_and_use_one);
}

/* The descriptor is lost, and there is no other to be had. */
static void lose_all_and_use_one(void)
{
    char *live = allocate(100);
    strcpy(live, "live");
    char *freed = allocate(100);
    release(freed);
    deny(SECCOMP_RET_ERRNO | EPERM);
    MUST(play_call(SYS_close_range, 3, ~0U, 0) == 0);
    release(allocate(100000));
    release(allocate(100));
    MUST(strcmp(live, "live") == 0);
    freed[50] = 'x';
}

static void crime_in_a_sandbox_without_descriptors_after_main(void)
{
    end_main_before(lose_all_and_use_one);
}

static const struct play plays[] = {
    PLAY(crime_at_the_end_after_main),
    PLAY(crime_at_the_end_beside_a_thread_that_waits),
    PLAY(crime_in_a_sandbox_after_main),
    PLAY(crime_in_a_sandbox_without_descriptors_after_main),
    PLAY(crime_in_another_thread_after_main),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
