/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's streams at its end, when _exit() would lose what they hold. */
#ifndef OS_STREAMS_H
#define OS_STREAMS_H

/*
 * Write out what all streams hold, but those that another thread uses: it may
 * wait for input, and its stream's lock with it, for ever. errno may change.
 * Not for use in a signal handler.
 */
void streams_flush(void);

#endif
