/* SPDX-License-Identifier: GPL-2.0-or-later */
/* api/options: MOAT_OPTIONS. */
#include "api/options.h"

#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

static struct options options;
static char messages[2048];

/* Parse TEXT onto the defaults; return how many entries were refused. */
static size_t parse(const char *text)
{
    struct text said = text_in(messages, sizeof messages);
    options_reset(&options);
    return options_parse(&options, text, &said);
}

START_TEST(nothing_said_means_the_defaults)
{
    ck_assert_uint_eq(parse(NULL), 0);
    ck_assert_uint_eq(parse(""), 0);
    ck_assert_uint_eq(parse(":::"), 0);
    ck_assert_uint_eq(options.backend, 0);
    ck_assert_uint_eq(options.exitcode, 99);
    ck_assert_uint_eq(options.quarantine, 65536);
    ck_assert(options.halt_on_error);
    ck_assert(!options.abort_on_error);
    ck_assert_str_eq(options.log_path, "stderr");
    ck_assert_str_eq(messages, "");
}
END_TEST

START_TEST(every_type_of_value_is_read)
{
    ck_assert_uint_eq(parse("backend=mprotect:halt_on_error=no:exitcode=7:"
                            "log_path=/tmp/a.%p:abort_on_error=1"),
                      0);
    ck_assert_uint_gt(options.backend, 1);
    ck_assert(!options.halt_on_error);
    ck_assert(options.abort_on_error);
    ck_assert_uint_eq(options.exitcode, 7);
    ck_assert_str_eq(options.log_path, "/tmp/a.%p");
}
END_TEST

START_TEST(a_key_alone_switches_on)
{
    ck_assert_uint_eq(parse("abort_on_error:help"), 0);
    ck_assert(options.abort_on_error);
    ck_assert(options.help);
}
END_TEST

START_TEST(the_last_of_two_values_holds)
{
    ck_assert_uint_eq(parse("exitcode=3:exitcode=4"), 0);
    ck_assert_uint_eq(options.exitcode, 4);
    ck_assert_uint_eq(parse("quarantine=0:exitcode=100"), 0);
    ck_assert_uint_eq(options.quarantine, 0);
    ck_assert_uint_eq(options.exitcode, 100);
}
END_TEST

START_TEST(an_unknown_key_is_named_with_the_known_ones)
{
    ck_assert_uint_eq(parse("bakend=guard:exitcode=5"), 1);
    ck_assert_ptr_nonnull(strstr(messages, "'bakend'"));
    ck_assert_ptr_nonnull(strstr(messages, "backend"));
    ck_assert_uint_eq(options.exitcode, 5);
}
END_TEST

static const struct {
    const char *entry;
    const char *key;
    const char *accepted;
} bad_values[] = {
    { "backend=guards", "backend", "|guard|mprotect" },
    { "backend=", "backend", "auto|" },
    { "backend", "backend", "auto|" },
    { "backend=auto|guard", "backend", "auto|" },
    { "exitcode=0", "exitcode", "1..255" },
    { "exitcode=256", "exitcode", "1..255" },
    { "exitcode=9x", "exitcode", "1..255" },
    { "exitcode=-1", "exitcode", "1..255" },
    { "exitcode=18446744073709551617", "exitcode", "1..255" },
    { "exitcode", "exitcode", "1..255" },
    { "halt_on_error=10", "halt_on_error", "0|1" },
    { "halt_on_error=1x", "halt_on_error", "0|1" },
    { "halt_on_error=", "halt_on_error", "0|1" },
    { "log_path=", "log_path", "PATH" },
    { "log_path", "log_path", "PATH" },
};

START_TEST(a_bad_value_is_named_with_what_is_accepted)
{
    struct options before;
    options_reset(&before);
    ck_assert_uint_eq(parse(bad_values[_i].entry), 1);
    ck_assert_ptr_nonnull(strstr(messages, bad_values[_i].key));
    ck_assert_ptr_nonnull(strstr(messages, bad_values[_i].accepted));
    ck_assert_mem_eq(&options, &before, sizeof before);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
    char text[OPTIONS_PATH_BYTES + 16] = "log_path=";
    memset(text + strlen(text), 'a', OPTIONS_PATH_BYTES);
    ck_assert_uint_eq(parse(text), 1);
    ck_assert_str_eq(options.log_path, "stderr");
}
END_TEST

START_TEST(control_characters_are_not_repeated)
{
    ck_assert_uint_eq(parse("a\033b=1"), 1);
    ck_assert_ptr_null(strchr(messages, '\033'));
}
END_TEST

START_TEST(the_help_has_every_option_with_its_default)
{
    static char help[8192];
    struct text text = text_in(help, sizeof help);
    options_help(&text);
    ck_assert(!text.is_truncated);
#define OPTION_BOOL(name, initial, words) \
    ck_assert_ptr_nonnull(strstr(help, #name "=0|1 ("));
#define OPTION_NUMBER(name, initial, least, most, words) \
    ck_assert_ptr_nonnull(strstr(help, #name "="));
#define OPTION_SIZE(name, initial, words) \
    ck_assert_ptr_nonnull(strstr(help, #name "=auto or bytes"));
#define OPTION_CHOICE(name, initial, choices, words) \
    ck_assert_ptr_nonnull(strstr(help, #name "=" choices " ("));
#define OPTION_PATH(name, initial, words) \
    ck_assert_ptr_nonnull(strstr(help, #name "=PATH (" initial ")"));
#include "api/options.def"
    ck_assert_ptr_nonnull(
        strstr(help, "\n  exitcode=1..255 (99)\n"
                     "        exit status after a report\n"));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, nothing_said_means_the_defaults);
    tcase_add_test(tests, every_type_of_value_is_read);
    tcase_add_test(tests, a_key_alone_switches_on);
    tcase_add_test(tests, the_last_of_two_values_holds);
    tcase_add_test(tests, an_unknown_key_is_named_with_the_known_ones);
    tcase_add_loop_test(tests, a_bad_value_is_named_with_what_is_accepted, 0,
                        sizeof bad_values / sizeof bad_values[0]);
    tcase_add_test(tests, a_path_that_is_too_long_is_refused);
    tcase_add_test(tests, control_characters_are_not_repeated);
    tcase_add_test(tests, the_help_has_every_option_with_its_default);
}

int main(void)
{
    return unit_run("api/options", add);
}
