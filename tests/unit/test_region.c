/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record/region: reserving it, and who owns each address. */
#include "record/region.h"

#include "os/pages.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <sys/resource.h>

static struct region region;

static void set_up(void)
{
    ck_assert_int_eq(region_reserve(&region, (size_t)1 << 34), 0);
}

START_TEST(a_region_is_as_large_as_asked_and_starts_on_a_span)
{
    ck_assert_uint_eq(region.bytes, (size_t)1 << 34);
    ck_assert_uint_eq(region.start % REGION_SPAN, 0);
    ck_assert(region_contains(&region, region.start));
    ck_assert(region_contains(&region, region.start + region.bytes - 1));
    ck_assert(!region_contains(&region, region.start - 1));
    ck_assert(!region_contains(&region, region.start + region.bytes));
}
END_TEST

START_TEST(nobody_owns_a_new_region)
{
    ck_assert_uint_eq(region_owner(&region, region.start), 0);
    ck_assert_uint_eq(
        region_first_owner(&region, region.start, REGION_SPAN * 4), 0);
}
END_TEST

static void take(uintptr_t start, size_t bytes, uint32_t owner)
{
    ck_assert_int_eq(region_allow(&region, start, bytes, 0), 0);
    region_set_owner(&region, start, bytes, owner);
}

START_TEST(an_owner_has_its_granules_and_no_other)
{
    uintptr_t start = region.start + 3 * REGION_GRANULE;
    take(start, 2 * REGION_GRANULE, 7);
    ck_assert_uint_eq(region_owner(&region, start - 1), 0);
    ck_assert_uint_eq(region_owner(&region, start), 7);
    ck_assert_uint_eq(region_owner(&region, start + 2 * REGION_GRANULE - 1),
                      7);
    ck_assert_uint_eq(region_owner(&region, start + 2 * REGION_GRANULE), 0);
    region_set_owner(&region, start, 2 * REGION_GRANULE, 0);
    ck_assert_uint_eq(region_owner(&region, start), 0);
}
END_TEST

START_TEST(an_owner_of_spans_and_a_rest_has_all_of_it)
{
    /* Half a span, two spans, and a granule. */
    uintptr_t start = region.start + REGION_SPAN / 2;
    size_t bytes = REGION_SPAN / 2 + 2 * REGION_SPAN + REGION_GRANULE;
    take(start, bytes, 9);
    for (size_t offset = 0; offset < bytes; offset += REGION_GRANULE) {
        ck_assert_uint_eq(region_owner(&region, start + offset), 9);
    }
    ck_assert_uint_eq(region_owner(&region, start - 1), 0);
    ck_assert_uint_eq(region_owner(&region, start + bytes), 0);
    region_set_owner(&region, start, bytes, 0);
    ck_assert_uint_eq(region_first_owner(&region, region.start,
                                         REGION_SPAN * 8),
                      0);
}
END_TEST

/* Spans that were once shared by small arenas can be taken as a whole. */
START_TEST(a_span_that_was_shared_can_have_one_owner)
{
    uintptr_t start = region.start + REGION_SPAN;
    take(start + 3 * REGION_GRANULE, REGION_GRANULE, 4);
    ck_assert_uint_eq(region_owner(&region, start + 3 * REGION_GRANULE), 4);
    region_set_owner(&region, start + 3 * REGION_GRANULE, REGION_GRANULE, 0);
    take(start, 2 * REGION_SPAN, 6);
    for (size_t offset = 0; offset < 2 * REGION_SPAN;
         offset += REGION_GRANULE) {
        ck_assert_uint_eq(region_owner(&region, start + offset), 6);
    }
    region_set_owner(&region, start, 2 * REGION_SPAN, 0);
    ck_assert_uint_eq(region_first_owner(&region, start, 2 * REGION_SPAN), 0);
}
END_TEST

START_TEST(the_first_owner_of_a_range_is_the_lowest)
{
    take(region.start + 10 * REGION_GRANULE, REGION_GRANULE, 4);
    take(region.start + 20 * REGION_GRANULE, REGION_GRANULE, 5);
    ck_assert_uint_eq(
        region_first_owner(&region, region.start, REGION_SPAN), 4);
    ck_assert_uint_eq(
        region_first_owner(&region, region.start + 11 * REGION_GRANULE,
                           REGION_SPAN / 2),
        5);
    ck_assert_uint_eq(region_first_owner(&region, region.start,
                                         10 * REGION_GRANULE),
                      0);
}
END_TEST

START_TEST(block_records_can_be_written_once_allowed)
{
    uintptr_t start = region.start + 5 * REGION_GRANULE;
    ck_assert_int_eq(region_allow(&region, start, REGION_GRANULE,
                                  REGION_GRANULE), 0);
    char *records = region_blocks(&region, start);
    records[0] = 1;
    records[REGION_GRANULE - 1] = 1;
    /* Far ahead, and then in between again. */
    uintptr_t far = region.start + region.bytes - REGION_GRANULE;
    ck_assert_int_eq(region_allow(&region, far, REGION_GRANULE,
                                  REGION_GRANULE), 0);
    records = region_blocks(&region, far);
    records[REGION_GRANULE - 1] = 1;
    uintptr_t middle = region.start + REGION_SPAN;
    ck_assert_int_eq(region_allow(&region, middle, REGION_GRANULE,
                                  REGION_GRANULE), 0);
    records = region_blocks(&region, middle);
    records[0] = 1;
}
END_TEST

/* Leave BYTES of address space above what is in use already. */
static void limit_address_space(size_t bytes)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%zu", &pages), 1);
    fclose(statm);
    bytes += pages * pages_size();
    struct rlimit limit = { .rlim_cur = bytes, .rlim_max = bytes };
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

START_TEST(a_limited_process_gets_a_smaller_region)
{
    struct region small;
    limit_address_space((size_t)16 << 30);
    ck_assert_int_eq(region_reserve(&small, (size_t)1 << 43), 0);
    ck_assert_uint_ge(small.bytes, REGION_SPAN);
    ck_assert_uint_le(small.bytes, (size_t)4 << 30);
}
END_TEST

START_TEST(a_process_without_room_gets_an_empty_region)
{
    struct region none = { .bytes = 1 };
    limit_address_space((size_t)1 << 20);
    ck_assert_int_eq(region_reserve(&none, (size_t)1 << 43), ENOMEM);
    ck_assert_uint_eq(none.bytes, 0);
    ck_assert(!region_contains(&none, 0));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_region_is_as_large_as_asked_and_starts_on_a_span);
    tcase_add_test(tests, nobody_owns_a_new_region);
    tcase_add_test(tests, an_owner_has_its_granules_and_no_other);
    tcase_add_test(tests, an_owner_of_spans_and_a_rest_has_all_of_it);
    tcase_add_test(tests, a_span_that_was_shared_can_have_one_owner);
    tcase_add_test(tests, the_first_owner_of_a_range_is_the_lowest);
    tcase_add_test(tests, block_records_can_be_written_once_allowed);
    tcase_add_test(tests, a_limited_process_gets_a_smaller_region);
    tcase_add_test(tests, a_process_without_room_gets_an_empty_region);
}

int main(void)
{
    return unit_run("record/region", add);
}
