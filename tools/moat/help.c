/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * moat help: how to use the commands, and what MOAT_OPTIONS can be. The one
 * comes from the table of commands, the other from the library's table of
 * options: neither is written down a second time here.
 */
#include "command.h"

#include "api/options.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void help_usage(bool is_mistake)
{
    FILE *out = is_mistake ? stderr : stdout;

    fputs("usage: moat COMMAND [ARGUMENT...]\n\n", out);
    for (const struct command *command = commands; command->name != NULL;
         command++) {
        fprintf(out, "  moat %s %s\n        %s\n", command->name,
                command->arguments, command->purpose);
    }
    fputs("\nmoat COMMAND --help tells more. moat --version tells the version;"
          "\nmoat(1) is the manual.\n",
          out);
}

void help_command(const struct command *command)
{
    printf("usage: moat %s %s\n        %s\n", command->name,
           command->arguments, command->purpose);
    if (command->details != NULL) {
        printf("\n%s", command->details);
    }
}

int help_run(int argument_count, char *const arguments[])
{
    if (argument_count == 1) {
        help_usage(false);
        return COMMAND_OK;
    }
    if (argument_count == 2 && strcmp(arguments[1], "options") == 0) {
        char buffer[16 * 1024];
        struct text text = text_in(buffer, sizeof buffer);

        options_help(&text);
        printf("MOAT_OPTIONS=KEY=VALUE:KEY=VALUE..., where KEY and VALUE can"
               " be (the default):\n\n%s", text.buffer);
        return COMMAND_OK;
    }
    const struct command *command = command_find(arguments[1]);
    if (argument_count == 2 && command != NULL) {
        help_command(command);
        return COMMAND_OK;
    }
    return command_misused("there is no help on '%s'; see 'moat help'",
                           arguments[argument_count - 1]);
}
