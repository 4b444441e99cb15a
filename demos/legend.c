/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knows how the demos' signs look on this terminal, and nothing about what
 * they are printed for.
 */
#include "legend.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct look {
    const char *sign;
    const char *word;
    /* Number of the colour of WORD, as terminals count them. */
    int colour;
};

static const struct look looks[] = {
    [LEGEND_OK] = { "✅", "[ok]", 32 },
    [LEGEND_LEAK] = { "⚠️ ", "[leak]", 33 },
    [LEGEND_CORRUPT] = { "🤡", "[corrupt]", 31 },
    [LEGEND_HEAP] = { "📦", "[heap]", 36 },
    [LEGEND_UNMAPPED] = { "🧹", "[unmapped]", 35 },
    [LEGEND_REFUSED] = { "❌", "[refused]", 31 },
};

static bool has_signs;
static bool has_colour;

void legend_start(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_plain = no_color != NULL && no_color[0] != '\0';

    setlocale(LC_CTYPE, "");
    has_signs = !is_plain && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    has_colour = !is_plain && terminal != NULL && strcmp(terminal, "dumb") != 0
                 && isatty(STDOUT_FILENO);
}

void legend_title(const char *title)
{
    if (has_colour) {
        printf("\n\033[1m%s\033[0m\n\n", title);
    } else {
        printf("\n%s\n\n", title);
    }
}

void legend_say(enum legend sign, const char *format, ...)
{
    const struct look *look = &looks[sign];
    va_list arguments;

    if (has_signs) {
        printf("%s ", look->sign);
    } else if (has_colour) {
        printf("\033[%dm%s\033[0m ", look->colour, look->word);
    } else {
        printf("%s ", look->word);
    }
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}
