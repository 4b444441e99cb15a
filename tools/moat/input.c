/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same input again; see input.h. A stream is fed to each program through a
 * pipe by a process of its own, which is never ahead of the program by more
 * than the pipe holds: a program that reads no more than it needs, such as
 * head(1), does not have to wait for the stream's end.
 */
#include "input.h"

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int input_open(struct input *input)
{
    struct stat file;

    *input = (struct input){ .kept = -1, .control = -1, .given = -1 };
    if (fstat(STDIN_FILENO, &file) != 0) {
        return 0;
    }
    if (S_ISREG(file.st_mode) || S_ISBLK(file.st_mode)) {
        input->start = lseek(STDIN_FILENO, 0, SEEK_CUR);
        input->after_first = input->start;
        input->kind = input->start >= 0 ? INPUT_FILE : INPUT_OTHER;
    } else if (S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode)) {
        input->kind = INPUT_STREAM;
        input->kept = place_for_output();
        return input->kept >= 0 ? 0 : errno;
    } else if (isatty(STDIN_FILENO)) {
        input->kind = INPUT_TERMINAL;
    }
    return 0;
}

/* Of the feeder: whether DESCRIPTOR is ready for EVENTS; false: the program has
 * ended. */
static bool wait_for(int descriptor, short events, int control)
{
    struct pollfd wanted[] = { { .fd = descriptor, .events = events },
                               { .fd = control, .events = POLLIN } };

    while (poll(wanted, 2, -1) < 0 && errno == EINTR) {
    }
    return wanted[1].revents == 0;
}

/* Write to the program's pipe; return whether it still reads. */
static bool feed(const char *bytes, size_t count, int out, int control)
{
    while (count > 0) {
        if (!wait_for(out, POLLOUT, control)) {
            return false;
        }
        ssize_t written = write(out, bytes, count);
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
    return true;
}

/* What the next piece is: kept, or new and then kept too. 0: there is none. */
static ssize_t next_piece(char *piece, size_t most, int kept, off_t at,
                          int control)
{
    ssize_t bytes = pread(kept, piece, most, at);

    while (bytes == 0 || (bytes < 0 && (errno == EINTR || errno == EAGAIN))) {
        if (!wait_for(STDIN_FILENO, POLLIN, control)) {
            return 0;
        }
        bytes = read(STDIN_FILENO, piece, most);
        if (bytes == 0) {
            return 0;
        }
        if (bytes > 0 && write(kept, piece, (size_t)bytes) != bytes) {
            fprintf(stderr, "moat: cannot keep standard input for the next "
                            "pass: %s\n", strerror(errno));
        }
    }
    return bytes < 0 ? 0 : bytes;
}

_Noreturn static void feeder(int kept, int out, int control)
{
    static char piece[64 * 1024];
    off_t at = 0;
    ssize_t bytes;

    signal(SIGPIPE, SIG_IGN);
    /* What is sent to all of the group; the program's end is what counts. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    do {
        bytes = next_piece(piece, sizeof piece, kept, at, control);
        at += bytes;
    } while (bytes > 0 && feed(piece, (size_t)bytes, out, control));
    _exit(COMMAND_OK);
}

static int start_feeder(struct input *input)
{
    int data[2];
    int control[2];

    if (pipe2(data, O_CLOEXEC) != 0) {
        return errno;
    }
    if (pipe2(control, O_CLOEXEC) != 0) {
        int error = errno;
        close(data[0]);
        close(data[1]);
        return error;
    }
    /* The program's own end blocks, as that of any pipe. */
    fcntl(data[1], F_SETFL, O_NONBLOCK);
    input->feeder = fork();
    if (input->feeder == 0) {
        close(data[0]);
        close(control[1]);
        feeder(input->kept, data[1], control[0]);
    }
    int error = input->feeder < 0 ? errno : 0;
    close(data[1]);
    close(control[0]);
    input->given = data[0];
    input->control = control[1];
    return error;
}

int input_begin(struct input *input)
{
    bool is_first = input->programs++ == 0;

    input->given = -1;
    switch (input->kind) {
    case INPUT_FILE:
        return lseek(STDIN_FILENO, input->start, SEEK_SET) < 0 ? errno : 0;
    case INPUT_STREAM:
        return start_feeder(input);
    case INPUT_TERMINAL:
        if (!is_first) {
            input->given = open("/dev/null", O_RDONLY | O_CLOEXEC);
            return input->given < 0 ? errno : 0;
        }
        return 0;
    default:
        return 0;
    }
}

void input_end(struct input *input)
{
    if (input->kind == INPUT_FILE && input->programs == 1) {
        input->after_first = lseek(STDIN_FILENO, 0, SEEK_CUR);
    }
    if (input->given >= 0) {
        close(input->given);
    }
    if (input->control >= 0) {
        close(input->control);
        while (input->feeder > 0 && waitpid(input->feeder, NULL, 0) < 0
               && errno == EINTR) {
        }
    }
    input->given = -1;
    input->control = -1;
}

void input_close(struct input *input)
{
    if (input->kind == INPUT_FILE && input->programs > 0) {
        lseek(STDIN_FILENO, input->after_first, SEEK_SET);
    }
    if (input->kept >= 0) {
        close(input->kept);
    }
}
