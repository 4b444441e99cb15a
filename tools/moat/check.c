/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moat check: runs a program several times, with its blocks placed so that each
 * pass finds what the others cannot, and puts the reports together.
 *
 * What can be trusted: reports. Where the program fails without one, a run
 * without Moat tells whether that is its own way; it costs as much as any
 * other, and is made only then.
 */
#include "command.h"

#include "api/options.h"
#include "defect.h"
#include "os/output.h"
#include "pass.h"
#include "proof.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSES = 3 };

static struct pass passes[PASSES] = {
    { .name = "after/abi", .options = "placement=after:alignment=abi",
      .log = -1, .output = -1 },
    { .name = "after/natural", .options = "placement=after:alignment=natural",
      .log = -1, .output = -1 },
    { .name = "before", .options = "placement=before:alignment=abi",
      .log = -1, .output = -1 },
};

static struct pass without_moat
    = { .name = "without Moat", .log = -1, .output = -1 };

/* The program and its surroundings, the same in all passes. */
struct subject {
    char *const *program;
    char library[PATH_MAX];
    const char *text;
    struct options options;
    struct input input;
};

/* Whether KEY is set in TEXT, which is as MOAT_OPTIONS. */
static bool has_key(const char *text, const char *key)
{
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, ":");
        if (strcspn(at, "=:") == strlen(key)
            && strncmp(at, key, strlen(key)) == 0) {
            return true;
        }
        at += length + (at[length] == ':');
    }
    return false;
}

static int read_arguments(char *const arguments[], struct subject *subject)
{
    static const char *const own[] = { "placement", "alignment" };
    int program = 0;
    int status = launch_options(arguments, &subject->text, &program);

    for (size_t i = 0; status == COMMAND_OK && i < 2; i++) {
        if (has_key(subject->text, own[i])) {
            status = command_misused("check makes a pass for each %s itself; "
                                     "leave it out, or use 'moat run'",
                                     own[i]);
        }
    }
    if (status == COMMAND_OK) {
        subject->program = arguments + program;
        environment_read(&subject->options, subject->text);
        status = launch_check(arguments[program], subject->library);
    }
    return status;
}

static int cannot(const char *what, int error)
{
    return command_misused("cannot %s: %s", what, strerror(error));
}

/* Whether nobody reads what the program writes any more: as it has noticed, in
 * the next pass it would go on for ever, into a file. */
