/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkers: other tools that look at each access of a program, and what they
 * are told of memory that they cannot know about.
 *
 *   AddressSanitizer  in a program that is compiled with it; asked for by weak
 *                     symbols, so that none is needed to link or to load
 *   Valgrind          around the program; by its header's requests, if that was
 *                     there when Moat was built
 *
 * Memory is dead, which no code but Moat's own may touch, or live. Moat itself
 * reads and writes dead memory, canaries above all. AddressSanitizer does not
 * see that, but where libc's functions do it (memcpy() and the like), which
 * must not get dead memory. Valgrind does, and is told to be silent meanwhile.
 *
 * Where neither is there, checkers_are_there() is all that is ever called.
 */
#ifndef OS_CHECKERS_H
#define OS_CHECKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum checkers { CHECKERS_NONE = 0, CHECKERS_ASAN = 1, CHECKERS_VALGRIND = 2 };

/* For the functions here. */
extern unsigned char checkers_found;

/* Look which there are; once, at start. */
void checkers_start(void);

static inline bool checkers_are_there(void)
{
    return __builtin_expect(checkers_found != CHECKERS_NONE, 0);
}

/* Whether the program runs in Valgrind, which does some system calls itself. */
static inline bool checkers_is_valgrind(void)
{
    return __builtin_expect((checkers_found & CHECKERS_VALGRIND) != 0, 0);
}

/* What lies from START on is dead. */
void checkers_note_dead(uintptr_t start, size_t bytes);

/* On either side of a block of a pool, so many bytes at least are dead. */
enum { CHECKERS_REDZONE = 16 };

/*
 * Blocks of a pool: live from when they are allocated until they are freed, or
 * cut off from the pool, or the pool ends. POOL is any pointer, for Valgrind,
 * which tells for an address in or near which block it is, and which blocks no
 * pointer refers to.
 */
void checkers_note_pool(const void *pool);
void checkers_note_allocated(const void *pool, uintptr_t start, size_t bytes);
void checkers_note_freed(const void *pool, uintptr_t start, size_t bytes);
/* Those from START on; none is in front of BASE. */
void checkers_note_cut(const void *pool, uintptr_t base, uintptr_t start);
void checkers_note_pool_end(const void *pool);

/* The same for blocks of no pool. */
void checkers_note_heap_allocated(uintptr_t start, size_t bytes);
void checkers_note_heap_freed(uintptr_t start, size_t bytes);

/* What Moat has copied from a block, initialized or not, is for it to read. */
void checkers_note_defined(void *copy, size_t bytes);

/*
 * For searches for leaks at the end of the program: pointers from START on keep
 * what they refer to from being one; or, being Moat's own, they do not, and
 * are not read any more.
 */
void checkers_note_root(uintptr_t start, size_t bytes);
void checkers_note_no_root(uintptr_t start, size_t bytes);

/* The calling thread leaves its stack from LOW up to HIGH, by a jump that these
 * checkers do not see. Async-signal-safe. */
void checkers_note_stack_left(uintptr_t low, uintptr_t high);

/* The calling thread is about to touch dead memory; and no longer. Nests. */
void checkers_pause(void);
void checkers_resume(void);

#endif
