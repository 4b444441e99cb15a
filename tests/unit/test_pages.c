/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/pages: address space and memory. */
#include "os/pages.h"

#include "tests/support/probe.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

START_TEST(a_page_is_a_power_of_two_of_4_to_64_kib)
{
    ck_assert_uint_eq(pages_size(), (size_t)sysconf(_SC_PAGESIZE));
    ck_assert_uint_ge(pages_size(), 4096);
    ck_assert_uint_le(pages_size(), 65536);
}
END_TEST

START_TEST(mapped_pages_are_zero_until_they_are_unmapped)
{
    uintptr_t start;
    ck_assert_int_eq(pages_map(2 * pages_size(), "test", &start), 0);
    ck_assert_uint_eq(start % pages_size(), 0);
    for (size_t i = 0; i < 2 * pages_size(); i++) {
        ck_assert_int_eq(((char *)start)[i], 0);
    }
    ck_assert(probe_is_writable(start));
    pages_unmap(start, 2 * pages_size());
    ck_assert(!probe_is_readable(start));
}
END_TEST

START_TEST(reserved_pages_are_out_of_reach_until_they_are_allowed)
{
    uintptr_t start;
    ck_assert_int_eq(pages_reserve(3 * pages_size(), &start), 0);
    ck_assert(!probe_is_readable(start));
    ck_assert_int_eq(pages_allow(start + pages_size(), pages_size()), 0);
    ck_assert(!probe_is_readable(start + pages_size() - 1));
    ck_assert(probe_is_writable(start + pages_size()));
    ck_assert(!probe_is_readable(start + 2 * pages_size()));
}
END_TEST

START_TEST(denied_pages_keep_what_they_hold)
{
    uintptr_t start;
    ck_assert_int_eq(pages_map(pages_size(), "test", &start), 0);
    *(char *)start = 'x';
    ck_assert_int_eq(pages_deny(start, pages_size()), 0);
    ck_assert(!probe_is_readable(start));
    ck_assert_int_eq(pages_allow(start, pages_size()), 0);
    ck_assert_int_eq(*(char *)start, 'x');
}
END_TEST

START_TEST(dropped_pages_read_as_zero)
{
    uintptr_t start;
    ck_assert_int_eq(pages_map(2 * pages_size(), "test", &start), 0);
    memset((void *)start, 'x', 2 * pages_size());
    ck_assert_int_eq(pages_drop(start, pages_size()), 0);
    ck_assert_int_eq(*(char *)start, 0);
    ck_assert_int_eq(*(char *)(start + pages_size()), 'x');
}
END_TEST

START_TEST(locked_pages_can_be_dropped_once_unlocked)
{
    uintptr_t start;
    ck_assert_int_eq(pages_map(pages_size(), "test", &start), 0);
    ck_assert_int_eq(mlock((void *)start, pages_size()), 0);
    *(char *)start = 'x';
    ck_assert_int_eq(pages_drop(start, pages_size()), EINVAL);
    ck_assert_int_eq(pages_unlock(start, pages_size()), 0);
    ck_assert_int_eq(pages_drop(start, pages_size()), 0);
    ck_assert_int_eq(*(char *)start, 0);
}
END_TEST

