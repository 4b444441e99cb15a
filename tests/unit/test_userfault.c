/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * os/userfault: pages that are not there, and a descriptor that programs close,
 * replace, inherit and are refused.
 */
#include "os/userfault.h"

#include "os/pages.h"
#include "os/process.h"
#include "tests/support/child.h"
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { PAGES = 8 };

static uintptr_t range;

static size_t bytes(size_t pages)
{
    return pages * pages_size();
}

static uintptr_t page(size_t number)
{
    return range + bytes(number);
}

static char *text(size_t number)
{
    return (char *)page(number);
}

/* Without a fault: the kernel reads a byte for us, or cannot. */
static bool is_there(uintptr_t address)
{
    char byte;
    return pages_peek(address, 1, &byte);
}

/* For children too: whether just the pages with an 'x' are accessible. */
static bool looks_like(const char *map)
{
    for (size_t i = 0; map[i] != '\0'; i++) {
        if (is_there(page(i)) != (map[i] == 'x')) {
            printf("# page %zu is not as in %s\n", i, map);
            return false;
        }
    }
    return true;
}

/* How many descriptors there are of userfaultfd; the last in *FOUND. */
static int find_descriptors(int *found)
{
    char path[300];
    char target[64];
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (strcmp(target, "anon_inode:[userfaultfd]") == 0) {
            *found = atoi(entry->d_name);
            count++;
        }
    }
    closedir(folder);
    return count;
}

static int descriptor(void)
{
    int found = -1;
    return find_descriptors(&found) == 1 ? found : -1;
}

/* Page 1 has an 'A', page 2 a 'B', and the others are missing. */
static void set_up(void)
{
    ck_assert_int_eq(userfault_start(), 0);
    ck_assert_int_eq(pages_reserve(bytes(PAGES), &range), 0);
    ck_assert_int_eq(userfault_register(range, bytes(PAGES)), 0);
    ck_assert_int_eq(userfault_fill(page(1), bytes(2)), 0);
    *text(1) = 'A';
    *text(2) = 'B';
}

START_TEST(a_registered_range_is_out_of_reach)
{
    ck_assert_int_eq(userfault_start(), 0);
    ck_assert_int_eq(pages_reserve(bytes(PAGES), &range), 0);
    ck_assert_int_eq(userfault_register(range, bytes(PAGES)), 0);
    ck_assert(looks_like("........"));
}
END_TEST

/* Up to 32 pages are filled in another way than more. */
START_TEST(filled_pages_are_there_and_zero)
{
    static const size_t counts[] = { 1, 2, 31, 32, 33, 100 };
    size_t count = counts[_i];
    uintptr_t start;
    ck_assert_int_eq(userfault_start(), 0);
    ck_assert_int_eq(pages_reserve(bytes(count + 2), &start), 0);
    ck_assert_int_eq(userfault_register(start, bytes(count + 2)), 0);
    uintptr_t first = start + bytes(1);
    ck_assert_int_eq(userfault_fill(first, bytes(count)), 0);
    for (size_t i = 0; i < bytes(count); i++) {
        ck_assert_int_eq(((char *)first)[i], 0);
        ((char *)first)[i] = 'x';
    }
    ck_assert(!is_there(first - 1));
    ck_assert(!is_there(first + bytes(count)));
}
END_TEST

START_TEST(pages_in_two_mappings_are_filled_in_one_call)
{
    set_up();
    /* What splits the mapping between pages 4 and 5. */
    ck_assert_int_eq(madvise((void *)page(5), bytes(3), MADV_DONTDUMP), 0);
    ck_assert_int_eq(userfault_fill(page(3), bytes(4)), 0);
    ck_assert(looks_like(".xxxxxx."));
    ck_assert_int_eq(text(6)[7], 0);
    *text(6) = 'x';
}
END_TEST

START_TEST(dropped_pages_are_missing_and_come_back_empty)
{
    set_up();
    ck_assert_int_eq(userfault_drop(page(1), bytes(1)), 0);
    ck_assert(looks_like("..x....."));
    ck_assert_int_eq(userfault_fill(page(1), bytes(1)), 0);
    ck_assert_int_eq(*text(1), 0);
    ck_assert_int_eq(*text(2), 'B');
}
END_TEST

START_TEST(locked_pages_are_dropped_too)
{
    set_up();
    ck_assert_int_eq(mlock(text(1), bytes(2)), 0);
    ck_assert_int_eq(userfault_drop(page(1), bytes(2)), 0);
    ck_assert(looks_like("........"));
}
END_TEST

