/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allocator on a kernel that refuses: each call for memory fails in turn.
 * Whatever is refused, nothing crashes, a block that was given is usable to
 * its last byte, and no page is accessible that no block was armed for.
 */
#include "tests/support/failing_os.h"

#include "alloc/arena.h"
#include "alloc/arena_snapshot.h"
#include "os/pages.h"
#include "os/revoke.h"
#include "tests/support/probe.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    /* Prepared in two steps of 256 KiB. */
    PACKED_CAPACITY = 360000,
    /* 8 blocks of 16 bytes in slots of two pages. */
    FENCED_CAPACITY = 128,
    MOST_CALLS = 300,
    /* Of the child: the call that was to fail did not come. */
    NOT_REACHED = 1,
    WRONG = 2
};

static const enum revoke_way_id ways[] = { REVOKE_GUARD, REVOKE_MPROTECT };
/* Locked memory is EINVAL, and a reason to unlock it. */
static const int errors[] = { ENOMEM, EINVAL };

enum {
    ERRORS = sizeof errors / sizeof errors[0],
    CASES = 2 * ERRORS * FAILING_HOWS
};

static struct moat_state state;
static struct moat_finding finding;

/* This runs in a child of the test, so check is not there to say so. */
static void must(bool is_right, const char *sentence)
{
    if (!is_right) {
        printf("# not true: %s\n", sentence);
        fflush(stdout);
        _exit(WRONG);
    }
}

/* Whether a block that lives, or could not be revoked, has ADDRESS's page. */
static bool is_of_a_block(const struct moat_arena *arena, uintptr_t address)
{
    uintptr_t end = address + pages_size();
    for (size_t i = 0; i < arena->block_count; i++) {
        const struct block_record *block = &arena->blocks[i];
        if (block->state != BLOCK_REVOKED && block->start < end
            && block->start + block->bytes > address) {
            return true;
        }
    }
    return false;
}

/* Not all of it, for the sake of time. */
static uintptr_t end_of_check(const struct moat_arena *arena)
{
    uintptr_t end = arena->extent_start + arena->extent_bytes;
    uintptr_t checked = arena->base + arena->armed_bytes + 64 * pages_size();
    return checked < end ? checked : end;
}

static void check_pages(const struct moat_arena *arena)
{
    uintptr_t armed_end = arena->base + arena->armed_bytes;
    uintptr_t end = end_of_check(arena);
    for (uintptr_t address = arena->extent_start; address < end;
         address += pages_size()) {
        bool is_armed = address >= arena->base && address < armed_end;
        if (arena->layout == ARENA_FENCED) {
            is_armed = is_of_a_block(arena, address);
        }
        must(probe_is_readable(address) == is_armed,
             is_armed ? "an armed page is accessible"
                      : "a page that is not armed is out of reach");
    }
}

static void check_all_is_revoked(const struct moat_arena *arena)
{
    uintptr_t end = end_of_check(arena);
    for (uintptr_t address = arena->extent_start; address < end;
         address += pages_size()) {
        must(!probe_is_readable(address), "a destroyed arena is out of reach");
    }
}

static void *allocate(struct moat_arena *arena, size_t bytes)
{
    int error = 0;
    void *block
        = arena_allocate(arena, ARENA_ALIGNMENT_DEFAULT, bytes, 1, &error);
    must(block != NULL || error == ENOMEM, "what is refused is ENOMEM");
    if (block != NULL) {
        memset(block, 'x', bytes);
    }
    check_pages(arena);
    return block;
}

static struct moat_arena *create(enum arena_layout layout, uintptr_t at)
{
    struct arena_request request = {
        .name = "test",
        .capacity = layout == ARENA_PACKED ? PACKED_CAPACITY
                                           : FENCED_CAPACITY,
        .at = at,
        .layout = layout,
    };
    struct moat_arena *arena = NULL;
    int error = arena_create(&request, &arena, &finding);
    must(error == 0 || error == ENOMEM
             || (state.region.bytes == 0 && error == EINVAL),
         "an arena that is refused is ENOMEM");
    must((error == 0) == (arena != NULL), "an arena comes without an error");
    return arena;
}

