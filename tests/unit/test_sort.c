/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/sort: any order, any number, records of any size. */
#include "base/sort.h"

#include "tests/support/unit.h"

#include <stdint.h>
#include <string.h>

enum { MOST = 300 };

struct wide {
    uint32_t key;
    char bytes[SORT_RECORD_BYTES - sizeof(uint32_t)];
};

static struct wide records[MOST];

static bool comes_behind(const void *a, const void *b)
{
    return ((const struct wide *)a)->key > ((const struct wide *)b)->key;
}

/* Each byte of a record belongs to its key. */
static void set(struct wide *record, uint32_t key)
{
    record->key = key;
    memset(record->bytes, (int)(key % 251), sizeof record->bytes);
}

static void check(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct wide expected;
        set(&expected, records[i].key);
        ck_assert_mem_eq(&records[i], &expected, sizeof expected);
        ck_assert(i == 0 || records[i - 1].key <= records[i].key);
    }
}

START_TEST(any_number_in_falling_order_is_turned_around)
{
    for (size_t count = 0; count <= MOST; count += 1 + count / 3) {
        for (size_t i = 0; i < count; i++) {
            set(&records[i], (uint32_t)(count - i));
        }
        sort_records(records, count, sizeof records[0], comes_behind);
        check(count);
        ck_assert(count == 0 || records[0].key == 1);
    }
}
END_TEST

START_TEST(what_is_in_order_stays_so_and_equal_ones_stay_together)
{
    for (size_t i = 0; i < MOST; i++) {
        set(&records[i], (uint32_t)(i / 7));
    }
    sort_records(records, MOST, sizeof records[0], comes_behind);
    check(MOST);
    ck_assert_uint_eq(records[MOST - 1].key, (MOST - 1) / 7);
}
END_TEST

START_TEST(all_orders_of_six_come_out_the_same)
{
    enum { COUNT = 6, ORDERS = 720 };
    for (uint32_t order = 0; order < ORDERS; order++) {
        uint32_t rest = order;
        uint32_t left[COUNT] = { 0, 1, 2, 3, 4, 5 };
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t pick = rest % (COUNT - i);
            rest /= COUNT - i;
            set(&records[i], left[pick]);
            memmove(&left[pick], &left[pick + 1],
                    (COUNT - 1 - pick) * sizeof left[0]);
        }
        sort_records(records, COUNT, sizeof records[0], comes_behind);
        check(COUNT);
        ck_assert_uint_eq(records[0].key, 0);
        ck_assert_uint_eq(records[COUNT - 1].key, COUNT - 1);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, any_number_in_falling_order_is_turned_around);
    tcase_add_test(tests,
                   what_is_in_order_stays_so_and_equal_ones_stay_together);
    tcase_add_test(tests, all_orders_of_six_come_out_the_same);
}

int main(void)
{
    return unit_run("base/sort", add);
}
