/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc/slot_revoke: what becomes of a freed slot where the kernel refuses, on
 * each way of revoking. What stays accessible is stamped, or counted as what
 * it is.
 */
#include "tests/support/failing_os.h"

#include "alloc/altered.h"
#include "alloc/arena.h"
#include "alloc/shortfall.h"
#include "alloc/slot_cache.h"
#include "alloc/slots.h"
#include "base/canary.h"
#include "tests/support/unit.h"
#include "tests/support/ways.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { SIZE = 100 };

static struct moat_state state;
static struct moat_finding finding;

static void start_with(const struct revoke_way *way)
{
    struct arena_settings settings
        = { .way = way, .quarantine = 10, .alignment = 16 };
    struct slots_settings heap = {
        .way = way, .quarantine = 10, .spare_pages = 4, .max_memory = SIZE_MAX
    };
    memset(&state, 0, sizeof state);
    ck_assert_int_eq(state_create(&state, (size_t)1 << 34), 0);
    arena_start(&state, &settings);
    shortfall_start(false, 99);
    slots_start(&state, &heap);
}

static bool set_up(int number)
{
    const struct revoke_way *way = revoke_way_at((size_t)number);
    start_with(way);
    return way->probe() == 0;
}

static uintptr_t allocate(void)
{
    struct slots_request request
        = { .bytes = SIZE, .alignment = 16, .side = FENCE_AFTER, .site = 1 };
    char *block = slots_allocate(&request);
    ck_assert_ptr_nonnull(block);
    memset(block, 'x', SIZE);
    return (uintptr_t)block;
}

static bool release(uintptr_t block)
{
    return slots_free(block, MOAT_FAMILY_UNKNOWN, 1, &finding);
}

static struct block_record *record_of(uintptr_t block)
{
    struct moat_arena *window = state_arena_at(&state, block);
    return &window->blocks[(block - window->base) / window->slot_bytes];
}

static uintptr_t page_of(uintptr_t block)
{
    return block / pages_size() * pages_size();
}

static bool is_stamped(uintptr_t block)
{
    return record_of(block)->state == BLOCK_STAMPED
           && canary_is_intact(state.secret, block, block + SIZE);
}

/* A block that the program has altered, noted as TRAITS. */
static uintptr_t allocate_altered(unsigned traits)
{
    /* What the first free does for all is done. */
    ck_assert(!release(allocate()));
    uintptr_t block = allocate();
    altered_note(page_of(block), page_of(block) + pages_size(), traits);
    return block;
}

/* Free BLOCK while all that gives, takes or unlocks pages is refused. */
static void release_refused(uintptr_t block)
{
    failing_os_start(1, EPERM, FAILING_EVER_AFTER);
    bool is_wrong = release(block);
    failing_os_stop();
    ck_assert(!is_wrong);
}

START_TEST(a_locked_block_that_stays_accessible_is_stamped)
{
    if (!set_up(_i)) {
        return;
    }
    uintptr_t block = allocate_altered(BLOCK_LOCKED);
    release_refused(block);
    ck_assert(ways_is_accessible(block));
    ck_assert(is_stamped(block));
    ck_assert_uint_eq(shortfall_count(SHORTFALL_STAMPED), 1);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_NOT_STAMPED), 0);
    /* It is not used again. */
    for (int i = 0; i < 100; i++) {
        uintptr_t other = allocate();
        ck_assert_uint_ne(other, block);
        ck_assert(!release(other));
    }
    ck_assert(is_stamped(block));
}
END_TEST

START_TEST(one_that_the_program_has_made_inaccessible_is_so)
{
    if (!set_up(_i)) {
        return;
    }
    uintptr_t block = allocate_altered(BLOCK_PROTECTED | BLOCK_UNSTAMPED);
    ck_assert_int_eq(pages_deny(page_of(block), pages_size()), 0);
    release_refused(block);
    ck_assert(!ways_is_accessible(block));
    ck_assert_int_eq(record_of(block)->state, BLOCK_REVOKED);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_STAMPED), 0);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_NOT_STAMPED), 0);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_REVOKED_BY_MPROTECT), 1);
}
END_TEST

