/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leaks SCENE LAYOUT: searches for leaks, of which the scene knows what they
 * must find. Ends with 0 when all came out so. Without arguments it lists the
 * scenes.
 */
#include <moat.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { BLOCK_BYTES = 48, CAPACITY = 4 << 20, STACK_BYTES = 256 * 1024 };

static struct moat_arena *arena;
static enum moat_layout layout;
static bool is_wrong;

static void expect_number(size_t found, size_t expected, const char *what)
{
    if (found != expected) {
        printf("%s: %zu, not %zu\n", what, found, expected);
        is_wrong = true;
    }
}

static void expect(bool holds, const char *what)
{
    if (!holds) {
        printf("%s: not so\n", what);
        is_wrong = true;
    }
}

/* So may registers that a call need not keep. */
__attribute__((noinline)) static void clear_registers(void)
{
#if defined __x86_64__
    __asm__ volatile("xorl %%eax, %%eax\n\txorl %%ecx, %%ecx\n\t"
                     "xorl %%edx, %%edx\n\txorl %%esi, %%esi\n\t"
                     "xorl %%edi, %%edi\n\txorl %%r8d, %%r8d\n\t"
                     "xorl %%r9d, %%r9d\n\txorl %%r10d, %%r10d\n\t"
                     "xorl %%r11d, %%r11d\n\t"
                     "pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\t"
                     "pxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
                       "r11", "xmm0", "xmm1", "xmm2", "xmm3", "cc");
#endif
}

/* Where calls before may have left addresses of blocks. The loader, which binds
 * a call when it is first made, keeps registers there. */
__attribute__((noinline)) static void overwrite_stack(void)
{
    char bytes[64 * 1024];
    clear_registers();
    memset(bytes, 0, sizeof bytes);
    __asm__ volatile("" : : "r"(bytes) : "memory");
    clear_registers();
}

/* What a search writes, and finds. */
static char text[16384];

__attribute__((noinline)) static size_t search_now(void)
{
    FILE *out = fmemopen(text, sizeof text, "w");
    size_t leaked = moat_arena_leaks(arena, out);
    fclose(out);
    return leaked;
}

__attribute__((noinline)) static size_t search(void)
{
    overwrite_stack();
    return search_now();
}

static struct moat_arena *create(const char *name)
{
    struct moat_arena_config config
        = { .name = name, .capacity = CAPACITY, .layout = layout };
    struct moat_arena *created = moat_arena_create_with(&config);
    if (created == NULL) {
        perror("moat_arena_create_with");
        exit(EXIT_FAILURE);
    }
    return created;
}

__attribute__((noinline)) static void *allocate(void)
{
    void *block = moat_arena_alloc(arena, BLOCK_BYTES);
    memset(block, 0, BLOCK_BYTES);
    return block;
}

/* ----- Where the only pointer to a block may be ------------------------- */

struct place {
    const char *name;
    void (*keep)(void *block);
    void (*drop)(void);
};

static void *global;
static __thread void *volatile own;
static void **remote;
static size_t remote_bytes;

static void keep_in_global(void *block)
{
    global = block;
}

static void drop_from_global(void)
{
    global = NULL;
}

static void keep_in_tls(void *block)
{
    own = block;
}

static void drop_from_tls(void)
{
    own = NULL;
}

static void keep_inside(void *block)
{
    global = (char *)block + BLOCK_BYTES / 2 + 1;
}

static void keep_end(void *block)
{
    global = (char *)block + BLOCK_BYTES;
}

static void keep_in_heap(void *block)
{
    remote = malloc(sizeof *remote);
    *remote = block;
}

static void drop_remote(void)
{
    *remote = NULL;
}