START_TEST(what_is_stray_on_a_page_is_gone_when_it_is_filled)
{
    set_up();
    ck_assert_int_eq(userfault_fill(page(0), bytes(5)), 0);
    ck_assert(looks_like("xxxxx..."));
    for (size_t i = 0; i < bytes(5); i++) {
        ck_assert_int_eq(text(0)[i], 0);
    }
    /* And with the zero page. */
    uintptr_t many;
    ck_assert_int_eq(pages_reserve(bytes(64), &many), 0);
    ck_assert_int_eq(userfault_register(many, bytes(64)), 0);
    ck_assert_int_eq(userfault_fill(many + bytes(40), bytes(2)), 0);
    *(char *)(many + bytes(41)) = 'C';
    ck_assert_int_eq(userfault_fill(many, bytes(64)), 0);
    ck_assert_int_eq(*(char *)(many + bytes(41)), 0);
    ck_assert(is_there(many + bytes(64) - 1));
}
END_TEST

START_TEST(a_moved_page_takes_along_what_it_holds)
{
    set_up();
    if (!userfault_can_move()) {
        return;
    }
    ck_assert_int_eq(userfault_move(page(1), page(5), bytes(2)), 0);
    ck_assert(looks_like(".....xx."));
    ck_assert_int_eq(*text(5), 'A');
    ck_assert_int_eq(*text(6), 'B');
    ck_assert_int_eq(userfault_fill(page(1), bytes(1)), 0);
    ck_assert_int_eq(*text(1), 0);
}
END_TEST

START_TEST(a_move_that_fails_leaves_nothing_where_it_was_to_go)
{
    set_up();
    if (!userfault_can_move()) {
        return;
    }
    ck_assert_int_eq(userfault_fill(page(5), bytes(1)), 0);
    ck_assert_int_eq(userfault_move(page(1), page(5), bytes(1)), EEXIST);
    ck_assert(looks_like(".xx....."));
    /* The second page is not there to be moved. */
    ck_assert_int_ne(userfault_move(page(2), page(5), bytes(2)), 0);
    ck_assert(!is_there(page(5)));
    ck_assert(!is_there(page(6)));
}
END_TEST

static int do_nothing(void *unused)
{
    (void)unused;
    return 0;
}

START_TEST(a_page_that_a_child_has_had_is_not_moved_until_it_is_written)
{
    set_up();
    if (!userfault_can_move()) {
        return;
    }
    ck_assert_int_eq(child_ending(CHILD_FORKED, do_nothing, NULL), 0);
    ck_assert_int_eq(userfault_move(page(1), page(5), bytes(1)), EBUSY);
    ck_assert(looks_like(".xx....."));
    ck_assert_int_eq(*text(1), 'A');
    *text(1) = 'C';
    ck_assert_int_eq(userfault_move(page(1), page(5), bytes(1)), 0);
    ck_assert_int_eq(*text(5), 'C');
}
END_TEST

static sigjmp_buf before_the_fault;
static int fault_signal;
static uintptr_t fault_address;

static void on_fault(int number, siginfo_t *about, void *registers)
{
    (void)registers;
    fault_signal = number;
    fault_address = (uintptr_t)about->si_addr;
    siglongjmp(before_the_fault, 1);
}

START_TEST(a_touch_of_a_missing_page_is_a_bus_error_at_its_address)
{
    struct sigaction action = { .sa_sigaction = on_fault,
                                .sa_flags = SA_SIGINFO };
    set_up();
    ck_assert_int_eq(sigaction(SIGBUS, &action, NULL), 0);
    ck_assert_int_eq(sigaction(SIGSEGV, &action, NULL), 0);
    volatile char *address = text(3) + 77;
    if (sigsetjmp(before_the_fault, 1) == 0) {
        if (_i == 0) {
            (void)*address;
        } else {
            *address = 'x';
        }
    }
    ck_assert_int_eq(fault_signal, SIGBUS);
    ck_assert_uint_eq(fault_address, page(3) + 77);
    ck_assert(looks_like(".xx....."));
}
END_TEST

static int touch(void *address)
{
    *(volatile char *)address = 'x';
    return 0;
}

START_TEST(a_child_that_touches_one_is_ended)
{
    set_up();
    int status = child_ending(CHILD_BORROWING, touch, text(3));
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGBUS);
    ck_assert_int_eq(child_ending(CHILD_BORROWING, touch, text(2)), 0);
    ck_assert_int_eq(*text(2), 'x');
}
END_TEST

