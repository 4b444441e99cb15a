/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leaker PLAY: an ordinary program that loses blocks, or only seems to.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK_BYTES = 32 };

/* For all the compiler knows, it may be any number. */
static volatile int three = 3;
static volatile size_t large_bytes = 3 << 20;

static void *volatile global;
static __thread void *volatile own;

__attribute__((noinline)) static void *use(void *block, size_t bytes)
{
    memset(block, 0, bytes);
    __asm__ volatile("" : : "r"(block) : "memory");
    return block;
}

/* Where addresses of blocks may still be. */
__attribute__((noinline)) static void overwrite_stack(void)
{
    char bytes[64 * 1024];
    use(bytes, sizeof bytes);
}

__attribute__((noinline)) static void lose(void)
{
    for (int i = 0; i < three; i++) {
        use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    }
}

__attribute__((noinline)) static void lose_at_two_places_in_turns(void)
{
    for (int i = 0; i < three; i++) {
        use(malloc(BLOCK_BYTES), BLOCK_BYTES);
        use(malloc(2 * BLOCK_BYTES), 2 * BLOCK_BYTES);
    }
}

__attribute__((noinline)) static void lose_a_large_one(void)
{
    use(malloc(large_bytes), large_bytes);
}

/* Two places. */
__attribute__((noinline)) static void lose_a_ring(void)
{
    void **first = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    void **second = use(calloc(1, 2 * BLOCK_BYTES), 2 * BLOCK_BYTES);
    *first = second;
    *second = first;
    use(first, 0);
}

__attribute__((noinline)) static void lose_one_that_holds_another(void)
{
    void **first = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    *first = use(malloc(2 * BLOCK_BYTES), 2 * BLOCK_BYTES);
    use(first, 0);
}

__attribute__((noinline)) static void lose_what_strdup_made(void)
{
    use(strdup("lost"), 5);
}

__attribute__((noinline)) static void lose_what_was_resized(void)
{
    use(realloc(use(malloc(BLOCK_BYTES), BLOCK_BYTES), 100), 100);
}

__attribute__((noinline)) static void lose_in_a_freed_block(void)
{
    void **holder = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    *holder = use(malloc(2 * BLOCK_BYTES), 2 * BLOCK_BYTES);
    global = holder;
    free(holder);
}

__attribute__((noinline)) static void keep(void)
{
    global = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    own = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    *(void **)global = use(strdup("kept"), 5);
}

/* In all registers that a call must keep, as a program that calls exit() from
 * deep inside may. */
__attribute__((noinline)) static void keep_in_registers(void)
{
    puts("done");
#if defined __x86_64__
    void *block = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    overwrite_stack();
    __asm__ volatile("movq %%rdx, %%rbx\n\txorl %%edx, %%edx\n\t"
                     "xorl %%edi, %%edi\n\tcallq *%%rcx"
                     :
                     : "d"(block), "c"(exit)
                     : "rbx", "memory");
#endif
}

static _Atomic int threads_begun;

static void *keep_on_stack(void *unused)
{
    void *volatile block = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    char byte;
    int ends[2];
    (void)unused;
    if (pipe(ends) != 0) {
        abort();
    }
    threads_begun++;
    ssize_t got = read(ends[0], &byte, 1);
    use(block, got > 0);
    return NULL;
}

static void *keep_busily(void *unused)
{
    void *volatile block = use(malloc(BLOCK_BYTES), BLOCK_BYTES);
    (void)unused;
    threads_begun++;
    for (;;) {
        void *another = malloc(100);
        use(block, BLOCK_BYTES);
        free(another);
    }
    return NULL;
}

static void keep_in_threads(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, keep_on_stack, NULL);
    pthread_create(&thread, NULL, keep_busily, NULL);
    pthread_create(&thread, NULL, keep_busily, NULL);
    while (threads_begun < 3) {
        sched_yield();
    }
}

static void lose_beside_threads(void)
{
    keep_in_threads();
    lose();
}

static void *join_main_and_lose(void *main_thread)
{
    pthread_join(*(pthread_t *)main_thread, NULL);
    lose();
    overwrite_stack();
    return NULL;
}

static void end_main_first(void)
{
    static pthread_t main_thread;
    pthread_t thread;
    main_thread = pthread_self();
    pthread_create(&thread, NULL, join_main_and_lose, &main_thread);
    pthread_detach(thread);
    keep();
    pthread_exit(NULL);
}

static void lose_in_a_child(void)
{
    int status;
    keep();
    fflush(stdout);
    if (fork() == 0) {
        lose();
        overwrite_stack();
        exit(0);
    }
    wait(&status);
    printf("child: %d\n", WEXITSTATUS(status));
}

/* A child has what its parent has. */
static void keep_in_a_child(void)
{
    int status;
    keep();
    if (fork() == 0) {
        exit(0);
    }
    wait(&status);
}

static void lose_and_leave(void)
{
    lose();
    overwrite_stack();
    _exit(0);
}

/* A filter that allows everything. */
static void lose_in_a_sandbox(void)
{
    struct sock_filter allow[]
        = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { .len = 1, .filter = allow };
    lose();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        exit(77);
    }
}

static const struct {
    const char *name;
    void (*play)(void);
} plays[] = {
    { "lose", lose },
    { "lose_at_two_places_in_turns", lose_at_two_places_in_turns },
    { "lose_a_large_one", lose_a_large_one },
    { "lose_a_ring", lose_a_ring },
    { "lose_one_that_holds_another", lose_one_that_holds_another },
    { "lose_what_strdup_made", lose_what_strdup_made },
    { "lose_what_was_resized", lose_what_was_resized },
    { "lose_in_a_freed_block", lose_in_a_freed_block },
    { "lose_beside_threads", lose_beside_threads },
    { "lose_in_a_child", lose_in_a_child },
    { "lose_and_leave", lose_and_leave },
    { "lose_in_a_sandbox", lose_in_a_sandbox },
    { "end_main_first", end_main_first },
    { "keep", keep },
    { "keep_in_registers", keep_in_registers },
    { "keep_in_threads", keep_in_threads },
    { "keep_in_a_child", keep_in_a_child },
};

int main(int argument_count, char *arguments[])
{
    for (size_t i = 0; argument_count == 2
                       && i < sizeof plays / sizeof plays[0];
         i++) {
        if (strcmp(arguments[1], plays[i].name) == 0) {
            plays[i].play();
            overwrite_stack();
            puts("done");
            return EXIT_SUCCESS;
        }
    }
    fputs("usage: leaker PLAY\n", stderr);
    return EXIT_FAILURE;
}