static void keep_in_mapping(void *block)
{
    remote_bytes = 64 << 20;
    remote = mmap(NULL, remote_bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    remote[remote_bytes / sizeof *remote / 2] = block;
}

static void drop_mapping(void)
{
    munmap(remote, remote_bytes);
}

static void keep_in_shared_mapping(void *block)
{
    remote_bytes = (size_t)sysconf(_SC_PAGESIZE);
    remote = mmap(NULL, remote_bytes, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *remote = block;
}

static void keep_in_what_is_read_only(void *block)
{
    keep_in_mapping(block);
    mprotect(remote, remote_bytes, PROT_READ);
}

static void keep_in_block(void *block)
{
    global = allocate();
    *(void **)global = block;
}

static void drop_from_block(void)
{
    *(void **)global = NULL;
}

/* The block that holds it has its last pointer in another block. */
static void keep_at_the_end_of_a_chain(void *block)
{
    void **last = allocate();
    *last = block;
    for (int i = 0; i < 1000; i++) {
        void **next = allocate();
        *next = last;
        last = next;
    }
    global = last;
}

static void drop_from_the_chain(void)
{
    void **last = global;
    for (int i = 0; i < 1000; i++) {
        last = *last;
    }
    *last = NULL;
}

/* Its size is odd, and with alignment=natural so is its address. */
static void keep_in_an_odd_block(void *block)
{
    char *odd = moat_arena_alloc(arena, 33);
    memset(odd, 0, 33);
    memcpy(odd + 8, &block, sizeof block);
    global = odd;
}

/* Where the processor would have it. */
static void keep_aligned_in_an_odd_block(void *block)
{
    char *odd = moat_arena_alloc(arena, 33);
    memset(odd, 0, 33);
    memcpy((char *)(((uintptr_t)odd + 7) & ~(uintptr_t)7) + 8, &block,
           sizeof block);
    global = odd;
}

static void drop_from_an_odd_block(void)
{
    memset(global, 0, 33);
}

static void keep_in_a_large_block(void *block)
{
    enum { BYTES = 1 << 20 };
    remote = moat_arena_alloc(arena, BYTES);
    memset(remote, 0, BYTES);
    remote += BYTES / sizeof *remote / 2;
    *remote = block;
}

static void keep_in_another_arena(void *block)
{
    remote = moat_arena_alloc(create("another"), sizeof *remote);
    *remote = block;
}

/* A fenced block has its pages for itself. */
static void protect(void *block, int protection)
{
    uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (layout == MOAT_LAYOUT_FENCED) {
        mprotect((void *)((uintptr_t)block & ~(page_bytes - 1)), page_bytes,
                 protection);
    }
}

static void keep_in_a_protected_block(void *block)
{
    keep_in_block(block);
    protect(global, PROT_NONE);
}

static void drop_from_a_protected_block(void)
{
    protect(global, PROT_READ | PROT_WRITE);
    drop_from_block();
}

static const struct place places[] = {
    { "global", keep_in_global, drop_from_global },
    { "thread-local storage", keep_in_tls, drop_from_tls },
    { "pointer inside", keep_inside, drop_from_global },
    { "pointer behind the end", keep_end, drop_from_global },
    { "malloc", keep_in_heap, drop_remote },
    { "mapping", keep_in_mapping, drop_mapping },
    { "shared mapping", keep_in_shared_mapping, drop_remote },
    { "read-only mapping", keep_in_what_is_read_only, drop_mapping },
    { "block", keep_in_block, drop_from_block },
    { "chain", keep_at_the_end_of_a_chain, drop_from_the_chain },
    { "odd block", keep_in_an_odd_block, drop_from_an_odd_block },
    { "aligned in an odd block", keep_aligned_in_an_odd_block,
      drop_from_an_odd_block },
    { "large block", keep_in_a_large_block, drop_remote },
    { "another arena", keep_in_another_arena, drop_remote },
    { "protected block", keep_in_a_protected_block,
      drop_from_a_protected_block },
};

__attribute__((noinline)) static void keep(const struct place *place)
{
    place->keep(allocate());
    clear_registers();
}

static void look_in_all_places(void)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        arena = create(places[i].name);
        keep(&places[i]);
        expect_number(search(), 0, places[i].name);
        places[i].drop();
        expect_number(search(), 1, places[i].name);
        moat_arena_destroy(arena);
    }
}

/* ----- Where a pointer does not count ----------------------------------- */

__attribute__((noinline)) static void lose(void)
{
    allocate();
    clear_registers();
}

__attribute__((noinline)) static void lose_a_ring(void)
{
    void **first = allocate();
    void **second = allocate();
    *first = second;
    *second = first;
    clear_registers();
}

__attribute__((noinline)) static void lose_one_that_holds_another(void)
{
    void **first = allocate();
    *first = allocate();
    clear_registers();
}

__attribute__((noinline)) static void lose_one_that_holds_itself(void)
{
    void **first = allocate();
    *first = first;
    clear_registers();
}

static size_t count_of(const char *words)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