/* Fill ARENA, free every other block, and end it. */
static void live_and_die(struct moat_arena *arena, size_t bytes)
{
    void *blocks[8] = { NULL };
    size_t count = arena->capacity / bytes;
    for (size_t i = 0; i < count; i++) {
        blocks[i] = allocate(arena, bytes);
    }
    for (size_t i = 0; i < count; i += 2) {
        if (blocks[i] != NULL) {
            must(!arena_free(arena, (uintptr_t)blocks[i], 1, &finding),
                 "freeing finds nothing wrong");
        }
    }
    check_pages(arena);
    struct arena_sweep sweep = { .gap = 0 };
    must(!arena_next_damage(arena, &sweep, MOAT_SEEN_AT_CHECK, &finding),
         "a check finds no damage");
    must(!arena_next_damage(arena, &sweep, MOAT_SEEN_AT_EXIT, &finding),
         "a check at exit finds no damage");
    struct moat_snapshot *snapshot = arena_snapshot_take(arena);
    if (snapshot != NULL) {
        arena_snapshot_release(snapshot);
    }
    if (arena_end(arena, 1) == 0) {
        check_all_is_revoked(arena);
    }
}

static void live(enum revoke_way_id wanted)
{
    int refused;
    if (state_create(&state, (size_t)1 << 28) != 0) {
        must(state.region.bytes == 0, "without a state there is no region");
    }
    struct arena_settings settings = {
        .way = revoke_choose(wanted, &refused),
        .alignment = 16,
    };
    must(settings.way != NULL, "there is always a way");
    arena_start(&state, &settings);
    uintptr_t at = 0;
    /* Later rounds use the addresses of the first again. */
    for (int round = 0; round < 3; round++) {
        struct moat_arena *packed = create(ARENA_PACKED, round == 2 ? at : 0);
        if (packed != NULL) {
            at = packed->base;
            live_and_die(packed, 90000);
        }
        struct moat_arena *fenced = create(ARENA_FENCED, 0);
        if (fenced != NULL) {
            live_and_die(fenced, 16);
        }
    }
}

