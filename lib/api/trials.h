/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trials: allocations that are stopped at or refused because an option says
 * so. Which these are is the business of alloc/numbers.h; here is what the
 * options mean, and what is said.
 */
#ifndef API_TRIALS_H
#define API_TRIALS_H

#include "api/options.h"

/* As OPTIONS say; after tally_start() and state_create(). */
void trials_start(const struct options *options);

/* Append what was refused on purpose, for the statistics, if anything was to
 * be. Returns whether there is anything to say. */
bool trials_describe(struct text *text);

#endif