static void judge_lost_blocks(void)
{
    static const char held[] = "leaked with blocks that refer to it";
    arena = create("nothing");
    expect_number(search(), 0, "blocks of an empty arena");
    expect(strcmp(text, "  0 leaked (0 bytes), 0 still reachable (0 bytes)\n")
               == 0,
           "what is said of it");
    lose();
    expect_number(search(), 1, "dropped");
    expect(strstr(text, "  block #1, 48 bytes (arena offset 0x0): leaked, "
                        "allocated at ")
                   == text
               && strstr(text, "\n  1 leaked (48 bytes), 0 still reachable "
                               "(0 bytes)\n")
                      != NULL,
           "what is said of it");
    keep(&places[0]);
    expect_number(search(), 1, "dropped, and one that is kept");
    expect(strstr(text, "\n  1 leaked (48 bytes), 1 still reachable "
                        "(48 bytes)\n")
               != NULL,
           "both are counted");
    arena = create("ring");
    lose_a_ring();
    expect_number(search(), 2, "a ring");
    expect_number(count_of(held), 2, "each held by the other");
    arena = create("two");
    lose_one_that_holds_another();
    expect_number(search(), 2, "one that holds another");
    expect_number(count_of(held), 1, "one of them held");
    arena = create("self");
    lose_one_that_holds_itself();
    expect_number(search(), 1, "one that holds itself");
    expect_number(count_of(held), 0, "it is not held");
}

__attribute__((noinline)) static void keep_in_freed(void)
{
    void **holder = allocate();
    global = holder;
    *holder = allocate();
    moat_arena_free(arena, holder);
    clear_registers();
}

__attribute__((noinline)) static void keep_in_an_ended_arena(bool is_reset)
{
    struct moat_arena *other = create("ended");
    void **holder = moat_arena_alloc(other, BLOCK_BYTES);
    global = holder;
    *holder = allocate();
    if (is_reset) {
        moat_arena_reset(other);
    } else {
        moat_arena_destroy(other);
    }
    clear_registers();
}

static void look_where_nothing_counts(void)
{
    arena = create("freed");
    keep_in_freed();
    expect_number(search(), 1, "in a freed block");
    arena = create("destroyed");
    keep_in_an_ended_arena(false);
    expect_number(search(), 1, "in a destroyed arena");
    arena = create("reset");
    keep_in_an_ended_arena(true);
    expect_number(search(), 1, "in what an arena was before a reset");

    arena = create("snapshot");
    void **holder = allocate();
    global = holder;
    *holder = allocate();
    struct moat_snapshot *snapshot = moat_arena_snapshot(arena);
    *holder = NULL;
    expect_number(search(), 1, "in a snapshot");
    moat_snapshot_free(snapshot);
}

/* ----- Registers and stacks --------------------------------------------- */

#if defined __x86_64__

/* Call moat_arena_leaks() with the only pointer to a block in a register. */
#define SEARCH_WITH(name)                                                      \
    __attribute__((noinline)) static size_t search_with_##name(void)           \
    {                                                                          \
        void *block = allocate();                                              \
        size_t leaked;                                                         \
        __asm__ volatile("movq %%rdx, %%" #name "\n\txorl %%edx, %%edx\n\t"    \
                         "callq *%%rcx\n\txorl %%edi, %%edi\n\t"               \
                         "movq %%rdi, %%" #name                                \
                         : "=a"(leaked), "+d"(block)                           \
                         : "D"(arena), "S"(NULL), "c"(moat_arena_leaks)        \
                         : #name, "r8", "r9", "r10", "r11", "memory", "cc");   \
        return leaked;                                                         \
    }
SEARCH_WITH(rbx)
SEARCH_WITH(r12)
SEARCH_WITH(r13)
SEARCH_WITH(r14)
SEARCH_WITH(r15)

static void look_in_own_registers(void)
{
    static const struct {
        const char *name;
        size_t (*search)(void);
    } registers[] = { { "rbx", search_with_rbx },
                      { "r12", search_with_r12 },
                      { "r13", search_with_r13 },
                      { "r14", search_with_r14 },
                      { "r15", search_with_r15 } };
    for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        arena = create("register");
        expect_number(registers[i].search(), 0, registers[i].name);
        expect_number(search(), 1, registers[i].name);
    }
}
#else
static void look_in_own_registers(void)
{
}
#endif

/* Another thread, which does one thing, shows that it has begun, and goes on
 * until it is told. */
static _Atomic int stage;

static void reach_stage(int reached)
{
    stage = reached;
}

