/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moat: memory arenas with guard pages and canaries, for finding memory
 * errors in C programs on 64-bit Linux.
 *
 * A tour. An arena is a named piece of address space that owns blocks and
 * dies as a whole:
 *
 *     struct moat_arena *arena = moat_arena_create("parser", 64 * 1024);
 *     char *word = moat_arena_alloc(arena, 32);
 *     strcpy(word, "hello");
 *     moat_arena_destroy(arena);
 *
 * Nothing looks different from a plain bump allocator until something goes
 * wrong. Each arena lies between inaccessible guard pages, and each block
 * between canaries, bytes that only Moat knows:
 *
 *  - a write that leaves a block damages a canary. moat_arena_free(),
 *    moat_arena_check(), moat_arena_destroy() and the end of the program look
 *    at the canaries and report the bytes that were written, how far from
 *    which block, and who allocated it;
 *  - an access that leaves the arena, or that comes after
 *    moat_arena_destroy(), stops at the very instruction that makes it;
 *  - the block that fills an arena to its last byte ends at the guard page,
 *    so there one byte too far is stopped at once, reading or writing.
 *
 * A report goes to standard error, then the program ends with exit status 99.
 * The environment variable MOAT_OPTIONS changes that; see moat(1).
 *
 * Link with `pkg-config --cflags --libs moat`. Or compile with -DMOAT_OFF, for
 * a release: the same calls are then those of a plain bump allocator, inline,
 * which needs no library and finds nothing; moat/off.h says what is as ever.
 *
 * AddressSanitizer and Valgrind are told what is live in arenas, with and
 * without MOAT_OFF; see moat(3).
 *
 * What holds for every function here: arguments called ARENA, BLOCK, COPY and
 * SNAPSHOT come from this library. A NULL, misplaced or outdated one is never
 * followed: it is refused as the function's comment says, or reported where it
 * can only be a mistake of the program. Different arenas may be used by
 * different threads at once; one arena by one thread at a time, unless its
 * config->sharing says more (enum moat_sharing): two in calls on it at once are
 * reported. No function may be called from a signal handler unless its comment
 * says so.
 */
#ifndef MOAT_H
#define MOAT_H

#include <moat/version.h>

#include <moat/arena.h>
#include <moat/expect.h>
#include <moat/finding.h>
#include <moat/guarded.h>
#include <moat/inspect.h>
#include <moat/report.h>

#endif
