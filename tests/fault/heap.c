/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap CIRCUMSTANCE CRIME: commits a crime of heap.def, with other blocks live
 *
 *   alone    in the first thread;
 *   thread   in a second thread;
 *   busy     while two other threads allocate and free;
 *   child    in a forked child,
 *   clone    in a child of the bare system call clone,
 *   vfork    in a child of vfork(): as its exit status the parent ends, after
 *            seeing that the other blocks are as they were and can be freed;
 *   closed   after all descriptors but the standard ones were closed;
 *   sandbox  with a filter that refuses userfaultfd, ioctl and all that is
 *            younger, put up when some blocks are live;
 *   strict   the same, and without madvise;
 *   bare     the same, and without mprotect;
 *   locked   with all memory locked; exit status 77 where that is not allowed.
 *
 * The heap is called as malloc and free will: this program has libmoat inside.
 */
#include "api/heap.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { SIBLINGS = 120, SIBLING_BYTES = 48 };

static char *siblings[SIBLINGS];

__attribute__((noinline)) static void write_to(volatile char *place)
{
    *place = '!';
}

__attribute__((noinline)) static char read_from(const volatile char *place)
{
    return *place;
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

__attribute__((noinline)) static char *allocate_at(size_t alignment,
                                                   size_t bytes)
{
    char *block
        = heap_allocate(bytes, alignment, false, MOAT_FAMILY_MALLOC, CALLER);
    if (block == NULL
        || (alignment != 0 && (uintptr_t)block % alignment != 0)) {
        _exit(2);
    }
    memset(block, 'a', bytes);
    return block;
}

static char *allocate(size_t bytes)
{
    return allocate_at(0, bytes);
}

__attribute__((noinline)) static char *resize(char *block, size_t bytes)
{
    char *moved = heap_reallocate(block, bytes, CALLER);
    if (moved == NULL || moved == block) {
        _exit(2);
    }
    return moved;
}

__attribute__((noinline)) static void release(char *block)
{
    heap_free(block, MOAT_FAMILY_MALLOC, CALLER);
}

static void pairs(int count)
{
    for (int i = 0; i < count; i++) {
        release(allocate(40));
    }
}

static void release_local(void)
{
    char local[16] = "";
    release(local);
}

static void write_before_either(void)
{
    /* Each second one is right behind a guard page; other threads may take
     * such a turn. */
    for (int i = 0; i < 1000; i++) {
        char *block = allocate(13);
        if (((uintptr_t)block & 4095) == 0) {
            write_to(block - 1);
        }
    }
}

static char *grow(char *block, size_t *bytes, int times)
{
    for (int i = 0; i < times; i++) {
        memset(block, 'a' + i, *bytes);
        block = resize(block, *bytes + 4096);
        for (size_t j = 0; j < *bytes; j++) {
            if (block[j] != (char)('a' + i)) {
                _exit(6);
            }
        }
        *bytes += 4096;
    }
    return block;
}

/* A pointer to what there was before the last of so many growths. */
static void write_after_growing(int times)
{
    size_t bytes = 262144;
    char *block = grow(allocate(bytes), &bytes, times - 1);
    char *stale = block;
    grow(block, &bytes, 1);
    write_to(stale + 5);
}

static void write_past_growing(void)
{
    size_t bytes = 262144;
    char *block = grow(allocate(bytes), &bytes, 5);
    write_to(block + bytes);
}

#define CRIME(name, options, body, kind, seen, relation, damage)              \
    static void name(void)                                                    \
    {                                                                         \
        body;                                                                 \
    }
#include "heap.def"
#undef CRIME

static const struct {
    const char *name;
    void (*commit)(void);
} crimes[] = {
#define CRIME(name, options, body, kind, seen, relation, damage)              \
    { #name, name },
#include "heap.def"
#undef CRIME
};

static void (*commit)(void);

static void *commit_in_thread(void *unused)
{
    commit();
    return unused;
}

static void check_siblings(void)
{
    for (int i = 0; i < SIBLINGS; i++) {
        for (int j = 0; j < SIBLING_BYTES; j++) {
            if (siblings[i][j] != 'a') {
                _exit(3);
            }
        }
    }
}

/* What the parent does: nothing of the child's crime is seen here. */
static _Noreturn void judge_child(pid_t child)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        _exit(2);
    }
    check_siblings();
    pairs(100);
    for (int i = 0; i < SIBLINGS; i++) {
        release(siblings[i]);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 4);
}