static void wait_for_stage(int awaited)
{
    while (stage < awaited) {
        sched_yield();
    }
}

static void spin_until(int awaited)
{
    while (stage < awaited) {
    }
}

__attribute__((noinline)) static void hold_on_stack(void)
{
    void *volatile block = allocate();
    reach_stage(1);
    spin_until(2);
    block = NULL;
    (void)block;
}

static void *hold_on_stack_in_thread(void *unused)
{
    (void)unused;
    hold_on_stack();
    clear_registers();
    reach_stage(3);
    spin_until(4);
    return NULL;
}

/* What it leaves below its stack pointer is no pointer any more. DEEP is
 * further down than a search comes. */
enum { DEEP = 40 };

__attribute__((noinline)) static void leave_below(int depth)
{
    void *volatile block[64];
    if (depth > 0) {
        leave_below(depth - 1);
    } else {
        block[32] = allocate();
    }
    (void)block;
    clear_registers();
}

static void *leave_below_in_thread(void *is_prepared)
{
    if (is_prepared != NULL) {
        moat_thread_prepare();
    }
    leave_below(4);
    clear_registers();
    reach_stage(1);
    spin_until(2);
    return NULL;
}

#if defined __x86_64__
/* And in no other. */
#define HOLD(name, load, clear)                                                \
    __attribute__((noinline)) static void hold_in_##name(void)                 \
    {                                                                          \
        void *block = allocate();                                              \
        __asm__ volatile("xorl %%eax, %%eax\n\txorl %%esi, %%esi\n\t"          \
                         "xorl %%edi, %%edi\n\txorl %%r8d, %%r8d\n\t"          \
                         "xorl %%r9d, %%r9d\n\txorl %%r10d, %%r10d\n\t"        \
                         "xorl %%r11d, %%r11d\n\t" load " %%rdx, %%" #name     \
                         "\n\txorl %%edx, %%edx\n\tmovl $1, (%%rcx)\n"         \
                         "0:\tcmpl $2, (%%rcx)\n\tjne 0b\n\t" clear            \
                         : "+d"(block)                                         \
                         : "c"(&stage)                                         \
                         : #name, "rax", "rsi", "rdi", "r8", "r9", "r10",      \
                           "r11", "memory", "cc");                             \
    }
HOLD(rbx, "movq", "xorl %%ebx, %%ebx")
HOLD(r12, "movq", "xorl %%r12d, %%r12d")
HOLD(xmm9, "movq", "pxor %%xmm9, %%xmm9")

static void *hold_in_register(void *hold)
{
    ((void (*)(void))(uintptr_t)hold)();
    overwrite_stack();
    reach_stage(3);
    spin_until(4);
    return NULL;
}

static void look_in_registers_of_a_thread(void)
{
    static void (*const hold[])(void)
        = { hold_in_rbx, hold_in_r12, hold_in_xmm9 };
    for (size_t i = 0; i < sizeof hold / sizeof hold[0]; i++) {
        pthread_t thread;
        arena = create("register");
        stage = 0;
        pthread_create(&thread, NULL, hold_in_register,
                       (void *)(uintptr_t)hold[i]);
        wait_for_stage(1);
        expect_number(search(), 0, "held in a register");
        reach_stage(2);
        wait_for_stage(3);
        expect_number(search(), 1, "no longer held there");
        reach_stage(4);
        pthread_join(thread, NULL);
    }
}
#else
static void look_in_registers_of_a_thread(void)
{
}
#endif

static void look_on_the_stack_of_a_thread(void)
{
    pthread_t thread;
    arena = create("stack");
    stage = 0;
    pthread_create(&thread, NULL, hold_on_stack_in_thread, NULL);
    wait_for_stage(1);
    expect_number(search(), 0, "on a thread's stack");
    reach_stage(2);
    wait_for_stage(3);
    expect_number(search(), 1, "no longer there");
    reach_stage(4);
    pthread_join(thread, NULL);
}

static void look_below_the_stack_of_a_thread(void)
{
    for (int is_prepared = 0; is_prepared <= 1; is_prepared++) {
        pthread_t thread;
        arena = create("below");
        stage = 0;
        pthread_create(&thread, NULL, leave_below_in_thread,
                       is_prepared != 0 ? &thread : NULL);
        wait_for_stage(1);
        expect_number(search(), 1, "below a stack pointer");
        reach_stage(2);
        pthread_join(thread, NULL);
    }
}

