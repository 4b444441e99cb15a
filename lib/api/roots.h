/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the program, where other checkers (os/checkers.h) search for
 * leaks: what they are told of arenas then, so that they find the lost blocks
 * in there, and no leak where only an arena refers to what malloc() gave.
 */
#ifndef API_ROOTS_H
#define API_ROOTS_H

/* The program has created an arena. errno may change. */
void roots_note_arena(void);

/* All arenas were looked at for the last time. */
void roots_end(void);

#endif
