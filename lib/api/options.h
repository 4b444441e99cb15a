/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options: MOAT_OPTIONS=key=value:key=value. Pure: text in, values and
 * messages out.
 */
#ifndef API_OPTIONS_H
#define API_OPTIONS_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_PATH_BYTES = 1024 };

struct options {
#define OPTION_BOOL(name, initial, help) bool name;
#define OPTION_NUMBER(name, initial, least, most, help) unsigned long name;
#define OPTION_SIZE(name, initial, help) unsigned long name;
#define OPTION_CHOICE(name, initial, choices, help) unsigned name;
#define OPTION_PATH(name, initial, help) char name[OPTIONS_PATH_BYTES];
#include "api/options.def"
#undef OPTION_BOOL
#undef OPTION_NUMBER
#undef OPTION_SIZE
#undef OPTION_CHOICE
#undef OPTION_PATH
};

/* All defaults. */
void options_reset(struct options *options);

/*
 * Set what TEXT says in *OPTIONS; NULL says nothing. For each entry that
 * cannot be used, which then changes nothing, append a line to MESSAGES that
 * names the key and what is accepted.
 *
 * Returns how many entries could not be used.
 */
size_t options_parse(struct options *options, const char *text,
                     struct text *messages);

/* Append a line for each option: name, accepted values, default, help. */
void options_help(struct text *text);

#endif
