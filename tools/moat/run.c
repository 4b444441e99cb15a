/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moat run: a program, and all that it starts, with every block fenced. At its
 * end, a line that says what was fenced.
 */
#include "command.h"

#include "api/options.h"
#include "base/text.h"
#include "launch.h"
#include "proof.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int run_run(int argument_count, char *const arguments[])
{
    char library[PATH_MAX];
    char buffer[512];
    struct text line = text_in(buffer, sizeof buffer);
    struct launch wanted = { .standard = { -1, -1, -1 } };
    struct options options;
    struct ending ending;
    int program = 0;
    int status = launch_options(arguments, &wanted.options, &program);

    (void)argument_count;
    if (status == COMMAND_OK) {
        status = launch_check(arguments[program], library);
    }
    if (status != COMMAND_OK) {
        return status;
    }
    environment_read(&options, wanted.options);
    wanted.arguments = arguments + program;
    wanted.library = library;
    int error = launch(&wanted, &ending);
    if (error == EINTR) {
        return COMMAND_SIGNALLED + launch_stopped_by();
    }
    if (error != 0) {
        return command_misused("cannot run %s: %s", arguments[program],
                               strerror(error));
    }
    proof_add(&line, ending.tally, true);
    fprintf(stderr, "moat: %s\n", line.buffer);
    if (ending.tally->reports > 0
        || (proof_is_weaker(ending.tally) && options.require != 0)) {
        return (int)options.exitcode;
    }
    return launch_exit_status(ending.status);
}
