/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moat run: a program, and all that it starts, with libmoat-preload.so in
 * place of its malloc(). At its end, a line that says what was fenced.
 */
#include "command.h"

#include "api/options.h"
#include "base/text.h"
#include "record/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program; 0: there is none (any more). */
static volatile pid_t child;

/* Append TEXT to the variable NAME, or put it in front, with a colon. */
static bool extend_variable(const char *name, const char *text, bool in_front)
{
    const char *present = getenv(name);
    char *extended;

    if (present == NULL || *present == '\0') {
        return setenv(name, text, 1) == 0;
    }
    if (asprintf(&extended, "%s:%s", in_front ? text : present,
                 in_front ? present : text) < 0) {
        return false;
    }
    bool is_set = setenv(name, extended, 1) == 0;
    free(extended);
    return is_set;
}

/* "--KEY=VALUE" goes to MOAT_OPTIONS. Stores where the program's name is. */
static int take_options(char *const arguments[], int *program)
{
    int i = 1;

    for (; arguments[i] != NULL && arguments[i][0] == '-'; i++) {
        const char *option = arguments[i];
        if (strcmp(option, "--") == 0) {
            i++;
            break;
        }
        if (strncmp(option, "--", 2) != 0 || option[2] == '\0') {
            return command_misused("run has no option '%s'; its options are "
                                   "--KEY=VALUE, see 'moat help options'",
                                   option);
        }
        if (strchr(option, ':') != NULL) {
            return command_misused("%s: a value cannot have a colon in it",
                                   option);
        }
        if (!extend_variable("MOAT_OPTIONS", option + 2, false)) {
            return command_misused("%s", strerror(errno));
        }
    }
    *program = i;
    if (arguments[i] == NULL) {
        return command_misused("run what? usage: moat run [--KEY=VALUE]... "
                               "[--] PROGRAM [ARGUMENT]...");
    }
    return environment_is_understood() ? COMMAND_OK : COMMAND_MISUSED;
}

/*
 * A tally that the processes can open by a path as long as this one lives, and
 * that nobody has to remove.
 */
static struct tally *make_tally(void)
{
    char path[64];
    int low = memfd_create("moat tally", MFD_CLOEXEC);
    /* Not where standard error would be: it may be closed. */
    int descriptor = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 3);

    close(low);
    if (descriptor < 0
        || ftruncate(descriptor, (off_t)sizeof(struct tally)) != 0) {
        return NULL;
    }
    struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE,
                               MAP_SHARED, descriptor, 0);
    if (tally == MAP_FAILED) {
        return NULL;
    }
    tally->magic = TALLY_MAGIC;
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)getpid(), descriptor);
    return setenv(TALLY_VARIABLE, path, 1) == 0 ? tally : NULL;
}

/* What is sent to moat alone is meant for the program. */
static void pass_on(int signal_number)
{
    if (child > 0) {
        kill(child, signal_number);
    }
}

static void look_after_signals(void)
{
    static const int passed_on[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++) {
        struct sigaction before;
        struct sigaction action = { .sa_handler = pass_on,
                                    .sa_flags = SA_RESTART };
        if (sigaction(passed_on[i], NULL, &before) == 0
            && before.sa_handler != SIG_IGN) {
            sigaction(passed_on[i], &action, NULL);
        }
    }
}

/* Run the program; 0, or why it could not be run. Stores how it ended. */
static int run(char *const arguments[], int *status)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction interrupt;
    struct sigaction quit;

    /* The terminal sends these to both; the program decides. */
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    child = fork();
    if (child == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        execvp(arguments[0], arguments);
        int error = errno;
        fprintf(stderr, "moat: cannot run %s: %s\n", arguments[0],
                strerror(error));
        _exit(COMMAND_MISUSED);
    }
    if (child < 0) {
        return errno;
    }
    look_after_signals();
    while (waitpid(child, status, 0) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    child = 0;
    return 0;
}

static void say(struct text *line, uint64_t count, const char *one,
                const char *many)
{
    text_decimal(line, count);
    text_character(line, ' ');
    text_string(line, count == 1 ? one : many);
}

/* The closing line. Returns whether something was weaker than asked. */
static bool close_tally(const struct tally *tally)
{
    char buffer[512];
    struct text line = text_in(buffer, sizeof buffer);
    bool is_weaker = true;

    text_string(&line, "moat: ");
    if (tally->processes == 0) {
        text_string(&line, "nothing was fenced: the program did not load "
                           "libmoat-preload.so");
    } else {
        say(&line, tally->fenced, "block fenced in ", "blocks fenced in ");
        say(&line, tally->processes, "process", "processes");
        if (tally->reports > 0) {
            text_string(&line, ", ");
            say(&line, tally->reports, "report", "reports");
        }
        is_weaker = tally->canaries_only > 0 || tally->shortfalls > 0;
        text_string(&line, is_weaker ? "; weaker than asked: "
                                     : "; nothing was weaker than asked");
        if (tally->canaries_only > 0) {
            say(&line, tally->canaries_only, "block with canaries only, ",
                "blocks with canaries only, ");
        }
        if (is_weaker) {
            say(&line, tally->shortfalls, "shortfall (stats=1 lists them)",
                "shortfalls (stats=1 lists them)");
        }
    }
    if (tally->ended < tally->processes) {
        text_string(&line, "; ");
        say(&line, tally->processes - tally->ended,
            "process ended without saying what it did",
            "processes ended without saying what they did");
    }
    fprintf(stderr, "%s\n", buffer);
    return is_weaker;
}

/* As MOAT_OPTIONS has it, which is known to be understood. */
static void read_options(struct options *options)
{
    char buffer[64];
    struct text unused = text_in(buffer, sizeof buffer);

    options_reset(options);
    options_parse(options, getenv("MOAT_OPTIONS"), &unused);
}

int run_run(int argument_count, char *const arguments[])
{
    char library[PATH_MAX];
    struct options options;
    int program = 0;
    int status = take_options(arguments, &program);

    (void)argument_count;
    if (status == COMMAND_OK) {
        status = program_check(arguments[program]);
    }
    if (status != COMMAND_OK) {
        return status;
    }
    place_of(library, ".libs/libmoat-preload.so",
             MOAT_PRELOAD_DIR "/libmoat-preload.so");
    if (access(library, R_OK) != 0) {
        return command_misused("%s: %s", library, strerror(errno));
    }
    if (strpbrk(library, ": ") != NULL) {
        return command_misused("%s: the loader takes no library with a space "
                               "or a colon in its path",
                               library);
    }
    struct tally *tally = make_tally();
    if (tally == NULL || !extend_variable("LD_PRELOAD", library, true)) {
        return command_misused("cannot prepare to run: %s", strerror(errno));
    }
    read_options(&options);
    fflush(stdout);
    int error = run(arguments + program, &status);
    if (error != 0) {
        return command_misused("cannot run %s: %s", arguments[program],
                               strerror(error));
    }
    bool is_weaker = close_tally(tally);
    if (tally->reports > 0 || (is_weaker && options.require != 0)) {
        return (int)options.exitcode;
    }
    return WIFSIGNALED(status) ? COMMAND_SIGNALLED + WTERMSIG(status)
                               : WEXITSTATUS(status);
}
