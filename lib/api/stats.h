/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The statistics of this process, as stats=1 says them at its end. */
#ifndef API_STATS_H
#define API_STATS_H

/*
 * Say what was fenced by the way called BACKEND, what was not and why, and what
 * else was weaker than asked, a line each.
 */
void stats_say(const char *backend);

#endif