static bool is_output_unwanted(const struct pass *pass)
{
    struct pollfd output = { .fd = STDOUT_FILENO };
    int status = pass->ending.status;

    return pass->ending.tally->reports == 0
           && ((WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
               || (status != 0 && poll(&output, 1, 0) == 1
                   && (output.revents & POLLERR) != 0));
}

static int make(struct pass *pass, struct subject *subject, int number)
{
    int error = pass_make(pass, subject->program, subject->library,
                          subject->text, &subject->input, number, PASSES);

    return error == 0 ? COMMAND_OK : cannot("make a pass", error);
}

static int make_passes(struct subject *subject)
{
    int status = COMMAND_OK;

    for (int i = 0; i < PASSES && status == COMMAND_OK; i++) {
        status = make(&passes[i], subject, i + 1);
        if (launch_stopped_by() != 0) {
            break;
        }
        if (i == 0 && status == COMMAND_OK && is_output_unwanted(&passes[0])) {
            fputs("moat: nobody reads the program's output any more; the other "
                  "passes are not made\n", stderr);
            break;
        }
    }
    return status;
}

static bool has_failed(const struct pass *pass)
{
    return pass->verdict == PASS_CLEAN && pass->ending.status != 0;
}

/* Whether a pass fails and nobody knows whether that is the program's own way:
 * only a run without Moat can tell. */
static bool is_in_doubt(void)
{
    return has_failed(&passes[0]) || has_failed(&passes[1])
           || has_failed(&passes[2]);
}

static int judge(struct subject *subject)
{
    int status = COMMAND_OK;

    for (int i = 0; i < PASSES; i++) {
        struct pass *pass = &passes[i];
        if (pass->has_run) {
            pass->verdict = pass->ending.tally->reports > 0 ? PASS_REPORTED
                            : pass->is_stopped              ? PASS_OPEN
                                                            : PASS_CLEAN;
        }
    }
    if (passes[PASSES - 1].has_run && launch_stopped_by() == 0
        && is_in_doubt()) {
        status = make(&without_moat, subject, PASSES + 1);
    }
    for (int i = 0; without_moat.has_run && i < PASSES; i++) {
        if (has_failed(&passes[i]) && !without_moat.is_stopped
            && passes[i].ending.status != without_moat.ending.status) {
            passes[i].verdict = PASS_UNUSABLE;
        }
    }
    return status;
}

/* Where reports go: standard error, or what log_path says; NULL: nowhere. */
static FILE *open_log(const struct options *options, char path[PATH_MAX])
{
    const char *at = strstr(options->log_path, "%p");

    if (strcmp(options->log_path, "stderr") == 0) {
        return stderr;
    }
    if (at == NULL) {
        snprintf(path, PATH_MAX, "%s", options->log_path);
    } else {
        snprintf(path, PATH_MAX, "%.*s%ld%s", (int)(at - options->log_path),
                 options->log_path, (long)getpid(), at + 2);
    }
    FILE *log = fopen(path, "ae");
    if (log == NULL) {
        command_misused("%s: %s; the reports are here:", path,
                        strerror(errno));
    }
    return log == NULL ? stderr : log;
}

/* Reports that did not get to the file are in the program's output. */
static void show_lost_reports(const struct pass *pass, size_t found)
{
    size_t made = pass->ending.tally->reports;

    if (found < made) {
        command_misused("%s: %zu of %zu reports could not be collected; the "
                        "program's standard error has them",
                        pass->name, made - found, made);
        pass_show_output(pass);
    }
}

/* Returns how many defects there are. */
static size_t print_defects(const struct options *options)
{
    const char *names[PASSES];
    size_t found[PASSES] = { 0 };
    struct defects defects = { 0 };
    char path[PATH_MAX] = "";

    for (int i = 0; i < PASSES; i++) {
        names[i] = passes[i].name;
        if (passes[i].has_run) {
            int error = pass_read_reports(&passes[i]);
            if (error != 0) {
                cannot("read the reports", error);
                continue;
            }
            found[i] = defect_add_all(&defects, i, passes[i].reports);
        }
    }
    if (defects.count > 0) {
        FILE *log = open_log(options, path);
        bool is_colorful = options->color == 1
                           || (options->color == 0 && log == stderr
                               && output_is_colorful());
        defect_print_all(&defects, names, is_colorful, log);
        if (log != stderr && fclose(log) != 0) {
            command_misused("%s: %s", path, strerror(errno));
        }
    }
    for (int i = 0; i < PASSES; i++) {
        if (passes[i].has_run) {
            show_lost_reports(&passes[i], found[i]);
        }
    }
    size_t count = defects.count;
    defect_forget_all(&defects);
    return count;
}

static int count_passes(enum pass_verdict verdict)
{
    int count = 0;

    for (int i = 0; i < PASSES; i++) {
        count += passes[i].has_run && passes[i].verdict == verdict;
    }
    return count;
}

static void say_verdicts(size_t defects)
{
    char buffer[256];
    struct text line = text_in(buffer, sizeof buffer);
    int unusable = count_passes(PASS_UNUSABLE);
    int usable = count_passes(PASS_CLEAN) + count_passes(PASS_REPORTED);

    for (int i = 0; i < PASSES; i++) {
        pass_say(&passes[i], &without_moat);
        if (passes[i].verdict == PASS_UNUSABLE) {
            pass_show_output(&passes[i]);
        }
    }
    if (without_moat.has_run) {
        pass_say(&without_moat, &without_moat);
    }
    text_string(&line, "moat: ");
    if (defects > 0 || count_passes(PASS_REPORTED) > 0) {
        proof_add_count(&line, defects, "defect in ", "defects in ");
    } else {
        text_string(&line, usable > 0 ? "no defect found in "
                                      : "nothing could be found in ");
    }
    if (usable < PASSES) {
        text_decimal(&line, (uint64_t)usable);
        text_string(&line, " of ");
    }
    proof_add_count(&line, PASSES, "pass", "passes");
    if (unusable > 0) {
        text_string(&line, "; ");
        proof_add_count(&line, (uint64_t)unusable, "was unusable",
                        "were unusable");
    }
    int stopped_by = launch_stopped_by();
    if (stopped_by != 0) {
        text_string(&line, "; stopped by signal ");
        text_decimal(&line, (uint64_t)stopped_by);
    }
    fprintf(stderr, "%s\n", line.buffer);
}

/* An unusable pass is no failure, but less than was asked for. */
static bool is_weaker(void)
{
    for (int i = 0; i < PASSES; i++) {
        if (passes[i].has_run && proof_is_weaker(passes[i].ending.tally)) {
            return true;
        }
    }
    return count_passes(PASS_UNUSABLE) > 0;
}

static int final_status(const struct options *options)
{
    if (count_passes(PASS_REPORTED) > 0
        || (options->require != 0 && is_weaker())) {
        return (int)options->exitcode;
    }
    if (launch_stopped_by() != 0) {
        return COMMAND_SIGNALLED + launch_stopped_by();
    }
    int own = launch_exit_status(without_moat.has_run
                                     ? without_moat.ending.status
                                     : passes[0].ending.status);
    /* What has checked nothing must not look like success. */
    return own == COMMAND_OK && count_passes(PASS_UNUSABLE) == PASSES
               ? COMMAND_FAILED
               : own;
}

int check_run(int argument_count, char *const arguments[])
{
    static struct subject subject;
    int status = read_arguments(arguments, &subject);

    (void)argument_count;
    if (status != COMMAND_OK) {
        return status;
    }
    int error = input_open(&subject.input);
    if (error != 0) {
        return cannot("keep standard input for the next pass", error);
    }
    status = make_passes(&subject);
    if (status == COMMAND_OK) {
        status = judge(&subject);
    }
    input_close(&subject.input);
    if (!passes[0].has_run) {
        return status != COMMAND_OK ? status
                                    : COMMAND_SIGNALLED + launch_stopped_by();
    }
    /* What was found is not lost because a later pass could not be made. */
    say_verdicts(print_defects(&subject.options));
    return status != COMMAND_OK ? status : final_status(&subject.options);
}