static void *spin(void *unused)
{
    (void)unused;
    spin_until(2);
    return NULL;
}

/* The stacks of two threads in one mapping of the program's: what the lower one
 * holds is not unused stack of the upper one. */
static void look_on_stacks_side_by_side(void)
{
    size_t guard_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *stacks = mmap(NULL, guard_bytes + 2 * STACK_BYTES,
                        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    pthread_attr_t attributes;
    pthread_t lower_thread;
    pthread_t upper_thread;
    mprotect(stacks, guard_bytes, PROT_NONE);
    arena = create("side by side");
    stage = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stacks + guard_bytes, STACK_BYTES);
    expect(pthread_create(&lower_thread, &attributes, hold_on_stack_in_thread,
                          NULL)
               == 0,
           "a thread on the lower one");
    wait_for_stage(1);
    pthread_attr_setstack(&attributes, stacks + guard_bytes + STACK_BYTES,
                          STACK_BYTES);
    expect(pthread_create(&upper_thread, &attributes, spin, NULL) == 0,
           "a thread on the upper one");
    expect_number(search(), 0, "on the lower stack");
    reach_stage(2);
    wait_for_stage(3);
    reach_stage(4);
    pthread_join(lower_thread, NULL);
    pthread_join(upper_thread, NULL);
}

static void look_on_own_stack(void)
{
    arena = create("own stack");
    void *volatile block = allocate();
    expect_number(search(), 0, "on the own stack");
    block = NULL;
    (void)block;
    expect_number(search(), 1, "no longer there");
    arena = create("below");
    leave_below(DEEP);
    expect_number(search_now(), 1, "below the own stack pointer");
}

/* Stacks that the program has made of a block. */
static ucontext_t outside;
static ucontext_t inside;

static void search_on_block(void)
{
    void *volatile block = allocate();
    expect_number(search(), 1, "from a stack in a block");
    leave_below(DEEP);
    expect_number(search_now(), 2, "from there, with one left below");
    block = NULL;
    (void)block;
    expect_number(search(), 3, "from there, with none on it");
    swapcontext(&inside, &outside);
}

/* Enter FUNCTION on a stack that is a block of an arena. */
static void enter(void (*function)(void))
{
    getcontext(&inside);
    inside.uc_stack.ss_sp = moat_arena_alloc(create("stacks"), STACK_BYTES);
    inside.uc_stack.ss_size = STACK_BYTES;
    inside.uc_link = &outside;
    makecontext(&inside, function, 0);
    swapcontext(&outside, &inside);
}

static void look_on_a_stack_in_a_block(void)
{
    arena = create("coroutine");
    lose();
    overwrite_stack();
    enter(search_on_block);
}

/* Two stacks in one mapping, the lower one sleeping: what that one holds counts
 * while the upper one runs. */
static ucontext_t lower;

static void sleep_with_block(void)
{
    void *volatile block = allocate();
    swapcontext(&lower, &outside);
    (void)block;
}

static void search_beside_a_sleeper(void)
{
    expect_number(search(), 0, "on a stack that sleeps below");
    swapcontext(&inside, &outside);
}

static void make_context(ucontext_t *context, char *stack,
                         void (*function)(void))
{
    memset(context, 0, sizeof *context);
    getcontext(context);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = STACK_BYTES;
    context->uc_link = &outside;
    makecontext(context, function, 0);
}

