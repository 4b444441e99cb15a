/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report as text, read: what is needed to tell whether two of them, of
 * different runs of a program, are about the same defect. Pure: no files, no
 * processes. The text is the contract of moat(1).
 */
#ifndef SIGHTING_H
#define SIGHTING_H

#include <stdbool.h>
#include <stddef.h>

/* A part of a report; nothing is at its end. */
struct piece {
    const char *start;
    size_t length;
};

/*
 * So many of the places nearest to the error make a stack: the same wrong call
 * from two places is one defect, as long as it lies deep enough; and allocation
 * often goes through a function or two of the program's own.
 */
enum { SIGHTING_FRAMES = 3, SIGHTING_DAMAGES = 8 };

struct sighting_stack {
    int frames;
    struct piece frame[SIGHTING_FRAMES];
};

/* Bytes from FIRST to before END, counted from the block's end, or from its
 * start, those in front of it being negative. */
struct sighting_range {
    bool is_after;
    long long first;
    long long end;
};

struct sighting {
    /* In which pass it was made. */
    int pass;
    /* All of the report, with the end of its last line. */
    struct piece text;
    struct piece kind;
    /* "access", "free", ... */
    struct piece seen;
    /* "READ", "WRITE", "FREE", ... */
    struct piece access;
    struct piece arena;
    bool has_block;
    unsigned long long block_bytes;
    unsigned long long block_number;
    /* Whether, and how far, the address is outside of the block. */
    bool has_distance;
    struct sighting_range distance;
    int damages;
    struct sighting_range damage[SIGHTING_DAMAGES];
    struct sighting_stack fault;
    struct sighting_stack allocation;
};

/*
 * Read the first report in TEXT, which ends with a zero byte, into *FOUND.
 * Returns where the text behind it starts; NULL: there is none.
 */
const char *sighting_read(const char *text, struct sighting *found);

/*
 * Whether A and B are about the same defect, as far as that can be told for
 * certain. Of two that were seen when it happened, the kind, the access, the
 * block's size and the places in the program are the same. Of one that was seen
 * late, by damaged canaries, nobody knows the place: there the kind, the
 * block's number, size and place of allocation are the same, and the bytes
 * overlap. A leak is known by its place of allocation alone.
 */
bool sighting_is_same(const struct sighting *a, const struct sighting *b);

/* Whether A says more than B: the access itself, and where it began. */
bool sighting_is_better(const struct sighting *a, const struct sighting *b);

#endif
