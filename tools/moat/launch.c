/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a program; see launch.h. Knows what a program needs to be fenced:
 * three variables of its environment, and a tally; and whom a signal is for.
 */
#include "launch.h"

#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The program; 0: there is none (any more). */
static volatile pid_t child;

static volatile sig_atomic_t stopped_by;

/* The terminal sends the first two to moat and to the program; the others are
 * sent to moat alone, and are meant for the program too. */
static const struct {
    int number;
    bool is_passed_on;
    bool is_to_stop;
} signals[] = {
    { SIGINT, false, true }, { SIGQUIT, false, true },
    { SIGTERM, true, true }, { SIGHUP, true, true },
    { SIGUSR1, true, false }, { SIGUSR2, true, false },
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

/* Of SIGNALS, and SIGALRM, those that moat was not started to ignore. */
static sigset_t handled;

/* TEXT and ADDED, with a colon between what is there; NULL: no memory. */
static char *join(const char *text, const char *added)
{
    char *joined;

    if (*text == '\0' || added == NULL || *added == '\0') {
        return strdup(*text == '\0' ? added : text);
    }
    return asprintf(&joined, "%s:%s", text, added) < 0 ? NULL : joined;
}

int launch_options(char *const arguments[], const char **options, int *program)
{
    const char *environment = getenv("MOAT_OPTIONS");
    char *all = strdup(environment == NULL ? "" : environment);
    int i = 1;

    for (; arguments[i] != NULL && arguments[i][0] == '-'; i++) {
        const char *option = arguments[i];
        if (strcmp(option, "--") == 0) {
            i++;
            break;
        }
        if (strncmp(option, "--", 2) != 0 || option[2] == '\0') {
            return command_misused("%s has no option '%s'; its options are "
                                   "--KEY=VALUE, see 'moat help options'",
                                   arguments[0], option);
        }
        if (strchr(option, ':') != NULL) {
            return command_misused("%s: a value cannot have a colon in it",
                                   option);
        }
        char *longer = all == NULL ? NULL : join(all, option + 2);
        free(all);
        all = longer;
    }
    if (all == NULL) {
        return command_misused("%s", strerror(errno));
    }
    *options = all;
    *program = i;
    if (arguments[i] == NULL) {
        return command_misused("%s what? usage: moat %s [--KEY=VALUE]... "
                               "[--] PROGRAM [ARGUMENT]...",
                               arguments[0], arguments[0]);
    }
    return environment_would_be_understood(all) ? COMMAND_OK
                                                : COMMAND_MISUSED;
}

int launch_check(const char *program, char library[PATH_MAX])
{
    int status = program_check(program);

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
    return COMMAND_OK;
}

/*
 * A tally that the processes can open by PATH as long as this one lives, and
 * that nobody has to remove.
 */
static struct tally *make_tally(char path[64])
{
    int descriptor = place_in_memory("moat tally", path);

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
    return tally;
}

static void on_signal(int signal_number)
{
    int saved_errno = errno;

    for (size_t i = 0; i < SIGNALS; i++) {
        if (signals[i].number == signal_number) {
            if (signals[i].is_to_stop) {
                stopped_by = signal_number;
            }
            if (signals[i].is_passed_on && child > 0) {
                kill(child, signal_number);
            }
        }
    }
    errno = saved_errno;
}

/* It is enough that the wait is interrupted. */
static void on_alarm(int signal_number)
{
    (void)signal_number;
}

static void handle(int signal_number, void (*handler)(int), int flags)
{
    struct sigaction before;
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

    /* What is ignored from the start is to be ignored by the program too. */
    if (sigaction(signal_number, NULL, &before) == 0
        && before.sa_handler != SIG_IGN) {
        sigaction(signal_number, &action, NULL);
        sigaddset(&handled, signal_number);
    }
}

static void handle_signals(void)
{
    static bool is_done;

    if (!is_done) {
        sigemptyset(&handled);
        for (size_t i = 0; i < SIGNALS; i++) {
            handle(signals[i].number, on_signal, SA_RESTART);
        }
        handle(SIGALRM, on_alarm, 0);
        is_done = true;
    }
}

/* Not for a program that is set aside, nor for what that runs. */
static bool set_preload(const char *library)
{
    char *preload = join(library, getenv("LD_PRELOAD"));

    return preload != NULL && setenv("LD_PRELOAD", preload, 1) == 0;
}

static bool set_environment(const struct launch *launch, const char *tally,
                            bool is_set_aside)
{
    return (is_set_aside || set_preload(launch->library))
           && setenv("MOAT_OPTIONS", launch->options, 1) == 0
           && setenv(TALLY_VARIABLE, tally, 1) == 0;
}

/* In the child. MASK is what moat was started with. */
_Noreturn static void become(const struct launch *launch, const char *tally,
                             bool is_set_aside, const sigset_t *mask)
{
    int error = 0;

    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&handled, number) == 1) {
            signal(number, SIG_DFL);
        }
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
    for (int i = 0; i < 3; i++) {
        if (launch->standard[i] >= 0 && dup2(launch->standard[i], i) < 0) {
            error = errno;
        }
    }
    if (launch->library != NULL
        && !set_environment(launch, tally, is_set_aside)) {
        error = errno;
    }
    if (error == 0) {
        execvp(launch->arguments[0], launch->arguments);
        error = errno;
    }
    fprintf(stderr, "moat: cannot run %s: %s\n", launch->arguments[0],
            strerror(error));
    _exit(COMMAND_MISUSED);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void set_alarm(const struct launch *launch, bool is_on)
{
    struct itimerval second = { { is_on, 0 }, { is_on, 0 } };

    if (launch->tick != NULL && sigismember(&handled, SIGALRM) == 1) {
        setitimer(ITIMER_REAL, &second, NULL);
    }
}

static int wait_for(const struct launch *launch, double began, int *status)
{
    int error = 0;

    set_alarm(launch, true);
    while (error == 0 && waitpid(child, status, 0) < 0) {
        if (errno != EINTR) {
            error = errno;
        } else if (launch->tick != NULL) {
            launch->tick(now() - began, launch->context);
        }
    }
    set_alarm(launch, false);
    child = 0;
    return error;
}

int launch(const struct launch *launch, struct ending *ending)
{
    char path[64] = "";
    struct tally *tally = NULL;
    bool is_set_aside = false;
    sigset_t mask;

    if (launch->library != NULL) {
        tally = make_tally(path);
        if (tally == NULL) {
            return errno;
        }
        is_set_aside = program_is_set_aside(launch->arguments[0]);
        tally->set_aside = is_set_aside;
    }
    handle_signals();
    fflush(stdout);
    /* None gets lost between two programs, or before one is known. */
    sigprocmask(SIG_BLOCK, &handled, &mask);
    if (stopped_by != 0) {
        sigprocmask(SIG_SETMASK, &mask, NULL);
        return EINTR;
    }
    double began = now();
    child = fork();
    if (child == 0) {
        become(launch, path, is_set_aside, &mask);
    }
    int error = child < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (error == 0) {
        error = wait_for(launch, began, &ending->status);
    }
    ending->seconds = now() - began;
    ending->tally = tally;
    return error;
}

int launch_stopped_by(void)
{
    return stopped_by;
}

int launch_exit_status(int status)
{
    return WIFSIGNALED(status) ? COMMAND_SIGNALLED + WTERMSIG(status)
                               : WEXITSTATUS(status);
}