static void look_on_a_stack_that_sleeps(void)
{
    size_t guard_bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *stacks = mmap(NULL, guard_bytes + 2 * STACK_BYTES,
                        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    mprotect(stacks, guard_bytes, PROT_NONE);
    arena = create("sleeper");
    make_context(&lower, stacks + guard_bytes, sleep_with_block);
    swapcontext(&outside, &lower);
    overwrite_stack();
    make_context(&inside, stacks + guard_bytes + STACK_BYTES,
                 search_beside_a_sleeper);
    swapcontext(&outside, &inside);
    munmap(stacks, guard_bytes + 2 * STACK_BYTES);
    memset(&lower, 0, sizeof lower);
    memset(&inside, 0, sizeof inside);
    overwrite_stack();
    expect_number(search(), 1, "when both stacks are gone");
}

/* A thread in a handler on an alternate stack: what it holds on its own. */
static void handle(int signal)
{
    (void)signal;
    reach_stage(1);
    spin_until(2);
}

static void *hold_in_handler(void *unused)
{
    static char alternate[64 * 1024];
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
    (void)unused;
    sigaltstack(&stack, NULL);
    void *volatile block = allocate();
    raise(SIGUSR1);
    block = NULL;
    (void)block;
    clear_registers();
    reach_stage(3);
    spin_until(4);
    return NULL;
}

static void leave_in_handler(int signal)
{
    (void)signal;
    leave_below(DEEP);
}

/* What a handler has left on the alternate stack. */
static void look_on_the_alternate_stack(void)
{
    static char alternate[64 * 1024];
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
    struct sigaction action
        = { .sa_handler = leave_in_handler, .sa_flags = SA_ONSTACK };
    arena = create("alternate");
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    expect_number(search(), 1, "on the alternate stack");
}

static void look_below_a_handler(void)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_ONSTACK };
    pthread_t thread;
    arena = create("handler");
    stage = 0;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&thread, NULL, hold_in_handler, NULL);
    wait_for_stage(1);
    expect_number(search(), 0, "in a thread that is in a handler");
    reach_stage(2);
    wait_for_stage(3);
    expect_number(search(), 1, "in none");
    reach_stage(4);
    pthread_join(thread, NULL);
}

/* ----- Other threads go on as if nothing had been ------------------------ */

static int ends[2];

static void *read_a_byte(void *unused)
{
    char byte = 0;
    (void)unused;
    reach_stage(1);
    ssize_t got = read(ends[0], &byte, 1);
    return got == 1 && byte == '!' ? NULL : (void *)"interrupted";
}

static void let_a_thread_read(void)
{
    pthread_t thread;
    void *complaint;
    arena = create("reader");
    lose();
    stage = 0;
    expect(pipe(ends) == 0, "a pipe");
    pthread_create(&thread, NULL, read_a_byte, NULL);
    wait_for_stage(1);
    for (int i = 0; i < 50; i++) {
        expect_number(search(), 1, "while a thread reads");
        expect(strstr(text, "could not be stopped") == NULL,
               "a thread that reads is stopped");
    }
    expect(write(ends[1], "!", 1) == 1, "the byte is written");
    pthread_join(thread, &complaint);
    expect(complaint == NULL, "the thread has read on");
}

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *block_the_signal(void *unused)
{
    sigset_t set;
    (void)unused;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    reach_stage(1);
    spin_until(2);
    /* It comes now, too late. */
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return NULL;
}

static void say_who_cannot_be_stopped(void)
{
    pthread_t thread;
    arena = create("deaf");
    lose();
    stage = 0;
    pthread_create(&thread, NULL, block_the_signal, NULL);
    wait_for_stage(1);
    int64_t begun = milliseconds();
    expect_number(search(), 1, "beside a thread that is deaf");
    expect(milliseconds() - begun < 10000, "in good time");
    expect(strstr(text, "  1 thread could not be stopped; ") != NULL,
           "it is said");
    reach_stage(2);
    pthread_join(thread, NULL);
    expect_number(search(), 1, "without it");
    expect(strstr(text, "could not be stopped") == NULL, "nothing is said");
}

static void pass_on(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
}

static void stand_behind_a_handler(void)
{
    struct sigaction action = { .sa_sigaction = pass_on,
                                .sa_flags = SA_SIGINFO };
    pthread_t thread;
    arena = create("handler");
    lose();
    stage = 0;
    sigaction(SIGSEGV, &action, NULL);
    pthread_create(&thread, NULL, spin, NULL);
    expect_number(search(), 1, "behind a handler of the program's");
    expect(strstr(text, "  1 thread could not be stopped; ") != NULL,
           "it is said");
    reach_stage(2);
    pthread_join(thread, NULL);
}

/* Where no signal may wait, values are lost. */
static void stop_without_values(void)
{
    struct rlimit none = { 0, 0 };
    pthread_t thread;
    arena = create("values");
    stage = 0;
    pthread_create(&thread, NULL, hold_on_stack_in_thread, NULL);
    wait_for_stage(1);
    setrlimit(RLIMIT_SIGPENDING, &none);
    expect_number(search(), 0, "where values are lost");
    expect(strstr(text, "could not be stopped") == NULL,
           "a thread is stopped all the same");
    reach_stage(2);
    wait_for_stage(3);
    reach_stage(4);
    pthread_join(thread, NULL);
}

enum { THREADS = 24, ROUNDS = 40 };

static _Atomic bool is_over;

