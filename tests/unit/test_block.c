/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record/block.h: finding a block by an address. No page is touched. */
#include "record/block.h"

#include "tests/support/unit.h"

enum { COUNT = 101, FIRST = 0x10000, STEP = 48 };

static struct block_record blocks[COUNT];

static void set_up(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = (struct block_record){ .start = FIRST + STEP * i,
                                           .bytes = 16 };
    }
}

START_TEST(no_block_is_found_among_none)
{
    size_t index = 7;
    ck_assert(!block_find(blocks, 0, FIRST, &index));
    ck_assert(!block_find(NULL, 0, UINTPTR_MAX, &index));
    ck_assert_uint_eq(index, 7);
}
END_TEST

START_TEST(in_front_of_the_first_block_there_is_none)
{
    size_t index;
    ck_assert(!block_find(blocks, COUNT, FIRST - 1, &index));
    ck_assert(!block_find(blocks, COUNT, 0, &index));
}
END_TEST

/* Every count, so that the search is cut at every place. */
START_TEST(each_byte_belongs_to_the_last_block_that_starts_before_it)
{
    for (size_t count = 1; count <= COUNT; count++) {
        for (size_t i = 0; i < count; i++) {
            for (uintptr_t byte = 0; byte < STEP; byte += STEP - 1) {
                size_t index = COUNT;
                ck_assert(block_find(blocks, count, FIRST + STEP * i + byte,
                                     &index));
                ck_assert_uint_eq(index, i);
            }
        }
    }
}
END_TEST

START_TEST(behind_the_last_block_it_is_still_that_one)
{
    size_t index = 0;
    ck_assert(block_find(blocks, COUNT, UINTPTR_MAX, &index));
    ck_assert_uint_eq(index, COUNT - 1);
}
END_TEST

START_TEST(revoked_and_stamped_blocks_are_freed_and_no_others)
{
    blocks[0].state = BLOCK_UNUSED;
    ck_assert(!block_is_freed(&blocks[0]));
    blocks[0].state = BLOCK_LIVE;
    ck_assert(!block_is_freed(&blocks[0]));
    blocks[0].state = BLOCK_REVOKED;
    ck_assert(block_is_freed(&blocks[0]));
    blocks[0].state = BLOCK_STAMPED;
    ck_assert(block_is_freed(&blocks[0]));
}
END_TEST

START_TEST(what_a_search_has_found_leaves_other_traits_alone)
{
    static const enum block_reach reaches[]
        = { BLOCK_UNREACHED, BLOCK_REACHED, BLOCK_LEAKED,
            BLOCK_LEAKED_WITH_OTHERS };
    for (size_t from = 0; from < 4; from++) {
        for (size_t to = 0; to < 4; to++) {
            blocks[0].traits = BLOCK_PROTECTED | BLOCK_UNSTAMPED | 2;
            block_set_reach(&blocks[0], reaches[from]);
            block_set_reach(&blocks[0], reaches[to]);
            ck_assert_int_eq(block_reach(&blocks[0]), reaches[to]);
            ck_assert_int_eq(block_is_leaked(&blocks[0]), to >= 2);
            ck_assert_uint_eq(block_family(&blocks[0]), 2);
            ck_assert(block_has(&blocks[0], BLOCK_UNSTAMPED));
            ck_assert(!block_has(&blocks[0], BLOCK_LOCKED));
        }
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, no_block_is_found_among_none);
    tcase_add_test(tests, in_front_of_the_first_block_there_is_none);
    tcase_add_test(tests,
                   each_byte_belongs_to_the_last_block_that_starts_before_it);
    tcase_add_test(tests, behind_the_last_block_it_is_still_that_one);
    tcase_add_test(tests, revoked_and_stamped_blocks_are_freed_and_no_others);
    tcase_add_test(tests,
                   what_a_search_has_found_leaves_other_traits_alone);
}

int main(void)
{
    return unit_run("record/block", add);
}
