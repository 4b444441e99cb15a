/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handlers LIBRARY ORDER SCENE: a program with handlers of its own for SIGSEGV
 * and SIGBUS. It is not linked with Moat but loads LIBRARY when it has
 * installed its handler (ORDER early), or before that, and then has Moat stand
 * in front by moat_catch_faults() (ORDER caught), or does not (ORDER late).
 *
 * Ends with exit status 0 when all was as without Moat.
 */
#include <moat.h>

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *library_path;
static const char *order;

static struct moat_arena *(*create)(const char *, size_t);
static void *(*allocate)(struct moat_arena *, size_t);
static void (*destroy)(struct moat_arena *);
static int (*catch_faults)(void);

static void check(bool is_so, const char *what)
{
    if (!is_so) {
        fprintf(stderr, "not so: %s\n", what);
        exit(3);
    }
}

/* The conversion that POSIX has for a function from dlsym(). */
static void find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    check(symbol != NULL, name);
    memcpy(function, &symbol, sizeof symbol);
}

static void load(void)
{
    void *library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    check(library != NULL, library_path);
    find(library, "moat_arena_create", &create);
    find(library, "moat_arena_alloc", &allocate);
    find(library, "moat_arena_destroy", &destroy);
    find(library, "moat_catch_faults", &catch_faults);
}

/* Install ACTION for SIGNAL and load Moat, as ORDER says. */
static void install(int signal_number, const struct sigaction *action)
{
    if (strcmp(order, "early") == 0) {
        check(sigaction(signal_number, action, NULL) == 0, "sigaction");
        load();
        return;
    }
    load();
    check(sigaction(signal_number, action, NULL) == 0, "sigaction");
    if (strcmp(order, "caught") == 0) {
        check(catch_faults() == 0, "moat_catch_faults");
    }
}

__attribute__((noinline)) static void write_to(volatile char *place)
{
    *place = '!';
}

static char *map_page(int protection)
{
    char *page = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                      0);
    check(page != MAP_FAILED, "mmap");
    return page;
}

/* What is Moat's: one byte behind the block that fills an arena. */
static void overflow(void)
{
    struct moat_arena *arena = create("letters", 4096);
    write_to((char *)allocate(arena, 4096) + 4096);
}

static bool is_blocked(int signal_number)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, signal_number) == 1;
}

static char *page;
static volatile sig_atomic_t calls;
static volatile siginfo_t told;
static volatile bool has_context;
static volatile bool was_blocked;
static volatile bool was_other_blocked;
static uintptr_t handler_stack;
static sigjmp_buf way_back;

static void jump(int signal_number)
{
    char local;
    handler_stack = (uintptr_t)&local;
    calls++;
    siglongjmp(way_back, signal_number);
}

static void mend(int signal_number, siginfo_t *info, void *context)
{
    calls++;
    told = *info;
    has_context = context != NULL;
    was_blocked = is_blocked(signal_number);
    was_other_blocked = is_blocked(SIGUSR1);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void jumps_a_hundred_times(void)
{
    page = map_page(PROT_NONE);
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump });
    for (int i = 1; i <= 100; i++) {
        if (sigsetjmp(way_back, 1) == 0) {
            write_to(page);
            check(false, "the page is there");
        }
        check(calls == i, "one call for each fault");
        check(!is_blocked(SIGSEGV), "the signal is not left blocked");
    }
    if (sigsetjmp(way_back, 1) == 0) {
        overflow();
    }
    check(calls == 100, "what is Moat's is not passed on");
}

static void is_told_everything_and_mends(void)
{
    struct sigaction action = { .sa_sigaction = mend,
                                .sa_flags = SA_SIGINFO };
    sigaddset(&action.sa_mask, SIGUSR1);
    page = map_page(PROT_READ);
    install(SIGSEGV, &action);
    write_to(page + 123);
    check(page[123] == '!', "the instruction ran again");
    check(calls == 1, "one call");
    check(told.si_signo == SIGSEGV, "si_signo");
    check(told.si_code == SEGV_ACCERR, "si_code");
    check(told.si_addr == page + 123, "si_addr");
    check(has_context, "a context");
    check(was_blocked, "the signal is blocked meanwhile");
    check(was_other_blocked, "sa_mask is blocked meanwhile");
    check(!is_blocked(SIGSEGV) && !is_blocked(SIGUSR1),
          "nothing is blocked afterwards");
}