static void *work(void *unused)
{
    struct moat_arena *mine = moat_arena_create("work", CAPACITY);
    (void)unused;
    while (!is_over) {
        char *block = moat_arena_alloc(mine, 100);
        if (block == NULL) {
            moat_arena_reset(mine);
            continue;
        }
        memset(block, 'x', 100);
        free(malloc(1000));
        moat_arena_free(mine, block);
    }
    moat_arena_destroy(mine);
    return NULL;
}

static void search_while_threads_work(void)
{
    pthread_t threads[THREADS];
    arena = create("work");
    lose();
    keep(&places[0]);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    for (int i = 0; i < ROUNDS; i++) {
        expect_number(search(), 1, "while threads work");
        expect(strstr(text, "could not be stopped") == NULL,
               "all are stopped");
    }
    is_over = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void *use_shared(void *shared)
{
    while (!is_over) {
        void *volatile block = moat_arena_alloc(shared, BLOCK_BYTES);
        if (block != NULL) {
            memset(block, 0, BLOCK_BYTES);
            moat_arena_free(shared, block);
        }
    }
    return NULL;
}

/* Those that wait for the lock of the arena are stopped as well. */
static void search_a_shared_arena(void)
{
    struct moat_arena_config config = { .name = "shared",
                                        .capacity = CAPACITY,
                                        .layout = layout,
                                        .sharing = MOAT_SHARING_LOCKED };
    pthread_t threads[4];
    arena = moat_arena_create_with(&config);
    lose();
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, use_shared, arena);
    }
    for (int i = 0; i < ROUNDS; i++) {
        expect_number(search(), 1, "while others use the arena");
    }
    is_over = true;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void *nothing(void *unused)
{
    return unused;
}

static void *start_threads(void *unused)
{
    (void)unused;
    while (!is_over) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) == 0) {
            pthread_join(thread, NULL);
        }
    }
    return NULL;
}

static void search_while_threads_come_and_go(void)
{
    pthread_t threads[4];
    arena = create("coming and going");
    lose();
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, start_threads, NULL);
    }
    for (int i = 0; i < ROUNDS; i++) {
        expect_number(search(), 1, "while threads come and go");
    }
    is_over = true;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

__attribute__((noinline)) static void lose_in(struct moat_arena *mine)
{
    moat_arena_alloc(mine, BLOCK_BYTES);
}

static void *search_again_and_again(void *wrong)
{
    struct moat_arena *mine = create("one's own");
    for (size_t i = 1; i <= ROUNDS; i++) {
        lose_in(mine);
*(size_t *)wrong += moat_arena_leaks(mine, NULL) != i;
    }
    return NULL;
}

static void let_threads_search(void)
{
    pthread_t threads[4];
    size_t wrong[4] = { 0 };
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, search_again_and_again, &wrong[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        expect_number(wrong[i], 0, "searches that found something else");
    }
}

/* A pending cancellation must wait until the others go on. */
static void *search_when_cancelled(void *unused)
{
    (void)unused;
    pthread_cancel(pthread_self());
    expect_number(moat_arena_leaks(arena, NULL), 1, "while cancelled");
    reach_stage(2);
    pthread_testcancel();
    return NULL;
}

static void cancel_who_searches(void)
{
    pthread_t beside;
    pthread_t thread;
    arena = create("cancelled");
    lose();
    stage = 0;
    pthread_create(&beside, NULL, spin, NULL);
    pthread_create(&thread, NULL, search_when_cancelled, NULL);
    pthread_join(thread, NULL);
    expect_number((size_t)stage, 2, "the search has come to its end");
    pthread_join(beside, NULL);
}

/* ----- Processes ---------------------------------------------------------- */

static void search_in_a_child(void)
{
    int status;
    pthread_t thread;
    arena = create("forked");
    lose();
    keep(&places[0]);
    stage = 0;
    pthread_create(&thread, NULL, spin, NULL);
    expect_number(search(), 1, "before fork()");
    pid_t child = fork();
    if (child == 0) {
        expect_number(search(), 1, "in the child");
        global = NULL;
        expect_number(search(), 2, "in the child, later");
        fflush(stdout);
        _exit(is_wrong);
    }
    expect_number(search(), 1, "in the parent");
    expect(waitpid(child, &status, 0) == child && status == 0, "the child");
    reach_stage(2);
    pthread_join(thread, NULL);
}

