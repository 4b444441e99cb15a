/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc/shortfall: counted always, said once, and the end where it must be. */
#include "alloc/shortfall.h"

#include "os/output.h"
#include "tests/support/child.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static int pipe_ends[2];

/* Standard error goes where it can be read back. */
static void set_up(bool is_strict)
{
    ck_assert_int_eq(pipe(pipe_ends), 0);
    ck_assert_int_eq(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
    output_start();
    shortfall_start(is_strict, 77);
}

/* All that was said since the last time. */
static const char *said(void)
{
    static char text[4096];
    /* Something to end with: reading waits until there is something. */
    ck_assert_int_eq(write(pipe_ends[1], "$", 1), 1);
    size_t length = 0;
    do {
        ssize_t count =
            read(pipe_ends[0], text + length, sizeof text - 1 - length);
        ck_assert_int_gt(count, 0);
        length += (size_t)count;
    } while (text[length - 1] != '$');
    text[length - 1] = '\0';
    return text;
}

static int lines_of(const char *text)
{
    int lines = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++) {
        lines++;
    }
    return lines;
}

START_TEST(each_is_counted_for_itself)
{
    set_up(false);
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        ck_assert_uint_eq(shortfall_count(what), 0);
    }
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        for (unsigned i = 0; i <= what; i++) {
            shortfall_note(what);
        }
    }
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        ck_assert_uint_eq(shortfall_count(what), what + 1);
    }
}
END_TEST

START_TEST(the_first_of_a_kind_is_said_and_no_other)
{
    set_up(false);
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        shortfall_note(what);
        const char *text = said();
        ck_assert_msg(strncmp(text, "moat: warning: ", 15) == 0, "%s", text);
        ck_assert_int_eq(lines_of(text), 1);
        ck_assert_int_eq(text[strlen(text) - 1], '\n');
        for (int i = 0; i < 100; i++) {
            shortfall_note(what);
        }
        ck_assert_str_eq(said(), "");
    }
}
END_TEST

START_TEST(each_has_a_name_of_its_own)
{
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        ck_assert_uint_gt(strlen(shortfall_name(what)), 0);
        for (enum shortfall other = 0; other < what; other++) {
            ck_assert_str_ne(shortfall_name(what), shortfall_name(other));
        }
    }
}
END_TEST

static int note(void *what)
{
    shortfall_note(*(enum shortfall *)what);
    return 0;
}

START_TEST(a_strict_process_ends_with_the_first)
{
    enum shortfall what = (enum shortfall)_i;
    set_up(true);
    int status = child_ending(CHILD_FORKED, note, &what);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 77);
    const char *text = said();
    ck_assert_msg(strncmp(text, "moat: error: require=strict: ", 29) == 0, "%s",
                  text);
    ck_assert_int_eq(lines_of(text), 1);
}
END_TEST

enum { THREADS = 4, NOTES = 10000 };

static void *note_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < NOTES; i++) {
        shortfall_note(SHORTFALL_OVER_MEMORY);
    }
    return NULL;
}

START_TEST(threads_say_it_once_between_them)
{
    pthread_t threads[THREADS];
    set_up(false);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, note_often, NULL),
                         0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(shortfall_count(SHORTFALL_OVER_MEMORY), THREADS * NOTES);
    ck_assert_int_eq(lines_of(said()), 1);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    set_up(false);
    close(pipe_ends[0]);
    signal(SIGPIPE, SIG_IGN);
    errno = EDOM;
    shortfall_note(SHORTFALL_STAMPED);
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, each_is_counted_for_itself);
    tcase_add_test(tests, the_first_of_a_kind_is_said_and_no_other);
    tcase_add_test(tests, each_has_a_name_of_its_own);
    tcase_add_loop_test(tests, a_strict_process_ends_with_the_first, 0,
                        SHORTFALLS);
    tcase_add_test(tests, threads_say_it_once_between_them);
    tcase_add_test(tests, errno_is_left_alone);
}

int main(void)
{
    return unit_run("alloc/shortfall", add);
}
