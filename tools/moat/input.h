/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same standard input for a program that runs several times. A file is
 * read again from where it was. What comes from a pipe or a socket is kept as
 * the programs read it, and given to the next one again before what is still
 * to come. A terminal is the first program's; for the others its input is at
 * the end. All else, such as a closed one, each program has as it is.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <sys/types.h>

enum input_kind { INPUT_OTHER, INPUT_FILE, INPUT_STREAM, INPUT_TERMINAL };

struct input {
    enum input_kind kind;
    /* Programs that have had it. */
    int programs;
    /* Of a file: where it was at first, and after the first program. */
    off_t start;
    off_t after_first;
    /* Of a stream: what has been read of it; and the process that feeds it to
     * the program, which ends when the other end of CONTROL is closed. */
    int kept;
    pid_t feeder;
    int control;
    /* What the program was given; -1: what we have. */
    int given;
};

/* Look what standard input is. Returns 0 or a positive errno value. */
int input_open(struct input *input);

/*
 * Make it ready for one more program, and store the descriptor to be its
 * standard input in input->given. Returns 0 or a positive errno value.
 */
int input_begin(struct input *input);

/* The program has ended. */
void input_end(struct input *input);

/* No more programs: leave a file where the first one has left it. */
void input_close(struct input *input);

#endif