START_TEST(the_descriptor_is_one_and_high_and_not_for_programs_that_are_run)
{
    set_up();
    int found = -1;
    ck_assert_int_eq(find_descriptors(&found), 1);
    ck_assert_int_ge(found, process_lowest_descriptor());
    ck_assert_int_eq(fcntl(found, F_GETFD), FD_CLOEXEC);
    /* As it is when it is started again. */
    ck_assert_int_eq(userfault_start(), 0);
    ck_assert_int_eq(descriptor(), found);
}
END_TEST

/* What the program has in the descriptor's place. */
static int open_instead(int number)
{
    struct uffdio_api api = { .api = UFFD_API };
    int ends[2] = { -1, -1 };
    switch (number) {
    case 1:
        return open("/dev/null", O_RDWR);
    case 2:
        return open("/proc/self/exe", O_RDONLY);
    case 3:
        ck_assert_int_eq(pipe(ends), 0);
        return ends[1];
    case 4:
        return socket(AF_UNIX, SOCK_STREAM, 0);
    case 5:
        return (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
    case 6:
        ends[0] = (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
        ck_assert_int_eq(ioctl(ends[0], UFFDIO_API, &api), 0);
        return ends[0];
    default:
        return -1;
    }
}

enum {
    /* Below here is no userfaultfd, and then one on which nothing is ready;
     * the last is one that takes ranges. */
    OTHER_INSTEADS = 5,
    UNREADY_INSTEADS = 6,
    INSTEADS = 7
};

/* Returns where the descriptor was; INSTEAD 0: nothing is there now. */
static int lose_descriptor(int instead)
{
    int number = descriptor();
    ck_assert_int_ge(number, 0);
    if (instead == 0) {
        ck_assert_int_eq(close(number), 0);
    } else {
        int other = open_instead(instead);
        ck_assert_int_ge(other, 0);
        ck_assert_int_eq(dup2(other, number), number);
        ck_assert_int_eq(close(other), 0);
    }
    return number;
}

/* 0: nothing is open there. */
static ino_t file_at(int number)
{
    struct stat about = { .st_ino = 0 };
    fstat(number, &about);
    return about.st_ino;
}

START_TEST(a_lost_descriptor_is_replaced_when_pages_are_filled)
{
    set_up();
    int number = lose_descriptor(_i);
    ino_t file = file_at(number);
    ck_assert_int_eq(userfault_fill(page(4), bytes(1)), 0);
    ck_assert_uint_eq(userfault_counts().lost, 1);
    ck_assert_uint_eq(userfault_counts().replaced, 0);
    ck_assert(looks_like(".xx.x..."));
    ck_assert_int_eq(*text(1), 'A');
    ck_assert_int_eq(*text(2), 'B');
    ck_assert_int_eq(*text(4), 0);
    /* What the program has there stays the program's. */
    ck_assert(_i == 0 || file_at(number) == file);
    ck_assert_int_eq(userfault_drop(page(1), bytes(1)), 0);
    ck_assert(looks_like("..x.x..."));
    ck_assert_uint_eq(userfault_counts().lost, 1);
}
END_TEST

START_TEST(a_lost_descriptor_is_replaced_when_a_range_is_registered)
{
    uintptr_t another;
    set_up();
    lose_descriptor(_i);
    ck_assert_int_eq(pages_reserve(bytes(2), &another), 0);
    ck_assert_int_eq(userfault_register(another, bytes(2)), 0);
    ck_assert_uint_eq(userfault_counts().lost, 1);
    ck_assert(looks_like(".xx....."));
    ck_assert(!is_there(another));
    ck_assert_int_eq(userfault_fill(another, bytes(1)), 0);
    ck_assert_int_eq(userfault_fill(page(7), bytes(1)), 0);
    ck_assert(looks_like(".xx....x"));
}
END_TEST

START_TEST(a_move_that_meets_a_lost_descriptor_finds_the_new_one)
{
    set_up();
    if (!userfault_can_move()) {
        return;
    }
    lose_descriptor(0);
    ck_assert_int_eq(userfault_move(page(1), page(5), bytes(1)), 0);
    ck_assert_int_eq(*text(5), 'A');
    ck_assert_int_eq(userfault_fill(page(6), bytes(1)), 0);
    ck_assert(looks_like("..x..xx."));
}
END_TEST

START_TEST(what_was_touched_while_the_descriptor_was_lost_is_dropped)
{
    set_up();
    lose_descriptor(0);
    *text(4) = 'C';
    ck_assert_int_eq(userfault_fill(page(3), bytes(3)), 0);
    ck_assert(looks_like(".xxxxx.."));
    ck_assert_int_eq(*text(4), 0);
}
END_TEST

static pthread_barrier_t all_are_here;

static void *fill_one(void *address)
{
    pthread_barrier_wait(&all_are_here);
    return userfault_fill((uintptr_t)address, bytes(1)) == 0 ? address : NULL;
}

static void *register_one(void *result)
{
    uintptr_t another;
    pthread_barrier_wait(&all_are_here);
    bool is_right = pages_reserve(bytes(2), &another) == 0
                    && userfault_register(another, bytes(2)) == 0
                    && userfault_fill(another, bytes(1)) == 0
                    && is_there(another) && !is_there(another + bytes(1));
    return is_right ? result : NULL;
}

START_TEST(of_many_threads_that_miss_it_one_replaces_it)
{
    enum { THREADS = 6 };
    set_up();
    ck_assert_int_eq(pthread_barrier_init(&all_are_here, NULL, THREADS), 0);
    for (unsigned round = 1; round <= 500; round++) {
        pthread_t threads[THREADS];
        lose_descriptor(0);
        for (size_t i = 0; i < THREADS; i++) {
            ck_assert_int_eq(pthread_create(&threads[i], NULL,
                                            i < 4 ? fill_one : register_one,
                                            text(4 + i)),
                             0);
        }
        for (size_t i = 0; i < THREADS; i++) {
            void *result;
            pthread_join(threads[i], &result);
            ck_assert_ptr_eq(result, text(4 + i));
        }
        ck_assert_uint_eq(userfault_counts().lost, round);
        ck_assert_int_ge(descriptor(), 0);
        ck_assert(looks_like(".xx.xxxx"));
        ck_assert_int_eq(userfault_drop(page(4), bytes(4)), 0);
        ck_assert(looks_like(".xx....."));
    }
}
END_TEST

static int wait_for_the_end_of(void *pipe_ends)
{
    const int *ends = pipe_ends;
    char byte;
    close(ends[1]);
    return (int)read(ends[0], &byte, 1);
}

/* A child that has not asked for its own keeps the parent's alive. */
START_TEST(one_that_another_process_still_has_is_not_replaced)
{
    int ends[2];
    set_up();
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(wait_for_the_end_of(ends));
    }
    close(ends[0]);
    lose_descriptor(0);
    ck_assert_int_eq(userfault_fill(page(4), bytes(1)), EBADF);
    ck_assert_uint_eq(userfault_counts().lost, 0);
    ck_assert(looks_like(".xx....."));
    close(ends[1]);
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(userfault_fill(page(4), bytes(1)), 0);
    ck_assert_uint_eq(userfault_counts().lost, 1);
    ck_assert(looks_like(".xx.x..."));
}
END_TEST

/* Nor does it have the ranges of one that is given up. */
START_TEST(what_another_process_still_has_is_given_up_all_the_same)
{
    int ends[2];
    set_up();
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(wait_for_the_end_of(ends));
    }
    close(ends[0]);
    userfault_give_up();
    ck_assert_int_eq(userfault_descriptor(), -1);
    ck_assert_int_eq(userfault_fill(page(4), bytes(2)), 0);
    *text(4) = 'D';
    *text(5) = 'E';
    ck_assert_int_eq(userfault_drop(page(5), bytes(1)), 0);
    ck_assert(looks_like(".xx.x..."));
    close(ends[1]);
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* Fill, drop and move, until a page is not as it is to be. */
static void *fill_and_drop(void *first)
{
    uintptr_t at = (uintptr_t)first;
    bool is_right = true;
    pthread_barrier_wait(&all_are_here);
    for (int i = 0; is_right && i < 300; i++) {
        is_right = userfault_fill(at, bytes(1)) == 0 && is_there(at);
        if (is_right && i % 2 == 0) {
            *(char *)at = 'F';
            uintptr_t to = at + bytes(1);
            if (userfault_move(at, to, bytes(1)) == 0) {
                is_right = *(volatile char *)to == 'F'
                           && userfault_drop(to, bytes(1)) == 0
                           && !is_there(to);
            }
        }
        is_right = is_right && userfault_drop(at, bytes(1)) == 0
                   && !is_there(at);
    }
    return is_right ? first : NULL;
}

static int give_up_in_the_midst(void *unused)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    (void)unused;
    CHILD_MUST(userfault_adopt() == 0);
    CHILD_MUST(pthread_barrier_init(&all_are_here, NULL, THREADS + 1) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        CHILD_MUST(pthread_create(&threads[i], NULL, fill_and_drop,
                                  text(3 + 2 * i))
                   == 0);
    }
    pthread_barrier_wait(&all_are_here);
    for (int i = 0; i < 20; i++) {
        sched_yield();
    }
    userfault_give_up();
    for (size_t i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        CHILD_MUST(result == text(3 + 2 * i));
    }
    CHILD_MUST(looks_like(".xx....."));
    CHILD_MUST(*text(1) == 'A' && *text(2) == 'B');
    return 0;
}

