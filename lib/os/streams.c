/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing out streams; see streams.h.
 *
 * fflush(NULL) waits for the lock of each. So this walks glibc's own list of
 * them, under the list's lock, as glibc does at exit: who waits for ever with
 * that one held would not let exit() end either. These names are part of its
 * binary interface, though no header has them any more.
 */
#include "os/streams.h"

#include <stddef.h>
#include <stdio.h>
#include <stdio_ext.h>

extern FILE *_IO_list_all __attribute__((weak));
void _IO_list_lock(void) __attribute__((weak));
void _IO_list_unlock(void) __attribute__((weak));

static void flush(FILE *stream)
{
    if (ftrylockfile(stream) != 0) {
        return;
    }
    /* Only output: what was read ahead is not to be given back here. */
    if (__fpending(stream) > 0) {
        fflush_unlocked(stream);
    }
    funlockfile(stream);
}

void streams_flush(void)
{
    if (&_IO_list_all == NULL || _IO_list_lock == NULL
        || _IO_list_unlock == NULL) {
        flush(stdout);
        return;
    }
    _IO_list_lock();
    for (FILE *stream = _IO_list_all; stream != NULL;
         stream = stream->_chain) {
        flush(stream);
    }
    _IO_list_unlock();
}
