/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record/refusal: the last one is there, however many there were. */
#include "record/refusal.h"

#include "tests/support/unit.h"

static struct refusals refusals;

START_TEST(there_is_none_at_first)
{
    struct refusal last = { .number = 7 };
    ck_assert(!refusal_last(&refusals, &last));
    ck_assert_uint_eq(last.number, 7);
}
END_TEST

START_TEST(without_room_none_is_kept)
{
    struct refusals none = { .kept = NULL };
    struct refusal refusal = { .number = 7 };
    refusal_note(&none, &refusal);
    ck_assert(!refusal_last(&none, &refusal));
}
END_TEST

START_TEST(the_last_one_is_kept)
{
    ck_assert_int_eq(refusals_create(&refusals), 0);
    for (size_t i = 1; i <= 3 * REFUSALS_KEPT; i++) {
        struct refusal refusal = { .number = i,
                                   .bytes = 2 * i,
                                   .site = 3,
                                   .actor = 4 };
        struct refusal last;
        refusal_note(&refusals, &refusal);
        ck_assert(refusal_last(&refusals, &last));
        ck_assert_uint_eq(last.number, i);
        ck_assert_uint_eq(last.bytes, 2 * i);
        ck_assert_uint_eq(last.site, 3);
        ck_assert_uint_eq(last.actor, 4);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, there_is_none_at_first);
    tcase_add_test(tests, without_room_none_is_kept);
    tcase_add_test(tests, the_last_one_is_kept);
}

int main(void)
{
    return unit_run("record/refusal", add);
}