START_TEST(threads_that_arm_and_revoke_go_on_while_it_is_given_up)
{
    set_up();
    ck_assert_int_eq(pages_reserve(bytes(4096), &range), 0);
    ck_assert_int_eq(userfault_register(range, bytes(4096)), 0);
    ck_assert_int_eq(userfault_fill(page(1), bytes(2)), 0);
    *text(1) = 'A';
    *text(2) = 'B';
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(
            child_ending(CHILD_FORKED, give_up_in_the_midst, NULL), 0);
    }
}
END_TEST

START_TEST(a_forgotten_range_is_not_registered_again)
{
    set_up();
    ck_assert_int_eq(userfault_forget(page(4), bytes(2)), 0);
    ck_assert_int_eq(pages_renew(page(4), bytes(2)), 0);
    ck_assert_int_eq(pages_allow(page(4), bytes(2)), 0);
    ck_assert(looks_like(".xx.xx.."));
    lose_descriptor(0);
    ck_assert_int_eq(userfault_fill(page(7), bytes(1)), 0);
    ck_assert_int_eq(userfault_drop(page(4), bytes(2)), 0);
    ck_assert(looks_like(".xx.xx.x"));
    /* Until it is registered anew. */
    ck_assert_int_eq(userfault_register(page(4), bytes(2)), 0);
    ck_assert_int_eq(userfault_drop(page(4), bytes(2)), 0);
    ck_assert(looks_like(".xx....x"));
}
END_TEST

