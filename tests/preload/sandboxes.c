/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandboxes NAME: a program that takes system calls away from itself while its
 * threads allocate and free. Exit status 0: no block has lost what was in it;
 * those named crime_* find all that was freed out of reach, and use it.
 */
#include "tests/support/play.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    THREADS = 3,
    LIVE = 50,
    /* Less than what waits before an address is used again. */
    FREED = 2000,
    CHILDREN = 20
};

struct worker {
    pthread_t thread;
    char *live[LIVE];
    size_t bytes[LIVE];
    char *freed[FREED];
    size_t freed_count;
    _Atomic unsigned long rounds;
};

static struct worker workers[THREADS];
static _Atomic bool must_end;

static bool holds(const char *block, size_t bytes, char byte)
{
    return block[0] == byte && block[bytes - 1] == byte
           && block[bytes / 2] == byte;
}

/* Sizes of one page and of several: both are armed and revoked in other ways.
 */
static size_t size_of(unsigned long round)
{
    static const size_t sizes[] = { 24, 100, 4000, 9000 };
    return sizes[round % 4];
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    for (unsigned long round = 0; !must_end; round++) {
        size_t place = round * 7 % LIVE;
        char byte = (char)('a' + place % 26);
        char *old = worker->live[place];
        if (old != NULL) {
            MUST(holds(old, worker->bytes[place], byte));
            release(old);
            worker->freed[worker->freed_count++ % FREED] = old;
        }
        size_t bytes = size_of(round / 5);
        char *block = allocate(bytes);
        MUST(block != NULL);
        memset(block, byte, bytes);
        worker->live[place] = block;
        worker->bytes[place] = bytes;
        worker->rounds = round + 1;
    }
    return NULL;
}

/* The process is ended for what only Moat does. */
static void enter_sandbox(void)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program
        = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

static void run_on(unsigned long rounds)
{
    unsigned long wanted[THREADS];
    for (int i = 0; i < THREADS; i++) {
        wanted[i] = workers[i].rounds + rounds;
    }
    for (int i = 0; i < THREADS; i++) {
        while (workers[i].rounds < wanted[i]) {
            sched_yield();
        }
    }
}

/* The kernel reads a byte for us, or cannot. */
static bool is_in_reach(const char *address, const int ends[2])
{
    char byte;
    return write(ends[1], address, 1) == 1 && read(ends[0], &byte, 1) == 1;
}

static void join_all(void)
{
    for (int i = 0; i < THREADS; i++) {
        struct worker *worker = &workers[i];
        MUST(pthread_join(worker->thread, NULL) == 0);
        for (size_t place = 0; place < LIVE; place++) {
            MUST(worker->live[place] == NULL
                 || holds(worker->live[place], worker->bytes[place],
                          (char)('a' + place % 26)));
        }
    }
}

static void enter_in_the_midst(void)
{
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    run_on(200);
    enter_sandbox();
    run_on(200);
    must_end = true;
    join_all();
}

static void find_all_out_of_reach(void)
{
    int ends[2];
    MUST(pipe(ends) == 0);
    for (int i = 0; i < THREADS; i++) {
        const struct worker *worker = &workers[i];
        for (size_t j = 0; j < FREED && j < worker->freed_count; j++) {
            MUST(!is_in_reach(worker->freed[j], ends));
        }
    }
}

/* A process enters a sandbox once, and has to meet its threads at a bad
 * moment. */
static void repeat(void (*body)(void))
{
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            body();
            _exit(0);
        }
        MUST(child > 0 && waitpid(child, &status, 0) == child);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void threads_go_on_while_a_sandbox_is_entered(void)
{
    repeat(enter_in_the_midst);
}

static void enter_and_find_all_out_of_reach(void)
{
    enter_in_the_midst();
    find_all_out_of_reach();
}

static void crime_in_a_sandbox_that_was_entered_beside_threads(void)
{
    repeat(enter_and_find_all_out_of_reach);
    enter_and_find_all_out_of_reach();
    *(volatile char *)workers[0].freed[0] = 'x';
}

static const struct play plays[] = {
    PLAY(crime_in_a_sandbox_that_was_entered_beside_threads),
    PLAY(threads_go_on_while_a_sandbox_is_entered),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
