/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/text: bounded text. */
#include "base/text.h"

#include "tests/support/unit.h"

#include <stdint.h>
#include <string.h>

static char buffer[64];

/* What is there already must not show. */
static void set_up(void)
{
    memset(buffer, 'x', sizeof buffer);
}

START_TEST(numbers_are_written_in_full)
{
    struct text text = text_in(buffer, sizeof buffer);
    text_decimal(&text, 0);
    text_character(&text, ' ');
    text_decimal(&text, UINT64_MAX);
    text_character(&text, ' ');
    text_hex(&text, 0);
    text_character(&text, ' ');
    text_hex(&text, 0xdeadbeef);
    ck_assert_str_eq(buffer, "0 18446744073709551615 0x0 0xdeadbeef");
    ck_assert_uint_eq(text.length, strlen(buffer));
}
END_TEST

START_TEST(the_most_negative_number_is_written_too)
{
    struct text text = text_in(buffer, sizeof buffer);
    text_signed(&text, INT64_MIN);
    text_signed(&text, 0);
    text_signed(&text, INT64_MAX);
    ck_assert_str_eq(buffer, "-922337203685477580809223372036854775807");
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_and_remembered)
{
    char small[8];
    memset(small, 'x', sizeof small);
    struct text text = text_in(small, 5);
    text_string(&text, "abc");
    ck_assert(!text.is_truncated);
    text_string(&text, "defg");
    ck_assert(text.is_truncated);
    ck_assert_str_eq(small, "abcd");
    text_character(&text, 'z');
    text_decimal(&text, 12);
    ck_assert_str_eq(small, "abcd");
    ck_assert_int_eq(small[5], 'x');
}
END_TEST

START_TEST(a_buffer_for_the_zero_byte_alone_stays_empty)
{
    char one[1] = { 'x' };
    struct text text = text_in(one, 1);
    text_string(&text, "a");
    ck_assert_int_eq(one[0], '\0');
    ck_assert(text.is_truncated);
}
END_TEST

START_TEST(control_characters_do_not_get_through)
{
    struct text text = text_in(buffer, sizeof buffer);
    text_printable(&text, "a\033[31m\nb\177\xc3\xa9");
    ck_assert_str_eq(buffer, "a?[31m?b?\xc3\xa9");
}
END_TEST

START_TEST(only_well_formed_characters_that_can_be_seen_are_printable)
{
    static const struct {
        const char *string;
        const char *shown;
    } cases[] = {
        { "\xe2\x9c\x85 \xf0\x9f\xa4\xa1", "\xe2\x9c\x85 \xf0\x9f\xa4\xa1" },
        { "\xc2\xa0\xdf\xbf", "\xc2\xa0\xdf\xbf" },
        { "\xee\x80\x80\xef\xbf\xbd", "\xee\x80\x80\xef\xbf\xbd" },
        { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
        /* Bytes alone: the first is an escape sequence for some terminals. */
        { "a\x9b[31m", "a?[31m" },
        { "\xff\x80\xfe", "???" },
        /* C1, as characters. */
        { "a\xc2\x9b[31m\xc2\x80", "a?[31m?" },
        /* Cut off, too long, surrogates, too high. */
        { "\xc3", "?" },
        { "\xe2\x9c", "??" },
        { "\xe2\x9cz", "??z" },
        { "\xf0\x9f\xa4", "???" },
        { "\xc0\xaf", "??" },
        { "\xe0\x9f\xbf", "???" },
        { "\xf0\x8f\xbf\xbf", "????" },
        { "\xed\xa0\x80", "???" },
        { "\xf4\x90\x80\x80", "????" },
        /* Turning the line around. */
        { "a\xe2\x80\xae\xe2\x81\xa6z", "a??z" },
        { "\xe2\x80\xa9\xe2\x80\xaf", "\xe2\x80\xa9\xe2\x80\xaf" },
    };
    struct text text = text_in(buffer, sizeof buffer);
    text_printable(&text, cases[_i].string);
    ck_assert_str_eq(buffer, cases[_i].shown);
}
END_TEST

enum { PRINTABLE_CASES = 18 };

START_TEST(bytes_are_quoted_as_ascii)
{
    struct text text = text_in(buffer, sizeof buffer);
    text_quoted(&text, (const unsigned char *)"a\0\xff~ ", 5);
    text_hex_byte(&text, 0x0a);
    ck_assert_str_eq(buffer, "\"a..~ \"0a");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, numbers_are_written_in_full);
    tcase_add_test(tests, the_most_negative_number_is_written_too);
    tcase_add_test(tests, what_does_not_fit_is_left_out_and_remembered);
    tcase_add_test(tests, a_buffer_for_the_zero_byte_alone_stays_empty);
    tcase_add_test(tests, control_characters_do_not_get_through);
    tcase_add_loop_test(
        tests, only_well_formed_characters_that_can_be_seen_are_printable, 0,
        PRINTABLE_CASES);
    tcase_add_test(tests, bytes_are_quoted_as_ascii);
}

int main(void)
{
    return unit_run("base/text", add);
}
