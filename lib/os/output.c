/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Output; see output.h. */
#include "os/output.h"

#include "base/text.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int copy;
    dev_t device;
    ino_t inode;
} standard_error = { .copy = -1 };

static bool is_same_file(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0
           && status.st_dev == standard_error.device
           && status.st_ino == standard_error.inode;
}

void output_start(void)
{
    int saved_errno = errno;
    struct stat status;
    if (fstat(STDERR_FILENO, &status) == 0) {
        standard_error.device = status.st_dev;
        standard_error.inode = status.st_ino;
        standard_error.copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC,
                                    process_lowest_descriptor());
    }
    errno = saved_errno;
}

/*
 * The copy first: it is what standard error was at start. If the program
 * closed it, standard error itself serves when it is still the same file. Where
 * there was none at start, the number may be a file of the program's data by
 * now, and nothing is written.
 */
static int standard_error_descriptor(void)
{
    if (standard_error.copy >= 0 && is_same_file(standard_error.copy)) {
        return standard_error.copy;
    }
    return is_same_file(STDERR_FILENO) ? STDERR_FILENO : -1;
}

/* Wait until a pipe that does not block has room. Returns false when nobody
 * has read from it for long: a report must not keep a program for ever. */
static bool can_write_soon(int descriptor)
{
    enum { LONGEST_WAIT = 10000 };
    struct pollfd wanted = { .fd = descriptor, .events = POLLOUT };
    int ready;
    do {
        ready = poll(&wanted, 1, LONGEST_WAIT);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* A negative DESCRIPTOR is ignored. */
static void write_all(int descriptor, const char *bytes, size_t count)
{
    while (descriptor >= 0 && count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0
            && (errno == EINTR
                || (errno == EAGAIN && can_write_soon(descriptor)))) {
            continue;
        }
        if (written <= 0) {
            break;
        }
        bytes += written;
        count -= (size_t)written;
    }
}

void output_message(const char *message)
{
    int saved_errno = errno;
    char line[512];
    struct text text = text_in(line, sizeof line - 1);
    text_string(&text, "moat: ");
    text_string(&text, message);
    text.buffer[text.length++] = '\n';
    int state = process_begin_uncancelled();
    write_all(standard_error_descriptor(), line, text.length);
    process_end_uncancelled(state);
    errno = saved_errno;
}

static void expand_path(struct text *text, const char *log_path)
{
    for (const char *at = log_path; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 'p') {
            text_decimal(text, (uint64_t)getpid());
            at++;
        } else {
            text_character(text, *at);
        }
    }
}

int output_check_log(const char *log_path)
{
    int saved_errno = errno;
    char path[PATH_MAX];
    struct text text = text_in(path, sizeof path);
    expand_path(&text, log_path);
    int status = -1;
    if (text.is_truncated) {
        errno = ENAMETOOLONG;
    } else if (access(path, F_OK) == 0) {
        struct stat file;
        status = access(path, W_OK);
        if (status == 0 && stat(path, &file) == 0 && S_ISDIR(file.st_mode)) {
            errno = EISDIR;
            status = -1;
        }
    } else if (errno == ENOENT) {
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            status = access(".", W_OK);
        } else {
            slash[slash == path ? 1 : 0] = '\0';
            status = access(path, W_OK);
        }
    }
    int error = status == 0 ? 0 : errno;
    errno = saved_errno;
    return error;
}

static int open_log(const char *log_path)
{
    char path[PATH_MAX];
    struct text text = text_in(path, sizeof path);
    expand_path(&text, log_path);
    if (text.is_truncated) {
        return -1;
    }
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
                0666);
}

void output_report(const char *log_path, const char *bytes, size_t count)
{
    int saved_errno = errno;
    int log = log_path[0] != '\0' ? open_log(log_path) : -1;
    write_all(log >= 0 ? log : standard_error_descriptor(), bytes, count);
    if (log >= 0) {
        close(log);
    }
    errno = saved_errno;
}

bool output_is_colorful(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    int saved_errno = errno;
    bool is_colorful = (no_color == NULL || no_color[0] == '\0')
                       && terminal != NULL && strcmp(terminal, "dumb") != 0
                       && isatty(STDERR_FILENO);
    errno = saved_errno;
    return is_colorful;
}

_Noreturn void output_die(const char *sentence)
{
    output_message(sentence);
    abort();
}