START_TEST(pages_outside_of_all_ranges_are_refused)
{
    uintptr_t another;
    set_up();
    int before = descriptor();
    ck_assert_int_eq(pages_map(bytes(2), "test", &another), 0);
    ck_assert_int_ne(userfault_fill(another, bytes(1)), 0);
    ck_assert_uint_eq(userfault_counts().lost, 0);
    ck_assert_int_eq(descriptor(), before);
    ck_assert(looks_like(".xx....."));
    ck_assert_int_eq(userfault_fill(page(4), bytes(1)), 0);
}
END_TEST

/* A child with memory of its own, and so its children. */
struct heir {
    bool calls_adopt;
    /* The child is the first. */
    unsigned generation;
};

/* What an heir does is nothing to its parent. */
static int inherit(void *argument)
{
    struct heir heir = *(struct heir *)argument;
    if (heir.calls_adopt) {
        CHILD_MUST(userfault_adopt() == 0);
    } else {
        CHILD_MUST(userfault_fill(page(0), bytes(1)) == 0);
        CHILD_MUST(userfault_drop(page(0), bytes(1)) == 0);
    }
    CHILD_MUST(userfault_counts().adopted == heir.generation);
    CHILD_MUST(userfault_counts().lost == 0);
    CHILD_MUST(descriptor() >= 0);
    CHILD_MUST(looks_like(".xx....."));
    CHILD_MUST(*text(1) == 'A');
    CHILD_MUST(*text(2) == 'B');
    if (heir.generation < 3) {
        struct heir next = { heir.calls_adopt, heir.generation + 1 };
        CHILD_MUST(child_ending(CHILD_FORKED, inherit, &next) == 0);
    }
    *text(1) = 'C';
    CHILD_MUST(userfault_drop(page(2), bytes(1)) == 0);
    CHILD_MUST(userfault_fill(page(7), bytes(1)) == 0);
    CHILD_MUST(looks_like(".x.....x"));
    if (userfault_can_move()) {
        CHILD_MUST(userfault_move(page(7), page(6), bytes(1)) == 0);
        CHILD_MUST(looks_like(".x....x."));
    }
    CHILD_MUST(userfault_counts().adopted == heir.generation);
    return 0;
}

