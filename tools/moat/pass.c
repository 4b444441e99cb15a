/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass; see pass.h. */
#include "pass.h"

#include "command.h"
#include "proof.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* So much of what a program wrote is shown. */
enum { LINES_SHOWN = 20, BYTES_SHOWN = 4096 };

struct progress {
    const char *name;
    int number;
    int count;
};

static bool has_terminal(void)
{
    const char *terminal = getenv("TERM");

    return isatty(STDERR_FILENO) && terminal != NULL
           && strcmp(terminal, "dumb") != 0;
}

/* The line is written over each time, and removed in the end. */
static void show_progress(double seconds, void *context)
{
    const struct progress *progress = context;

    fprintf(stderr, "\rmoat: pass %d of %d, %s: %.0f s\033[K",
            progress->number, progress->count, progress->name, seconds);
}

static void start_progress(struct launch *launch, struct progress *progress)
{
    if (!has_terminal()) {
        return;
    }
    if (progress->number == 1) {
        /* Then the terminal is the program's. */
        fprintf(stderr, "moat: pass 1 of %d, %s\n", progress->count,
                progress->name);
    } else {
        launch->tick = show_progress;
        launch->context = progress;
        show_progress(0, progress);
    }
}

static void end_progress(const struct launch *launch)
{
    if (launch->tick != NULL) {
        fputs("\r\033[K", stderr);
    }
}

/* MOAT_OPTIONS for PASS: what comes later holds. */
static char *all_options(const struct pass *pass, const char *options,
                         const char *log)
{
    char *all;

    return asprintf(&all, "%s%s%s:log_path=%s:color=never", options,
                    *options == '\0' ? "" : ":", pass->options, log)
                   < 0
               ? NULL
               : all;
}

int pass_make(struct pass *pass, char *const *program, const char *library,
              const char *options, struct input *input, int number, int count)
{
    char log[64];
    char *all = NULL;
    struct progress progress = { pass->name, number, count };
    struct launch wanted = { .arguments = program,
                             .standard = { -1, -1, -1 } };

    if (pass->options != NULL) {
        pass->log = place_in_memory("moat reports", log);
        all = pass->log < 0 ? NULL : all_options(pass, options, log);
        if (all == NULL) {
            return errno;
        }
        wanted.library = library;
        wanted.options = all;
    }
    if (number > 1) {
        pass->output = place_for_output();
        if (pass->output < 0) {
            return errno;
        }
        wanted.standard[1] = pass->output;
        wanted.standard[2] = pass->output;
    }
    int error = input_begin(input);
    if (error == 0) {
        wanted.standard[0] = input->given;
        start_progress(&wanted, &progress);
        error = launch(&wanted, &pass->ending);
        end_progress(&wanted);
        pass->has_run = error == 0;
        pass->is_stopped = launch_stopped_by() != 0;
    }
    input_end(input);
    free(all);
    return error == EINTR ? 0 : error;
}

int pass_read_reports(struct pass *pass)
{
    struct stat file;

    if (fstat(pass->log, &file) != 0) {
        return errno;
    }
    pass->reports = malloc((size_t)file.st_size + 1);
    if (pass->reports == NULL) {
        return errno;
    }
    ssize_t bytes = pread(pass->log, pass->reports, (size_t)file.st_size, 0);
    pass->reports[bytes < 0 ? 0 : bytes] = '\0';
    return bytes < 0 ? errno : 0;
}

static void add_status(struct text *text, int status)
{
    if (WIFSIGNALED(status)) {
        text_string(text, "ended by signal ");
        text_decimal(text, (uint64_t)WTERMSIG(status));
        text_string(text, " (");
        text_string(text, strsignal(WTERMSIG(status)));
        text_character(text, ')');
    } else {
        text_string(text, "exit status ");
        text_decimal(text, (uint64_t)WEXITSTATUS(status));
    }
}

static void add_verdict(struct text *text, const struct pass *pass,
                        const struct pass *without)
{
    switch (pass->verdict) {
    case PASS_REPORTED:
        proof_add_count(text, pass->ending.tally->reports, "report",
                        "reports");
        break;
    case PASS_CLEAN:
        text_string(text, "no report");
        if (pass->ending.status != 0) {
            text_string(text, ", ");
            add_status(text, pass->ending.status);
            text_string(text, without->has_run ? " as without Moat" : "");
        }
        break;
    case PASS_UNUSABLE:
        text_string(text, "unusable for this program: ");
        add_status(text, pass->ending.status);
        text_string(text, ", but without Moat ");
        add_status(text, without->ending.status);
        break;
    default:
        text_string(text, "stopped before its end, no report");
        break;
    }
}

void pass_say(const struct pass *pass, const struct pass *without)
{
    char buffer[512];
    char seconds[32];
    struct text line = text_in(buffer, sizeof buffer);

    text_string(&line, "moat: ");
    text_string(&line, pass->name);
    text_string(&line, ": ");
    if (!pass->has_run) {
        text_string(&line, "not made");
    } else {
        if (pass->options == NULL) {
            add_status(&line, pass->ending.status);
        } else {
            add_verdict(&line, pass, without);
        }
        snprintf(seconds, sizeof seconds, "; %.2f s", pass->ending.seconds);
        text_string(&line, seconds);
        if (pass->options != NULL) {
            text_string(&line, "; ");
            proof_add(&line, pass->ending.tally, false);
        }
    }
    fprintf(stderr, "%s\n", line.buffer);
}

/* The start of the last lines of TEXT, of which there is MOST at most. */
static char *last_lines(char *text, size_t length, int most)
{
    size_t at = length;

    while (at > 0) {
        if (text[at - 1] == '\n' && at != length && most-- == 1) {
            break;
        }
        at--;
    }
    return text + at;
}

void pass_show_output(const struct pass *pass)
{
    char text[BYTES_SHOWN + 1];
    char printable[3 * BYTES_SHOWN];
    struct stat file;

    if (pass->output < 0 || fstat(pass->output, &file) != 0
        || file.st_size == 0) {
        return;
    }
    bool is_cut = file.st_size > BYTES_SHOWN;
    ssize_t bytes = pread(pass->output, text, BYTES_SHOWN,
                          is_cut ? file.st_size - BYTES_SHOWN : 0);
    if (bytes <= 0) {
        return;
    }
    text[bytes] = '\0';
    char *shown = last_lines(text, (size_t)bytes, LINES_SHOWN);
    fprintf(stderr, "moat: %s it wrote in pass %s:\n",
            is_cut || shown != text ? "the last that" : "what", pass->name);
    for (char *line = shown; line < text + bytes;) {
        size_t length = strcspn(line, "\n");
        struct text words = text_in(printable, sizeof printable);
        text_printable_bytes(&words, line, length);
        fprintf(stderr, "    %s\n", words.buffer);
        line += length + 1;
    }
}