static void is_not_deferred(void)
{
    page = map_page(PROT_NONE);
    install(SIGSEGV, &(struct sigaction){ .sa_sigaction = mend,
                                          .sa_flags = SA_SIGINFO
                                                      | SA_NODEFER });
    write_to(page);
    check(calls == 1, "one call");
    check(!was_blocked, "the signal is not blocked meanwhile");
}

/* Without end: the second fault is nobody's. */
static void is_reset(void)
{
    page = map_page(PROT_NONE);
    install(SIGSEGV, &(struct sigaction){ .sa_sigaction = mend,
                                          .sa_flags = (int)SA_RESETHAND
                                                      | SA_SIGINFO });
    write_to(page);
    check(calls == 1 && page[0] == '!', "the first fault is handled");
    fputs("mended once\n", stderr);
    write_to(map_page(PROT_NONE));
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[400];
    frame[0] = (char)depth;
    return depth < 0 ? depth : recurse(depth + 1) + frame[0];
}

static volatile int kept;

static void has_a_stack_of_its_own(void)
{
    enum { BYTES = 64 * 1024 };
    static char own[BYTES];
    stack_t stack = { .ss_sp = own, .ss_size = BYTES };
    check(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump,
                                          .sa_flags = SA_ONSTACK });
    for (int i = 1; i <= 3; i++) {
        if (sigsetjmp(way_back, 1) == 0) {
            kept = recurse(1);
        }
        check(calls == i, "one call for each overflow of the stack");
        check(handler_stack - (uintptr_t)own < BYTES,
              "on the program's own stack");
    }
    stack_t after;
    sigaltstack(NULL, &after);
    check(after.ss_sp == own && after.ss_size == BYTES,
          "the stack is still the program's");
}

/* Such a handler could not have run, so it is Moat's. */
static void has_no_stack_for_an_overflow(void)
{
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump });
    if (sigsetjmp(way_back, 1) == 0) {
        kept = recurse(1);
    }
}

static char *page_behind_the_end_of_a_file(void)
{
    char name[] = "/tmp/moat-handlers-XXXXXX";
    int descriptor = mkstemp(name);
    check(descriptor >= 0, "mkstemp");
    unlink(name);
    char *behind = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
                        descriptor, 0);
    check(behind != MAP_FAILED, "mmap");
    return behind;
}

static void handles_bus_errors(void)
{
    char *behind = page_behind_the_end_of_a_file();
    install(SIGBUS, &(struct sigaction){ .sa_handler = jump });
    for (int i = 1; i <= 10; i++) {
        int signal_number = sigsetjmp(way_back, 1);
        if (signal_number == 0) {
            write_to(behind);
        }
        check(signal_number == SIGBUS && calls == i, "SIGBUS for each fault");
    }
}

static void remember(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)context;
    calls++;
    told = *info;
}

static void is_sent_the_signal(void)
{
    install(SIGSEGV, &(struct sigaction){ .sa_sigaction = remember,
                                          .sa_flags = SA_SIGINFO });
    check(kill(getpid(), SIGSEGV) == 0, "kill");
    check(calls == 1 && told.si_code == SI_USER && told.si_pid == getpid(),
          "who sent it");
    check(raise(SIGSEGV) == 0, "raise");
    check(calls == 2 && told.si_code == SI_TKILL, "who raised it");
}

static void ignores_the_signal(void)
{
    install(SIGSEGV, &(struct sigaction){ .sa_handler = SIG_IGN });
    kill(getpid(), SIGSEGV);
    raise(SIGSEGV);
}

/* A fault cannot be ignored. */
static void ignores_a_fault(void)
{
    install(SIGSEGV, &(struct sigaction){ .sa_handler = SIG_IGN });
    write_to(map_page(PROT_NONE));
}

static void *fault_often(void *unused)
{
    for (int i = 0; i < 50; i++) {
        if (sigsetjmp(way_back, 1) == 0) {
            write_to(page);
        }
    }
    return unused;
}

