/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lenders NAME: a program whose vfork() children take from themselves what Moat
 * needs, and allocate in its memory. Its own blocks are fenced as before.
 */
#include "tests/support/play.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Of each class of sizes more than what is ready for it, and large ones. */
static void allocate_and_free_much(void)
{
    enum { BLOCKS = 100 };
    static char *blocks[BLOCKS];
    for (size_t bytes = 100; bytes < 300000; bytes += bytes / 3) {
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = allocate(bytes);
            MUST(blocks[i] != NULL);
            blocks[i][0] = 'x';
            blocks[i][bytes - 1] = 'x';
        }
        for (int i = 0; i < BLOCKS; i++) {
            MUST(blocks[i][0] == 'x' && blocks[i][bytes - 1] == 'x');
            release(blocks[i]);
        }
    }
}

/* What a child of vfork() does to itself, and its parent does not notice. */
static void close_all(void)
{
    MUST(close_range(3, ~0U, 0) == 0);
}

static void open_others(void)
{
    for (int descriptor = 3; descriptor < 1000; descriptor++) {
        MUST(dup2(2, descriptor) == descriptor);
    }
}

static void refuse_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program
        = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* Some sizes come first in a child, and some in the parent. */
static void lend_to_one_that(void (*harms_itself)(void))
{
    int status;
    for (int i = 0; i < 3; i++) {
        pid_t child = vfork();
        if (child == 0) {
            harms_itself();
            allocate_and_free_much();
            _exit(0);
        }
        MUST(child > 0 && waitpid(child, &status, 0) == child);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        allocate_and_free_much();
    }
}

static void goes_on_as_before_beside_one_that_closes_all(void)
{
    lend_to_one_that(close_all);
}

static void goes_on_as_before_beside_one_that_opens_others(void)
{
    lend_to_one_that(open_others);
}

static void goes_on_as_before_beside_one_that_refuses_calls(void)
{
    lend_to_one_that(refuse_calls);
}

static const struct play plays[] = {
    PLAY(goes_on_as_before_beside_one_that_closes_all),
    PLAY(goes_on_as_before_beside_one_that_opens_others),
    PLAY(goes_on_as_before_beside_one_that_refuses_calls),
};

int main(int argument_count, char *arguments[])
{
    return play_run(plays, sizeof plays / sizeof plays[0], argument_count,
                    arguments);
}
