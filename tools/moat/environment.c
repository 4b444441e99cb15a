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
    return environment_would_be_understood(getenv("MOAT_OPTIONS"));
}

bool environment_would_be_understood(const char *value)
{
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

void environment_read(struct options *options, const char *text)
{
    char buffer[64];
    struct text unused = text_in(buffer, sizeof buffer);

    options_reset(options);
    options_parse(options, text, &unused);
}