static void *search_alone(void *first)
{
    pthread_join(*(pthread_t *)first, NULL);
    expect_number(search(), 1, "after the end of main()");
    expect(strstr(text, "could not be stopped") == NULL, "all are stopped");
    exit(is_wrong ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void end_main_first(void)
{
    static pthread_t first;
    pthread_t thread;
    arena = create("alone");
    lose();
    first = pthread_self();
    pthread_create(&thread, NULL, search_alone, &first);
    pthread_exit(NULL);
}

/* ----- Arguments ---------------------------------------------------------- */

static void ask_wrongly(void)
{
    int number;
    errno = 0;
    expect_number(moat_arena_leaks(NULL, stdout), 0, "of no arena");
    expect(errno == EINVAL, "EINVAL");
    errno = 0;
    expect_number(moat_arena_leaks((struct moat_arena *)&number, stdout), 0,
                  "of something else");
    expect(errno == EINVAL, "EINVAL");
    arena = create("ended");
    lose();
    overwrite_stack();
    errno = EDOM;
    expect_number(moat_arena_leaks(arena, NULL), 1, "without a stream");
    expect(errno == EDOM, "errno is as it was");
    moat_arena_destroy(arena);
    errno = 0;
    expect_number(moat_arena_leaks(arena, stdout), 0, "of an ended arena");
    expect(errno == EINVAL, "EINVAL");
}

static void draw_a_map(void)
{
    arena = create("map");
    lose();
    keep(&places[0]);
    FILE *out = fmemopen(text, sizeof text, "w");
    moat_arena_dump(arena, out, MOAT_DUMP_MAP);
    fclose(out);
    expect(strstr(text, "? leaked") == NULL, "before a search none is leaked");
    search();
    out = fmemopen(text, sizeof text, "w");
    moat_arena_dump(arena, out, MOAT_DUMP_MAP);
    fclose(out);
    expect(strstr(text, "??") != NULL && strstr(text, "##") != NULL
               && strstr(text, "# live, ? leaked") != NULL,
           "a map tells them apart");
}

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
    { "look_in_all_places", look_in_all_places },
    { "judge_lost_blocks", judge_lost_blocks },
    { "look_where_nothing_counts", look_where_nothing_counts },
    { "look_in_own_registers", look_in_own_registers },
    { "look_in_registers_of_a_thread", look_in_registers_of_a_thread },
    { "look_on_the_stack_of_a_thread", look_on_the_stack_of_a_thread },
    { "look_below_the_stack_of_a_thread", look_below_the_stack_of_a_thread },
    { "look_on_stacks_side_by_side", look_on_stacks_side_by_side },
    { "look_on_own_stack", look_on_own_stack },
    { "look_on_a_stack_in_a_block", look_on_a_stack_in_a_block },
    { "look_on_a_stack_that_sleeps", look_on_a_stack_that_sleeps },
    { "look_on_the_alternate_stack", look_on_the_alternate_stack },
    { "look_below_a_handler", look_below_a_handler },
    { "let_a_thread_read", let_a_thread_read },
    { "say_who_cannot_be_stopped", say_who_cannot_be_stopped },
    { "stand_behind_a_handler", stand_behind_a_handler },
    { "stop_without_values", stop_without_values },
    { "search_while_threads_work", search_while_threads_work },
    { "search_a_shared_arena", search_a_shared_arena },
    { "search_while_threads_come_and_go", search_while_threads_come_and_go },
    { "let_threads_search", let_threads_search },
    { "cancel_who_searches", cancel_who_searches },
    { "search_in_a_child", search_in_a_child },
    { "end_main_first", end_main_first },
    { "ask_wrongly", ask_wrongly },
    { "draw_a_map", draw_a_map },
};

int main(int argument_count, char *arguments[])
{
    size_t count = sizeof scenes / sizeof scenes[0];
    if (argument_count != 3) {
        for (size_t i = 0; i < count; i++) {
            puts(scenes[i].name);
        }
        return EXIT_SUCCESS;
    }
    layout = strcmp(arguments[2], "fenced") == 0 ? MOAT_LAYOUT_FENCED
                                                 : MOAT_LAYOUT_PACKED;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(arguments[1], scenes[i].name) == 0) {
            scenes[i].play();
            return is_wrong ? EXIT_FAILURE : EXIT_SUCCESS;
        }
    }
    fprintf(stderr, "leaks: no scene %s\n", arguments[1]);
    return EXIT_FAILURE;
}
