/* SPDX-License-Identifier: GPL-2.0-or-later */
/* os/output: where text goes when programs move standard error about. */
#include "os/output.h"

#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/moat-output-XXXXXX";
static char path[64];
static char contents[256];

static const char *file(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *read_back(const char *name)
{
    memset(contents, 0, sizeof contents);
    int descriptor = open(file(name), O_RDONLY);
    if (descriptor >= 0) {
        ck_assert_int_ge(read(descriptor, contents, sizeof contents - 1), 0);
        close(descriptor);
    }
    return contents;
}

static void set_up(void)
{
    strcpy(strrchr(folder, '-') + 1, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    int descriptor = open(file("stderr"), O_WRONLY | O_CREAT, 0600);
    dup2(descriptor, STDERR_FILENO);
    close(descriptor);
    output_start();
}

static void tear_down(void)
{
    static const char *const names[] = { "stderr", "data", "log" };
    for (size_t i = 0; i < 3; i++) {
        unlink(file(names[i]));
    }
    snprintf(path, sizeof path, "%s/log.%d", folder, (int)getpid());
    unlink(path);
    rmdir(folder);
}

START_TEST(a_message_is_a_line_on_standard_error)
{
    output_message("hello");
    ck_assert_str_eq(read_back("stderr"), "moat: hello\n");
}
END_TEST

START_TEST(a_closed_standard_error_is_still_reached)
{
    close(STDERR_FILENO);
    output_message("hello");
    ck_assert_str_eq(read_back("stderr"), "moat: hello\n");
}
END_TEST

START_TEST(a_data_file_in_place_of_standard_error_gets_nothing)
{
    close(STDERR_FILENO);
    ck_assert_int_eq(open(file("data"), O_WRONLY | O_CREAT, 0600),
                     STDERR_FILENO);
    output_message("hello");
    ck_assert_str_eq(read_back("data"), "");
    ck_assert_str_eq(read_back("stderr"), "moat: hello\n");
}
END_TEST

START_TEST(also_when_the_copy_was_closed_and_replaced)
{
    for (int descriptor = 0; descriptor < 1024; descriptor++) {
        close(descriptor);
    }
    for (int i = 0; i < 300; i++) {
        ck_assert_int_ge(open(file("data"), O_WRONLY | O_CREAT, 0600), 0);
    }
    output_message("hello");
    ck_assert_str_eq(read_back("data"), "");
}
END_TEST

START_TEST(a_log_is_appended_to_under_the_number_of_the_process)
{
    char log[64];
    char name[32];
    snprintf(log, sizeof log, "%s/log.%%p", folder);
    snprintf(name, sizeof name, "log.%d", (int)getpid());
    ck_assert_int_eq(output_check_log(log), 0);
    ck_assert_str_eq(read_back(name), "");
    output_report(log, "one\n", 4);
    output_report(log, "two\n", 4);
    ck_assert_str_eq(read_back(name), "one\ntwo\n");
    ck_assert_str_eq(read_back("stderr"), "");
}
END_TEST

START_TEST(a_log_that_cannot_be_made_is_told_and_replaced)
{
    char log[64];
    snprintf(log, sizeof log, "%s/none/log", folder);
    ck_assert_int_eq(output_check_log(log), ENOENT);
    ck_assert_int_eq(output_check_log(folder), EISDIR);
    output_report(log, "one\n", 4);
    ck_assert_str_eq(read_back("stderr"), "one\n");
}
END_TEST

START_TEST(a_path_that_is_too_long_is_told)
{
    static char log[8192];
    memset(log, 'a', sizeof log - 1);
    ck_assert_int_eq(output_check_log(log), ENAMETOOLONG);
}
END_TEST

static void *read_all(void *result)
{
    const int *ends = result;
    static char bytes[65536];
    size_t total = 0;
    ssize_t count;
    bool is_right = true;
    while ((count = read(ends[0], bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            is_right = is_right
                       && bytes[i] == (char)('a' + (total + (size_t)i) % 23);
        }
        total += (size_t)count;
    }
    return is_right ? (void *)total : NULL;
}

/* A pipe takes 64 KiB at once, and one that must not wait takes it in bits. */
START_TEST(a_long_report_gets_through_a_pipe_in_order)
{
    enum { BYTES = 1 << 20 };
    static char report[BYTES];
    int ends[2];
    pthread_t reader;
    void *total;
    for (size_t i = 0; i < BYTES; i++) {
        report[i] = (char)('a' + i % 23);
    }
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    output_start();
    ck_assert_int_eq(pthread_create(&reader, NULL, read_all, ends), 0);
    output_report("", report, BYTES);
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        if (descriptor != ends[0] && fcntl(descriptor, F_GETFL) >= 0
            && (fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0) {
            close(descriptor);
        }
    }
    close(STDERR_FILENO);
    pthread_join(reader, &total);
    ck_assert_uint_eq((size_t)total, BYTES);
}
END_TEST

static _Atomic int writer;

/* Read only when the writer sleeps; one that tries again and again never
 * does. */
static void *read_when_it_sleeps(void *ends)
{
    char status_path[64];
    char state = 0;
    while (writer == 0) {
        sched_yield();
    }
    snprintf(status_path, sizeof status_path, "/proc/self/task/%d/stat",
             writer);
    while (state != 'S') {
        FILE *file = fopen(status_path, "re");
        if (file == NULL || fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            return NULL;
        }
        fclose(file);
    }
    return read_all(ends);
}

START_TEST(a_report_waits_for_its_reader_without_spinning)
{
    enum { BYTES = 1 << 18 };
    static char report[BYTES];
    int ends[2];
    pthread_t reader;
    void *total;
    for (size_t i = 0; i < BYTES; i++) {
        report[i] = (char)('a' + i % 23);
    }
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    output_start();
    ck_assert_int_eq(pthread_create(&reader, NULL, read_when_it_sleeps, ends),
                     0);
    writer = (int)gettid();
    output_report("", report, BYTES);
    for (int descriptor = 2; descriptor < 1024; descriptor++) {
        if (descriptor != ends[0] && fcntl(descriptor, F_GETFL) >= 0
            && (fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0) {
            close(descriptor);
        }
    }
    pthread_join(reader, &total);
    ck_assert_uint_eq((size_t)total, BYTES);
}
END_TEST

START_TEST(dying_says_why_and_ends_by_the_signal)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        output_die("that cannot be");
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    ck_assert_str_eq(read_back("stderr"), "moat: that cannot be\n");
}
END_TEST

START_TEST(errno_is_left_alone)
{
    errno = EDOM;
    output_message("hello");
    output_report("/none/none", "one\n", 4);
    output_check_log("/none/none");
    output_is_colorful();
    ck_assert_int_eq(errno, EDOM);
    /* And when nothing can be written. */
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t most = limit.rlim_cur;
    limit.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    errno = EDOM;
    output_message("hello");
    output_report("", "one\n", 4);
    int left = errno;
    limit.rlim_cur = most;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(left, EDOM);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_message_is_a_line_on_standard_error);
    tcase_add_test(tests, a_closed_standard_error_is_still_reached);
    tcase_add_test(tests,
                   a_data_file_in_place_of_standard_error_gets_nothing);
    tcase_add_test(tests, also_when_the_copy_was_closed_and_replaced);
    tcase_add_test(tests,
                   a_log_is_appended_to_under_the_number_of_the_process);
    tcase_add_test(tests, a_log_that_cannot_be_made_is_told_and_replaced);
    tcase_add_test(tests, a_path_that_is_too_long_is_told);
    tcase_add_test(tests, a_long_report_gets_through_a_pipe_in_order);
    tcase_add_test(tests, a_report_waits_for_its_reader_without_spinning);
    tcase_add_test(tests, dying_says_why_and_ends_by_the_signal);
    tcase_add_test(tests, errno_is_left_alone);
}

int main(void)
{
    return unit_run("os/output", add);
}