START_TEST(one_that_can_only_be_read_is_counted_as_that)
{
    if (!set_up(_i)) {
        return;
    }
    uintptr_t block = allocate_altered(BLOCK_PROTECTED);
    ck_assert_int_eq(mprotect((void *)page_of(block), pages_size(), PROT_READ),
                     0);
    release_refused(block);
    ck_assert(ways_is_accessible(block));
    ck_assert_int_eq(*(const char *)block, 'x');
    ck_assert_int_eq(record_of(block)->state, BLOCK_REVOKED);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_STAMPED), 0);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_NOT_STAMPED), 1);
}
END_TEST

START_TEST(what_the_program_has_mapped_there_is_not_written_to)
{
    if (!set_up(_i)) {
        return;
    }
    uintptr_t block = allocate_altered(BLOCK_REMAPPED | BLOCK_UNSTAMPED);
    ck_assert_ptr_ne(mmap((void *)page_of(block), pages_size(),
                          PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
                     MAP_FAILED);
    memset((void *)block, 'y', SIZE);
    release_refused(block);
    ck_assert(ways_is_accessible(block));
    for (int i = 0; i < SIZE; i++) {
        ck_assert_int_eq(((const char *)block)[i], 'y');
    }
    ck_assert_int_eq(record_of(block)->state, BLOCK_REVOKED);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_NOT_STAMPED), 1);
}
END_TEST

/* A page that is ready for the next block, as move leaves one behind each
 * free.
 */
static uintptr_t make_spare(struct revoke_way *way)
{
    uintptr_t block = allocate();
    struct moat_arena *window = state_arena_at(&state, block);
    struct slot_class *class = slot_class_of(window);
    ck_assert(!release(block));
    slot_cache_flush();
    slot_number slot = slot_cache_take_for_spare(class, window);
    ck_assert_uint_ne(slot, 0);
    uintptr_t page = window->base + slot_offset(window, slot);
    ck_assert_int_eq(way->arm(page, pages_size()), 0);
    slot_cache_keep_spare(class, slot);
    return page;
}

static int refuse(uintptr_t start, size_t bytes)
{
    (void)start;
    (void)bytes;
    return EINVAL;
}

START_TEST(a_spare_that_the_way_does_not_revoke_is_denied)
{
    if (!set_up(_i)) {
        return;
    }
    struct revoke_way refusing = *revoke_way_at((size_t)_i);
    start_with(&refusing);
    uintptr_t page = make_spare(&refusing);
    refusing.revoke = refuse;
    slot_cache_flush();
    ck_assert(!ways_is_accessible(page));
    ck_assert_uint_eq(shortfall_count(SHORTFALL_REVOKED_BY_MPROTECT), 1);
    ck_assert_uint_eq(shortfall_count(SHORTFALL_STAMPED), 0);
}
END_TEST

START_TEST(a_spare_that_stays_accessible_is_counted)
{
    if (!set_up(_i)) {
        return;
    }
    struct revoke_way refusing = *revoke_way_at((size_t)_i);
    start_with(&refusing);
    uintptr_t page = make_spare(&refusing);
    refusing.revoke = refuse;
    failing_os_start(1, ENOMEM, FAILING_EVER_AFTER);
    slot_cache_flush();
    failing_os_stop();
    ck_assert(ways_is_accessible(page));
    ck_assert_uint_eq(shortfall_count(SHORTFALL_STAMPED), 1);
    struct block_record *record = record_of(page);
    ck_assert(record->state == BLOCK_UNUSED || is_stamped(record->start));
    uintptr_t next = allocate();
    ck_assert_uint_ne(page_of(next), page);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, a_locked_block_that_stays_accessible_is_stamped,
                        0, WAYS);
    tcase_add_loop_test(
        tests, one_that_the_program_has_made_inaccessible_is_so, 0, WAYS);
    tcase_add_loop_test(tests, one_that_can_only_be_read_is_counted_as_that, 0,
                        WAYS);
    tcase_add_loop_test(
        tests, what_the_program_has_mapped_there_is_not_written_to, 0, WAYS);
    tcase_add_loop_test(tests, a_spare_that_the_way_does_not_revoke_is_denied,
                        0, WAYS);
    tcase_add_loop_test(tests, a_spare_that_stays_accessible_is_counted, 0,
                        WAYS);
}

int main(void)
{
    ways_say_missing();
    return unit_run("alloc/slot_revoke", add);
}