/* In a child: what happens when call number CALL fails. */
static int ending_of(int number, size_t call)
{
    pid_t child = fork();
    if (child == 0) {
        /* Each weaker way is said. */
        close(STDERR_FILENO);
        open("/dev/null", O_WRONLY);
        failing_os_start(call, errors[number / 2 % ERRORS],
                         (enum failing_how)(number / 2 / ERRORS));
        live(ways[number % 2]);
        _exit(failing_os_stop() < call ? NOT_REACHED : 0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(whatever_call_fails_nothing_crashes_or_stays_open)
{
    int status = 0;
    size_t call;
    for (call = 1; call < MOST_CALLS && status == 0; call++) {
        status = ending_of(_i, call);
    }
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == NOT_REACHED,
                  "call %zu of case %d: status %#x", call - 1, _i,
                  (unsigned)status);
    ck_assert_uint_gt(call, 20);
}
END_TEST

static size_t address_space(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%zu", &pages), 1);
    fclose(statm);
    return pages;
}

START_TEST(a_region_that_is_refused_leaves_nothing_behind)
{
    struct region region;
    pages_size();
    size_t before = address_space();
    int refused = 0;
    for (size_t call = 1; call < 20; call++) {
        failing_os_start(call, ENOMEM, FAILING_EVER_AFTER);
        int error = region_reserve(&region, REGION_SPAN);
        failing_os_stop();
        if (error != 0) {
            ck_assert_int_eq(error, ENOMEM);
            ck_assert_uint_eq(region.bytes, 0);
            ck_assert_uint_eq(address_space(), before);
            refused++;
        }
        before = address_space();
    }
    ck_assert_int_ge(refused, 3);
}
END_TEST

START_TEST(a_region_that_is_refused_once_is_asked_for_in_half)
{
    struct region region;
    failing_os_start(2, ENOMEM, FAILING_ONCE);
    ck_assert_int_eq(region_reserve(&region, 8 * REGION_SPAN), 0);
    failing_os_stop();
    ck_assert_uint_eq(region.bytes, 4 * REGION_SPAN);
}
END_TEST

START_TEST(tables_that_are_refused_leave_nothing_behind)
{
    struct site_table sites;
    struct actor_table actors;
    struct arena_table arenas;
    struct refusals refusals;
    pages_size();
    size_t before = address_space();
    failing_os_start(1, ENOMEM, FAILING_EVER_AFTER);
    ck_assert_int_eq(site_table_create(&sites), ENOMEM);
    ck_assert_int_eq(actor_table_create(&actors), ENOMEM);
    ck_assert_int_eq(arena_table_create(&arenas), ENOMEM);
    ck_assert_int_eq(refusals_create(&refusals), ENOMEM);
    failing_os_stop();
    ck_assert_uint_eq(address_space(), before);
}
END_TEST

START_TEST(where_mprotect_is_refused_pages_are_mapped_anew)
{
    uintptr_t start;
    size_t page_bytes = pages_size();
    ck_assert_int_eq(pages_reserve(4 * page_bytes, &start), 0);
    char *second = (char *)start + page_bytes;
    ck_assert_int_eq(pages_allow((uintptr_t)second, page_bytes), 0);
    strcpy(second, "kept");
    /* That is not a refusal, and to map anew would do no better. */
    failing_os_start(1, ENOMEM, FAILING_MPROTECT);
    ck_assert_int_eq(pages_provide(start, 4 * page_bytes), ENOMEM);
    failing_os_start(1, EPERM, FAILING_MPROTECT);
    ck_assert_int_eq(pages_provide(start, 4 * page_bytes), 0);
    ck_assert_int_eq(revoke_mprotect.revoke(start, page_bytes), 0);
    failing_os_stop();
    ck_assert_str_eq(second, "kept");
    second[2 * page_bytes] = 'x';
    ck_assert_int_eq(pages_touch(start), EFAULT);
    ck_assert_int_eq(pages_touch(start + 3 * page_bytes), 0);
    /* Neither way: as it was. */
    failing_os_start(1, EPERM, FAILING_EVER_AFTER);
    ck_assert_int_eq(pages_provide(start, 4 * page_bytes), EPERM);
    failing_os_stop();
    ck_assert_int_eq(pages_touch(start), EFAULT);
    pages_unmap(start, 4 * page_bytes);
}
END_TEST

START_TEST(a_way_that_is_refused_is_replaced_and_the_reason_is_told)
{
    int refused;
    failing_os_start(2, EPERM, FAILING_ONCE);
    ck_assert_ptr_eq(revoke_choose(REVOKE_GUARD, &refused), &revoke_mprotect);
    ck_assert_int_eq(refused, EPERM);
    failing_os_start(2, ENOSYS, FAILING_ONCE);
    ck_assert_ptr_eq(revoke_choose(REVOKE_GUARD, &refused), &revoke_mprotect);
    ck_assert_int_eq(refused, ENOSYS);
    failing_os_start(1, ENOMEM, FAILING_EVER_AFTER);
    ck_assert_ptr_eq(revoke_choose(REVOKE_GUARD, &refused), &revoke_mprotect);
    ck_assert_int_eq(refused, ENOMEM);
    failing_os_stop();
}
END_TEST

START_TEST(a_limit_that_cannot_be_read_is_none)
{
    failing_os_start(1, EPERM, FAILING_EVER_AFTER);
    ck_assert_uint_eq(pages_address_space_left(), SIZE_MAX);
    failing_os_stop();
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(
        tests, whatever_call_fails_nothing_crashes_or_stays_open, 0, CASES);
    tcase_add_test(tests, a_region_that_is_refused_leaves_nothing_behind);
    tcase_add_test(tests,
                   a_region_that_is_refused_once_is_asked_for_in_half);
    tcase_add_test(tests, tables_that_are_refused_leave_nothing_behind);
    tcase_add_test(tests, where_mprotect_is_refused_pages_are_mapped_anew);
    tcase_add_test(
        tests, a_way_that_is_refused_is_replaced_and_the_reason_is_told);
    tcase_add_test(tests, a_limit_that_cannot_be_read_is_none);
}

int main(void)
{
    return unit_run("failing os", add);
}