START_TEST(renewed_pages_are_as_they_were_reserved)
{
    uintptr_t start;
    ck_assert_int_eq(pages_reserve(3 * pages_size(), &start), 0);
    ck_assert_int_eq(pages_allow(start, 3 * pages_size()), 0);
    memset((void *)start, 'x', 3 * pages_size());
    ck_assert_int_eq(mlock((void *)(start + pages_size()), pages_size()), 0);
    ck_assert_int_eq(pages_renew(start + pages_size(), pages_size()), 0);
    ck_assert(!probe_is_readable(start + pages_size()));
    ck_assert_int_eq(pages_allow(start, 3 * pages_size()), 0);
    for (size_t i = 0; i < 3 * pages_size(); i++) {
        bool is_renewed = i / pages_size() == 1;
        ck_assert_int_eq(((char *)start)[i], is_renewed ? 0 : 'x');
    }
    errno = EDOM;
    ck_assert_int_eq(pages_renew(16, pages_size()), EINVAL);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(peeking_copies_all_or_answers_no)
{
    uintptr_t start;
    char copy[8] = "";
    ck_assert_int_eq(pages_map(2 * pages_size(), "test", &start), 0);
    ck_assert_int_eq(pages_deny(start + pages_size(), pages_size()), 0);
    memcpy((void *)(start + pages_size() - 8), "12345678", 8);
    ck_assert(pages_peek(start + pages_size() - 8, 8, copy));
    ck_assert_mem_eq(copy, "12345678", 8);
    ck_assert(!pages_peek(start + pages_size() - 7, 8, copy));
    ck_assert(!pages_peek(start + pages_size(), 1, copy));
    ck_assert(!pages_peek(16, 1, copy));
}
END_TEST

START_TEST(touching_says_what_a_system_call_can_read)
{
    uintptr_t start;
    errno = EDOM;
    ck_assert_int_eq(pages_map(2 * pages_size(), "test", &start), 0);
    ck_assert_int_eq(pages_deny(start + pages_size(), pages_size()), 0);
    ck_assert_int_eq(pages_touch(start), 0);
    ck_assert_int_eq(pages_touch(start + pages_size()), EFAULT);
    ck_assert_int_eq(pages_touch(4096), EFAULT);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(errors_are_returned_and_errno_is_left_alone)
{
    uintptr_t start = 1;
    char byte;
    errno = EDOM;
    ck_assert_int_eq(pages_reserve((size_t)1 << 62, &start), ENOMEM);
    ck_assert_int_eq(pages_map((size_t)1 << 62, "test", &start), ENOMEM);
    ck_assert_uint_eq(start, 1);
    ck_assert_int_eq(pages_allow(16, pages_size()), EINVAL);
    ck_assert_int_eq(pages_deny(16, pages_size()), EINVAL);
    ck_assert_int_eq(pages_drop(16, pages_size()), EINVAL);
    ck_assert_int_eq(pages_allow(0, pages_size()), ENOMEM);
    ck_assert_int_eq(pages_unlock(0, pages_size()), ENOMEM);
    pages_unmap(16, pages_size());
    pages_set_sparse(16, pages_size());
    ck_assert(!pages_peek(16, 1, &byte));
    pages_address_space_left();
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

START_TEST(without_a_limit_all_address_space_is_left)
{
    ck_assert_uint_eq(pages_address_space_left(), SIZE_MAX);
}
END_TEST

START_TEST(with_a_limit_what_is_in_use_is_not_left)
{
    const size_t limit = (size_t)1 << 46;
    const size_t more = (size_t)1 << 30;
    struct rlimit wanted = { .rlim_cur = limit, .rlim_max = limit };
    uintptr_t start;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &wanted), 0);
    size_t left = pages_address_space_left();
    ck_assert_uint_lt(left, limit);
    ck_assert_int_eq(pages_reserve(more, &start), 0);
    ck_assert_uint_eq(pages_address_space_left(), left - more);
    wanted.rlim_cur = more;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &wanted), 0);
    ck_assert_uint_eq(pages_address_space_left(), 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_page_is_a_power_of_two_of_4_to_64_kib);
    tcase_add_test(tests, mapped_pages_are_zero_until_they_are_unmapped);
    tcase_add_test(tests,
                   reserved_pages_are_out_of_reach_until_they_are_allowed);
    tcase_add_test(tests, denied_pages_keep_what_they_hold);
    tcase_add_test(tests, dropped_pages_read_as_zero);
    tcase_add_test(tests, locked_pages_can_be_dropped_once_unlocked);
    tcase_add_test(tests, renewed_pages_are_as_they_were_reserved);
    tcase_add_test(tests, peeking_copies_all_or_answers_no);
    tcase_add_test(tests, touching_says_what_a_system_call_can_read);
    tcase_add_test(tests, errors_are_returned_and_errno_is_left_alone);
    tcase_add_test(tests, without_a_limit_all_address_space_is_left);
    tcase_add_test(tests, with_a_limit_what_is_in_use_is_not_left);
}

int main(void)
{
    return unit_run("os/pages", add);
}