static void commit_in_child(void)
{
    pid_t child = fork();
    if (child != 0) {
        judge_child(child);
    }
    check_siblings();
    commit();
}

static void commit_in_clone(void)
{
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child != 0) {
        judge_child(child);
    }
    check_siblings();
    commit();
}

static void commit_in_vfork(void)
{
    pid_t child = vfork();
    if (child != 0) {
        judge_child(child);
    }
    check_siblings();
    commit();
    _exit(5);
}

static pthread_barrier_t all_are_busy;

static void *be_busy(void *unused)
{
    pairs(10);
    pthread_barrier_wait(&all_are_busy);
    for (;;) {
        pairs(100);
    }
    return unused;
}

static void commit_among_busy(void)
{
    pthread_t threads[2];
    pthread_barrier_init(&all_are_busy, NULL, 3);
    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, be_busy, NULL);
    }
    pthread_barrier_wait(&all_are_busy);
    commit();
}

static void commit_with_all_closed(void)
{
    if (syscall(SYS_close_range, 3, ~0U, 0) != 0) {
        for (int descriptor = 3; descriptor < 1024; descriptor++) {
            close(descriptor);
        }
    }
    /* What was guarded is guarded again from the next call on that needs the
     * kernel; spare slots do not. */
    for (int i = 0; i < SIBLINGS; i++) {
        release(siblings[i]);
    }
    for (int i = 0; i < SIBLINGS; i++) {
        siblings[i] = allocate(SIBLING_BYTES);
    }
    commit();
}

enum { REFUSED = SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA) };

static void commit_in_sandbox(bool has_madvise, bool has_mprotect)
{
    unsigned madvise_or_none = has_madvise ? SYS_userfaultfd : SYS_madvise;
    unsigned mprotect_or_none = has_mprotect ? SYS_userfaultfd : SYS_mprotect;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, madvise_or_none, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mprotect_or_none, 2, 0),
        /* Linux 5.0 and younger. */
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 424, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, REFUSED),
    };
    struct sock_fprog program
        = { .len = sizeof filter / sizeof filter[0], .filter = filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(77);
    }
    commit();
}

static void commit_locked(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
        _exit(77);
    }
    commit();
}

static void commit_in(const char *circumstance)
{
    if (strcmp(circumstance, "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, commit_in_thread, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(circumstance, "busy") == 0) {
        commit_among_busy();
    } else if (strcmp(circumstance, "child") == 0) {
        commit_in_child();
    } else if (strcmp(circumstance, "clone") == 0) {
        commit_in_clone();
    } else if (strcmp(circumstance, "vfork") == 0) {
        commit_in_vfork();
    } else if (strcmp(circumstance, "closed") == 0) {
        commit_with_all_closed();
    } else if (strcmp(circumstance, "sandbox") == 0) {
        commit_in_sandbox(true, true);
    } else if (strcmp(circumstance, "strict") == 0) {
        commit_in_sandbox(false, true);
    } else if (strcmp(circumstance, "bare") == 0) {
        commit_in_sandbox(false, false);
    } else if (strcmp(circumstance, "locked") == 0) {
        commit_locked();
    } else {
        commit();
    }
}

int main(int argument_count, char *arguments[])
{
    if (argument_count != 3) {
        return 2;
    }
    for (size_t i = 0; i < sizeof crimes / sizeof crimes[0]; i++) {
        if (strcmp(crimes[i].name, arguments[2]) == 0) {
            commit = crimes[i].commit;
        }
    }
    if (commit == NULL) {
        return 2;
    }
    for (int i = 0; i < SIBLINGS; i++) {
        siblings[i] = allocate(SIBLING_BYTES);
    }
    /* Some spare slots, and some that wait. */
    for (int i = 0; i < SIBLINGS; i += 2) {
        release(siblings[i]);
        siblings[i] = allocate(SIBLING_BYTES);
    }
    commit_in(arguments[1]);
    /* A crime that nobody noticed. */
    return 5;
}
