/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MOAT_OPTIONS, as the command looks at it: a mistake in it is an error here,
 * where a program under Moat would only be warned.
 */
#include "command.h"

#include "api/options.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool environment_is_understood(void)
{
    const char *value = getenv("MOAT_OPTIONS");
    struct options options;
    char buffer[4096];
    struct text messages = text_in(buffer, sizeof buffer);

    options_reset(&options);
    if (options_parse(&options, value, &messages) == 0) {
        return true;
    }
    for (char *line = strtok(buffer, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        command_misused("%s", line);
    }
    return false;
}
