/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moat doctor: tries each way to revoke on this machine, with a real fault and
 * a clock, and names the limits that Moat will meet.
 */
#include "command.h"

#include "os/pages.h"
#include "os/revoke.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* Enough for a steady figure, few enough for 0.1 s a way. */
enum { PAIRS = 5000, ROUNDS = 5 };

/* Two slots: a page and a guard page each. */
enum { SLOTS = 2, SLOT_PAGES = 2 };

static sigjmp_buf way_back;
static volatile uintptr_t fault_address;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    fault_address = (uintptr_t)info->si_addr;
    siglongjmp(way_back, signal_number);
}

/* Touch ADDRESS; return whether that was a fault at this very address. */
static bool stops_access(uintptr_t address)
{
    struct sigaction action = { .sa_sigaction = on_fault,
                                .sa_flags = SA_SIGINFO };
    struct sigaction segv;
    struct sigaction bus;
    volatile bool is_stopped = true;

    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &segv);
    sigaction(SIGBUS, &action, &bus);
    fault_address = 0;
    if (sigsetjmp(way_back, 1) == 0) {
        *(volatile char *)address;
        is_stopped = false;
    }
    sigaction(SIGSEGV, &segv, NULL);
    sigaction(SIGBUS, &bus, NULL);
    return is_stopped && fault_address == address;
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uintptr_t slot_at(uintptr_t slots, int number)
{
    return slots + (uintptr_t)(number % SLOTS) * SLOT_PAGES * pages_size();
}

/* Free a block and allocate the next: one call where the way can do that. */
static int free_and_allocate(const struct revoke_way *way, uintptr_t from,
                             uintptr_t to)
{
    if (way->transfer != NULL) {
        return way->transfer(from, to, pages_size());
    }
    int error = way->revoke(from, pages_size());
    return error != 0 ? error : way->arm(to, pages_size());
}

/* What a free and an allocation of a page take, in nanoseconds; 0: it does not
 * work. The fastest of some rounds, because others use the machine too. */
static double pair_cost(const struct revoke_way *way, uintptr_t slots)
{
    double fastest = 0;

    if (way->arm(slots, pages_size()) != 0) {
        return 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double began = now();
        for (int pair = 0; pair < PAIRS; pair++) {
            uintptr_t page = slot_at(slots, pair);
            *(volatile char *)page = 1;
            if (free_and_allocate(way, page, slot_at(slots, pair + 1)) != 0) {
                return 0;
            }
        }
        double elapsed = (now() - began) / PAIRS;
        if (fastest == 0 || elapsed < fastest) {
            fastest = elapsed;
        }
    }
    return way->revoke(slot_at(slots, PAIRS), pages_size()) == 0 ? fastest : 0;
}

static bool stops_everywhere(uintptr_t slots)
{
    for (int page = 0; page < SLOTS * SLOT_PAGES; page++) {
        if (!stops_access(slots + (uintptr_t)page * pages_size())) {
            return false;
        }
    }
    return true;
}

/* Examine WAY and print a line; return whether it can be used. */
static bool examine(const struct revoke_way *way)
{
    size_t bytes = SLOTS * SLOT_PAGES * pages_size();
    uintptr_t slots;
    int error = way->probe();
    double cost = 0;
    bool has_stopped = false;

    if (error == 0) {
        error = pages_reserve(bytes, &slots);
    }
    if (error == 0) {
        error = way->prepare(slots, bytes);
        has_stopped = error == 0 && stops_everywhere(slots);
        cost = error == 0 ? pair_cost(way, slots) : 0;
        has_stopped = has_stopped && stops_everywhere(slots);
        pages_unmap(slots, bytes);
    }
    if (error != 0) {
        printf("  %-10s no: %s\n", way->name, strerror(error));
    } else if (!has_stopped || cost == 0) {
        printf("  %-10s no: it did not stop an access\n", way->name);
    } else {
        printf("  %-10s yes, an access was stopped; a pair costs %.0f ns\n",
               way->name, cost);
    }
    return error == 0 && has_stopped && cost != 0;
}

/* The number in a file of /proc; -1: none. */
static long long read_number(const char *path)
{
    long long number = -1;
    FILE *file = fopen(path, "re");

    if (file != NULL) {
        if (fscanf(file, "%lld", &number) != 1) {
            number = -1;
        }
        fclose(file);
    }
    return number;
}

static void print_limits(void)
{
    long long mappings = read_number("/proc/sys/vm/max_map_count");
    long long overcommit = read_number("/proc/sys/vm/overcommit_memory");
    size_t left = pages_address_space_left();
    sigset_t blocked;
    bool has_limit = false;

    puts("\nlimits");
    if (mappings >= 0) {
        printf("  %lld mappings a process: with mprotect, half as many "
               "arenas or fenced blocks\n", mappings);
        has_limit = true;
    }
    if (overcommit == 2) {
        puts("  memory is committed strictly (vm.overcommit_memory=2)");
        has_limit = true;
    }
    if (left != SIZE_MAX) {
        printf("  address space is limited (ulimit -v): %zu MiB are left, of "
               "which Moat takes a quarter\n", left >> 20);
        has_limit = true;
    }
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    if (sigismember(&blocked, SIGSEGV) || sigismember(&blocked, SIGBUS)) {
        puts("  SIGSEGV or SIGBUS is blocked from the start: a fault will "
             "end a program without a report");
        has_limit = true;
    }
    if (!has_limit) {
        puts("  none");
    }
}

int doctor_run(int argument_count, char *const arguments[])
{
    struct utsname system;
    const struct revoke_way *way;
    const struct revoke_way *chosen = NULL;

    if (argument_count > 1) {
        return command_misused("doctor takes no '%s'", arguments[1]);
    }
    if (uname(&system) == 0) {
        printf("%s %s on %s, pages of %zu bytes\n", system.sysname,
               system.release, system.machine, pages_size());
    }
    puts("\nways to make pages inaccessible, the best first");
    for (size_t place = 0; (way = revoke_way_at(place)) != NULL; place++) {
        bool is_usable = examine(way);
        if (is_usable && chosen == NULL) {
            chosen = way;
        }
    }
    print_limits();
    if (chosen == NULL) {
        puts("\nMoat cannot work here.");
        return COMMAND_FAILED;
    }
    printf("\nbackend=auto takes %s.\n", chosen->name);
    return COMMAND_OK;
}
