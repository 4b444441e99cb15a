/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/slot_queue.h: first in, first out. */
#include "alloc/slot_queue.h"

#include "tests/support/unit.h"

#include <string.h>

enum { SLOTS = 100 };

/* Links of slots that do not wait mean nothing. */
static uint32_t links[SLOTS + 1];
static struct slot_queue queue;

static void set_up(void)
{
    memset(links, 0xff, sizeof links);
    queue = (struct slot_queue){ .next = links };
}

START_TEST(an_empty_queue_has_none)
{
    set_up();
    ck_assert_uint_eq(slot_queue_pop(&queue), 0);
    ck_assert_uint_eq(slot_queue_pop(&queue), 0);
    ck_assert_uint_eq(queue.waiting, 0);
}
END_TEST

START_TEST(slots_come_out_as_they_went_in)
{
    static const uint32_t order[] = { 7, 1, SLOTS, 50, 2 };
    set_up();
    for (size_t i = 0; i < 5; i++) {
        slot_queue_push(&queue, order[i]);
        ck_assert_uint_eq(queue.waiting, i + 1);
    }
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(slot_queue_pop(&queue), order[i]);
        ck_assert_uint_eq(queue.waiting, 4 - i);
    }
    ck_assert_uint_eq(slot_queue_pop(&queue), 0);
}
END_TEST

START_TEST(a_queue_that_was_emptied_fills_again)
{
    set_up();
    for (uint32_t slot = 1; slot <= 3; slot++) {
        slot_queue_push(&queue, slot);
        ck_assert_uint_eq(slot_queue_pop(&queue), slot);
        ck_assert_uint_eq(slot_queue_pop(&queue), 0);
        ck_assert_uint_eq(queue.waiting, 0);
    }
    slot_queue_push(&queue, 3);
    slot_queue_push(&queue, 1);
    ck_assert_uint_eq(slot_queue_pop(&queue), 3);
    slot_queue_push(&queue, 3);
    ck_assert_uint_eq(slot_queue_pop(&queue), 1);
    ck_assert_uint_eq(slot_queue_pop(&queue), 3);
}
END_TEST

START_TEST(a_slot_that_comes_back_waits_for_all_others)
{
    set_up();
    for (uint32_t slot = 1; slot <= SLOTS; slot++) {
        slot_queue_push(&queue, slot);
    }
    for (uint32_t i = 0; i < 10 * SLOTS; i++) {
        uint32_t slot = slot_queue_pop(&queue);
        ck_assert_uint_eq(slot, i % SLOTS + 1);
        slot_queue_push(&queue, slot);
    }
    ck_assert_uint_eq(queue.waiting, SLOTS);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, an_empty_queue_has_none);
    tcase_add_test(tests, slots_come_out_as_they_went_in);
    tcase_add_test(tests, a_queue_that_was_emptied_fills_again);
    tcase_add_test(tests, a_slot_that_comes_back_waits_for_all_others);
}

int main(void)
{
    return unit_run("alloc/slot_queue", add);
}