START_TEST(a_child_has_ranges_and_a_descriptor_of_its_own)
{
    struct heir heir = { .calls_adopt = _i % 2 == 0, .generation = 1 };
    set_up();
    int number = descriptor();
    ck_assert_int_eq(child_ending((enum child_kind)(_i / 2), inherit, &heir),
                     0);
    ck_assert_int_eq(descriptor(), number);
    ck_assert_uint_eq(userfault_counts().adopted, 0);
    ck_assert(looks_like(".xx....."));
    ck_assert_int_eq(*text(1), 'A');
    ck_assert_int_eq(userfault_fill(page(3), bytes(1)), 0);
    ck_assert(looks_like(".xxx...."));
}
END_TEST

static int inherit_in_threads(void *unused)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    (void)unused;
    CHILD_MUST(pthread_barrier_init(&all_are_here, NULL, THREADS) == 0);
    for (size_t i = 0; i < THREADS; i++) {
        CHILD_MUST(pthread_create(&threads[i], NULL, fill_one, text(4 + i))
                   == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        CHILD_MUST(result == text(4 + i));
    }
    CHILD_MUST(looks_like(".xx.xxxx"));
    CHILD_MUST(userfault_counts().adopted == 1);
    CHILD_MUST(userfault_counts().lost == 0);
    return 0;
}

/* None of them uses what is the parent's, which would fill pages there. */
START_TEST(a_child_may_have_threads_before_it_has_its_own)
{
    set_up();
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(child_ending((enum child_kind)_i, inherit_in_threads,
                                      NULL),
                         0);
        ck_assert(looks_like(".xx....."));
    }
}
END_TEST

/* A program that makes itself a daemon closes all it has. */
static int close_and_inherit(void *heir)
{
    CHILD_MUST(close(descriptor()) == 0);
    return inherit(heir);
}

START_TEST(a_child_that_has_closed_what_it_inherited_has_one_too)
{
    struct heir heir = { .calls_adopt = _i == 0, .generation = 1 };
    set_up();
    int number = descriptor();
    ck_assert_int_eq(child_ending(CHILD_FORKED, close_and_inherit, &heir), 0);
    ck_assert_int_eq(descriptor(), number);
    ck_assert(looks_like(".xx....."));
}
END_TEST

struct place {
    int number;
    ino_t file;
};

static int keep_what_is_there(void *argument)
{
    const struct place *place = argument;
    CHILD_MUST(userfault_adopt() == 0);
    CHILD_MUST(file_at(place->number) == place->file);
    CHILD_MUST(looks_like(".xx....."));
    return 0;
}

START_TEST(a_child_keeps_what_its_parent_has_in_the_descriptors_place)
{
    set_up();
    struct place place = { .number = lose_descriptor(_i) };
    place.file = file_at(place.number);
    ck_assert_int_eq(child_ending(CHILD_FORKED, keep_what_is_there, &place), 0);
}
END_TEST

/* From now on userfaultfd() answers EPERM. Returns whether that could be had.
 */
