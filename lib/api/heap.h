/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The heap as the functions named malloc, realloc and free need it: fenced
 * blocks of no arena, placed and aligned as the options say, and what is wrong
 * is reported.
 *
 * Thread-safe; not for use in a signal handler. errno is left as it was, but
 * for ENOMEM where NULL is returned. CALLER is the return address of the
 * public function, for the site; FAMILY what it belongs to.
 */
#ifndef API_HEAP_H
#define API_HEAP_H

#include "alloc/fence.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_settings {
    enum fence_placement placement;
    /* ARENA_ALIGNMENT_NATURAL or a power of two. */
    size_t alignment;
    /* What fresh memory begins with; 0: whatever there is. */
    unsigned char fill;
    /* Whether what was allocated for one family may be freed as another. */
    bool may_mismatch;
};

void heap_start(const struct heap_settings *settings);

/*
 * Whether Moat has started. While it has not, an allocation below would start
 * it; in the thread that is starting it, it would not return.
 */
bool heap_is_ready(void);

/*
 * Allocate BYTES, 0 too, at ALIGNMENT, a power of two or 0: as heap_start()
 * says. Memory that need not be zero holds anything.
 */
void *heap_allocate(size_t bytes, size_t alignment, bool is_zeroed,
                    enum moat_family family, const void *caller);

/*
 * Move BLOCK to a block of BYTES, always to another address, as realloc()
 * does; NULL for BLOCK is heap_allocate(). When NULL is returned BLOCK is as
 * it was.
 */
void *heap_reallocate(void *block, size_t bytes, const void *caller);

/* How large BLOCK is; 0: it is no live block. */
size_t heap_bytes(const void *block);

/* Whether ADDRESS is in the region, where all blocks are and nothing else. */
bool heap_holds(const void *address);

/* Whether any of the BYTES from START is in the region. */
bool heap_meets(const void *start, size_t bytes);

/*
 * mlockall() has locked all: take out what Moat has reserved, in which each
 * page that is dropped would have to be unlocked, and be a mapping of its own.
 */
void heap_keep_unlocked(void);

/*
 * What the program's own calls do to pages of live blocks, and what freeing
 * them then undoes. Ranges are whole pages of the region; these five are
 * async-signal-safe.
 */
enum heap_alteration {
    HEAP_DROPPED,
    HEAP_PROTECTED,
    HEAP_LOCKED,
    /* Advice that splits the mapping. */
    HEAP_ADVISED,
    /* What the program cannot have back as it was: another mapping is there,
     * or another one's rights are needed. */
    HEAP_REPLACED
};

/* To be called before the alteration is made. */
void heap_note_alteration(uintptr_t start, uintptr_t end,
                          enum heap_alteration what);

/*
 * The next pages from *AT to END on which such a call is to be made, from
 * *START to *STOP: those of blocks, no guard pages. IS_WHOLE leaves out what
 * blocks without guard pages share; it may be all. *AT is then where to go on.
 * Returns false when there are no more.
 */
bool heap_next_pages(uintptr_t *at, uintptr_t end, bool is_whole,
                     uintptr_t *start, uintptr_t *stop);

/* Whether live blocks have all of these pages to themselves. */
bool heap_owns(uintptr_t start, uintptr_t end);

/* The program has dropped the pages: they are zero, not missing. */
void heap_refill(uintptr_t start, uintptr_t end);

/* How much address space Moat has taken, with room for more of its books. */
size_t heap_reserved_bytes(void);

/*
 * Refuse blocks of MOST bytes and more, and large blocks that together have so
 * many; the program has a part of it for other things. Small ones are not
 * counted: they take more here than they would.
 */
void heap_limit(size_t most);

/* A block of another allocator was given back to it. */
void heap_note_passed_through(void);

/* The program brings its own malloc(): no block of it comes here. */
void heap_note_replaced(void);

/* NULL is not for this. */
void heap_free(void *block, enum moat_family family, const void *caller);

#endif
