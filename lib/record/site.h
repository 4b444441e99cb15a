/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sites: call stacks, each stored once and named by a number.
 *
 * Storing takes no lock: a site is written first, then its number is put into
 * the hash table by compare-and-swap, so that a reader, also in a signal
 * handler, meets it complete or not at all. Sites are never removed.
 */
#ifndef RECORD_SITE_H
#define RECORD_SITE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Number 0 is "not known", also what is returned when the table is full. */
typedef uint32_t site_id;

struct site_table {
    /* Open addressing; an entry is a site's number, 0: free. */
    _Atomic uint32_t *slots;
    size_t slot_count;
    /* Sites: a word with the count of frames, then the frames. */
    uintptr_t *words;
    size_t word_count;
    _Atomic size_t words_used;
};

/* Make TABLE, empty. Returns 0 or a positive errno value. */
int site_table_create(struct site_table *table);

/* The number of the site of COUNT FRAMES, innermost first; stored if new.
 * Thread-safe; async-signal-safe. */
site_id site_intern(struct site_table *table, const uintptr_t *frames,
                    size_t count);

/* Point *FRAMES to the frames of SITE and return how many there are. */
size_t site_frames(const struct site_table *table, site_id site,
                   const uintptr_t **frames);

#endif