static bool refuse_userfaultfd(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {
        .len = sizeof filter / sizeof filter[0],
        .filter = filter,
    };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
           && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Where another way stands in, all is as it was but for moving. */
static int live_without(void *generation)
{
    uintptr_t another;
    CHILD_MUST(userfault_fill(page(4), bytes(1)) == 0);
    CHILD_MUST(looks_like(".xx.x..."));
    CHILD_MUST(userfault_counts().replaced == 1);
    CHILD_MUST(userfault_counts().adopted == 0);
    CHILD_MUST(*text(1) == 'A');
    CHILD_MUST(*text(2) == 'B');
    CHILD_MUST(*text(4) == 0);
    *text(4) = 'C';
    CHILD_MUST(userfault_drop(page(4), bytes(1)) == 0);
    CHILD_MUST(looks_like(".xx....."));
    CHILD_MUST(userfault_fill(page(4), bytes(1)) == 0);
    CHILD_MUST(*text(4) == 0);
    CHILD_MUST(userfault_move(page(4), page(5), bytes(1)) == ENOSYS);
    CHILD_MUST(looks_like(".xx.x..."));
    CHILD_MUST(userfault_drop(page(4), bytes(1)) == 0);
    CHILD_MUST(pages_reserve(bytes(2), &another) == 0);
    CHILD_MUST(userfault_register(another, bytes(2)) == 0);
    CHILD_MUST(!is_there(another));
    CHILD_MUST(userfault_fill(another, bytes(1)) == 0);
    CHILD_MUST(is_there(another));
    CHILD_MUST(!is_there(another + bytes(1)));
    if (*(int *)generation > 0) {
        --*(int *)generation;
        CHILD_MUST(child_ending(CHILD_FORKED, live_without, generation) == 0);
    }
    return 0;
}

static int be_refused_and_live(void *generation)
{
    if (!refuse_userfaultfd()) {
        printf("# not tested: this machine allows no filter\n");
        return 0;
    }
    return live_without(generation);
}

START_TEST(a_child_that_is_refused_one_has_guards_all_the_same)
{
    int generation = 2;
    set_up();
    ck_assert_int_eq(
        child_ending((enum child_kind)_i, be_refused_and_live, &generation), 0);
    ck_assert_uint_eq(userfault_counts().replaced, 0);
    ck_assert(looks_like(".xx....."));
}
END_TEST

START_TEST(a_lost_descriptor_that_is_refused_is_replaced_by_another_way)
{
    int generation = 2;
    set_up();
    lose_descriptor(_i);
    be_refused_and_live(&generation);
}
END_TEST

static int use(void *unused)
{
    (void)unused;
    CHILD_MUST(userfault_fill(page(4), bytes(1)) == 0);
    CHILD_MUST(looks_like(".xx.x..."));
    CHILD_MUST(userfault_drop(page(1), bytes(1)) == 0);
    return 0;
}

START_TEST(a_child_that_borrows_the_memory_uses_its_parents)
{
    set_up();
    ck_assert_int_eq(child_ending(CHILD_BORROWING, use, NULL), 0);
    ck_assert(looks_like("..x.x..."));
    ck_assert_uint_eq(userfault_counts().adopted, 0);
    ck_assert_int_eq(userfault_fill(page(5), bytes(1)), 0);
}
END_TEST

static int close_and_use(void *instead)
{
    uintptr_t another;
    lose_descriptor(*(int *)instead);
    int expected = *(int *)instead == 0 ? EBADF : ENOTTY;
    CHILD_MUST(pages_reserve(bytes(1), &another) == 0);
    CHILD_MUST(userfault_fill(page(4), bytes(1)) == expected);
    CHILD_MUST(userfault_register(another, bytes(1)) == expected);
    CHILD_MUST(!userfault_can_move()
               || userfault_move(page(1), page(5), bytes(1)) == expected);
    CHILD_MUST(userfault_adopt() == 0);
    CHILD_MUST(userfault_drop(page(2), bytes(1)) == 0);
    CHILD_MUST(looks_like(".x......"));
    return 0;
}

START_TEST(one_that_has_closed_it_is_refused_and_changes_nothing)
{
    int instead = _i;
    set_up();
    int number = descriptor();
    ck_assert_int_eq(child_ending(CHILD_BORROWING, close_and_use, &instead), 0);
    struct userfault_counts counts = userfault_counts();
    ck_assert_uint_eq(counts.lost + counts.adopted + counts.replaced, 0);
    ck_assert_int_eq(descriptor(), number);
    ck_assert(looks_like(".x......"));
    ck_assert_int_eq(*text(1), 'A');
    ck_assert_int_eq(userfault_fill(page(4), bytes(1)), 0);
    ck_assert(looks_like(".x..x..."));
}
END_TEST

static int close_and_register(void *start)
{
    lose_descriptor(0);
    CHILD_MUST(userfault_register((uintptr_t)start, bytes(1)) == EBADF);
    return 0;
}

START_TEST(so_is_one_that_would_have_the_first_range)
{
    ck_assert_int_eq(userfault_start(), 0);
    int number = descriptor();
    ck_assert_int_eq(pages_reserve(bytes(1), &range), 0);
    ck_assert_int_eq(child_ending(CHILD_BORROWING, close_and_register, text(0)),
                     0);
    ck_assert_uint_eq(userfault_counts().lost, 0);
    ck_assert_int_eq(descriptor(), number);
    ck_assert_int_eq(userfault_register(range, bytes(1)), 0);
    ck_assert_int_eq(userfault_fill(range, bytes(1)), 0);
    ck_assert_uint_eq(userfault_counts().lost, 0);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    errno = EDOM;
    userfault_start();
    ck_assert_int_eq(errno, EDOM);
    set_up();
    errno = EDOM;
    userfault_register(page(0) + 1, bytes(1));
    userfault_fill(page(0) + 1, bytes(1));
    userfault_drop(page(0) + 1, bytes(1));
    userfault_move(page(0) + 1, page(1), bytes(1));
    userfault_forget(page(0), bytes(1));
    userfault_adopt();
    ck_assert_int_eq(errno, EDOM);
    lose_descriptor(0);
    errno = EDOM;
    userfault_fill(page(7), bytes(1));
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_registered_range_is_out_of_reach);
    tcase_add_loop_test(tests, filled_pages_are_there_and_zero, 0, 6);
    tcase_add_test(tests, pages_in_two_mappings_are_filled_in_one_call);
    tcase_add_test(tests, dropped_pages_are_missing_and_come_back_empty);
    tcase_add_test(tests, locked_pages_are_dropped_too);
    tcase_add_test(tests, what_is_stray_on_a_page_is_gone_when_it_is_filled);
    tcase_add_test(tests, a_moved_page_takes_along_what_it_holds);
    tcase_add_test(tests, a_move_that_fails_leaves_nothing_where_it_was_to_go);
    tcase_add_test(
        tests, a_page_that_a_child_has_had_is_not_moved_until_it_is_written);
    tcase_add_loop_test(
        tests, a_touch_of_a_missing_page_is_a_bus_error_at_its_address, 0, 2);
    tcase_add_test(tests, a_child_that_touches_one_is_ended);
    tcase_add_test(
        tests,
        the_descriptor_is_one_and_high_and_not_for_programs_that_are_run);
    tcase_add_loop_test(tests,
                        a_lost_descriptor_is_replaced_when_pages_are_filled, 0,
                        INSTEADS);
    tcase_add_loop_test(
        tests, a_lost_descriptor_is_replaced_when_a_range_is_registered, 0,
        UNREADY_INSTEADS);
    tcase_add_test(tests,
                   a_move_that_meets_a_lost_descriptor_finds_the_new_one);
    tcase_add_test(tests,
                   what_was_touched_while_the_descriptor_was_lost_is_dropped);
    tcase_add_test(tests, of_many_threads_that_miss_it_one_replaces_it);
    tcase_add_test(tests, one_that_another_process_still_has_is_not_replaced);
    tcase_add_test(tests,
                   what_another_process_still_has_is_given_up_all_the_same);
    tcase_add_test(tests,
                   threads_that_arm_and_revoke_go_on_while_it_is_given_up);
    tcase_add_test(tests, a_forgotten_range_is_not_registered_again);
    tcase_add_test(tests, pages_outside_of_all_ranges_are_refused);
    tcase_add_loop_test(tests, a_child_has_ranges_and_a_descriptor_of_its_own,
                        0, 4);
    tcase_add_loop_test(tests, a_child_may_have_threads_before_it_has_its_own,
                        CHILD_FORKED, CHILD_CLONED + 1);
    tcase_add_loop_test(
        tests, a_child_that_has_closed_what_it_inherited_has_one_too, 0, 2);
    tcase_add_loop_test(
        tests, a_child_keeps_what_its_parent_has_in_the_descriptors_place, 1,
        INSTEADS);
    tcase_add_loop_test(tests,
                        a_child_that_is_refused_one_has_guards_all_the_same,
                        CHILD_FORKED, CHILD_CLONED + 1);
    tcase_add_loop_test(
        tests, a_lost_descriptor_that_is_refused_is_replaced_by_another_way, 0,
        INSTEADS);
    tcase_add_test(tests, a_child_that_borrows_the_memory_uses_its_parents);
    tcase_add_loop_test(tests,
                        one_that_has_closed_it_is_refused_and_changes_nothing,
                        0, OTHER_INSTEADS);
    tcase_add_test(tests, so_is_one_that_would_have_the_first_range);
    tcase_add_test(tests, errno_is_left_alone);
}

/* Asked in a child, so that each test starts for itself. */
static int start_and_say(void *unused)
{
    (void)unused;
    int error = userfault_start();
    if (error == 0 && !userfault_can_move()) {
        printf("# moving pages is not tested: this kernel cannot (6.8)\n");
        fflush(stdout);
    }
    return error;
}

int main(void)
{
    int status = child_ending(CHILD_FORKED, start_and_say, NULL);
    if (status != 0) {
        printf("# userfaultfd: %s\n", strerror(WEXITSTATUS(status)));
        return unit_skip("userfaultfd is not to be had");
    }
    return unit_run("os/userfault", add);
}