static void jumps_in_another_thread(void)
{
    pthread_t thread;
    page = map_page(PROT_NONE);
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump });
    check(pthread_create(&thread, NULL, fault_often, NULL) == 0, "a thread");
    pthread_join(thread, NULL);
    check(calls == 50, "each fault of another thread");
    fault_often(NULL);
    check(calls == 100, "each fault of this thread");
}

static void jumps_in_a_child(void)
{
    int status;
    page = map_page(PROT_NONE);
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump });
    pid_t child = fork();
    if (child == 0) {
        fault_often(NULL);
        _exit(calls == 50 ? 0 : 3);
    }
    waitpid(child, &status, 0);
    check(status == 0, "each fault of a child");
}

static _Atomic int arenas;

static void *come_and_go(void *unused)
{
    for (;;) {
        struct moat_arena *arena = create("crowd", 8192);
        memset(allocate(arena, 100), 1, 100);
        destroy(arena);
        arenas++;
    }
    return unused;
}

static void jumps_in_a_crowd(void)
{
    pthread_t threads[2];
    page = map_page(PROT_NONE);
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump });
    for (int i = 0; i < 2; i++) {
        check(pthread_create(&threads[i], NULL, come_and_go, NULL) == 0,
              "a thread");
    }
    /* Until they have been at it for a while. */
    do {
        calls = 0;
        fault_often(NULL);
        check(calls == 50, "each fault in a crowd");
    } while (arenas < 1000);
    _exit(0);
}

static struct sigaction before;

static void pass_on(int signal_number, siginfo_t *info, void *context)
{
    calls++;
    if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(signal_number, info, context);
    } else if (before.sa_handler == SIG_DFL) {
        signal(signal_number, SIG_DFL);
    }
}

/* What is not its own goes to whoever was there before. */
static void passes_on(void)
{
    load();
    check(sigaction(SIGSEGV,
                    &(struct sigaction){ .sa_sigaction = pass_on,
                                         .sa_flags = SA_SIGINFO },
                    &before)
              == 0,
          "sigaction");
    if (strcmp(order, "caught") == 0) {
        catch_faults();
    }
    overflow();
}

static void passes_on_what_is_nobodys(void)
{
    load();
    sigaction(SIGSEGV,
              &(struct sigaction){ .sa_sigaction = pass_on,
                                   .sa_flags = SA_SIGINFO },
              &before);
    if (strcmp(order, "caught") == 0) {
        catch_faults();
    }
    write_to(map_page(PROT_NONE));
}

/* The handler of a program that has put itself in Moat's place. */
static void takes_what_is_moats(void)
{
    install(SIGSEGV, &(struct sigaction){ .sa_handler = jump });
    if (sigsetjmp(way_back, 1) == 0) {
        overflow();
    }
    check(calls == 1, "the later handler wins");
}

static const struct {
    const char *name;
    void (*play)(void);
} scenes[] = {
    { "jumps_a_hundred_times", jumps_a_hundred_times },
    { "is_told_everything_and_mends", is_told_everything_and_mends },
    { "is_not_deferred", is_not_deferred },
    { "is_reset", is_reset },
    { "has_a_stack_of_its_own", has_a_stack_of_its_own },
    { "has_no_stack_for_an_overflow", has_no_stack_for_an_overflow },
    { "handles_bus_errors", handles_bus_errors },
    { "is_sent_the_signal", is_sent_the_signal },
    { "ignores_the_signal", ignores_the_signal },
    { "ignores_a_fault", ignores_a_fault },
    { "jumps_in_another_thread", jumps_in_another_thread },
    { "jumps_in_a_child", jumps_in_a_child },
    { "jumps_in_a_crowd", jumps_in_a_crowd },
    { "passes_on", passes_on },
    { "passes_on_what_is_nobodys", passes_on_what_is_nobodys },
    { "takes_what_is_moats", takes_what_is_moats },
};

int main(int argument_count, char *arguments[])
{
    if (argument_count != 4) {
        return 2;
    }
    library_path = arguments[1];
    order = arguments[2];
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        if (strcmp(scenes[i].name, arguments[3]) == 0) {
            scenes[i].play();
            return 0;
        }
    }
    return 2;
}
