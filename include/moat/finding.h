/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings: memory errors as data. A report is a finding written down.
 *
 * A member that does not apply is zero. Pointers to memory of the program
 * (address, start, base) are for comparing and printing; following them may
 * fault again.
 */
#ifndef MOAT_FINDING_H
#define MOAT_FINDING_H

#include <moat/version.h>

#include <stdbool.h>
#include <stddef.h>

MOAT_BEGIN_DECLS

/* What went wrong. Names in reports: moat_kind_name(). */
enum moat_kind {
    /* Nothing; the result of moat_describe(). */
    MOAT_KIND_NONE = 0,
    /* An access behind the end of a block. */
    MOAT_KIND_HEAP_BUFFER_OVERFLOW = 1,
    /* An access in front of a block. */
    MOAT_KIND_HEAP_BUFFER_UNDERFLOW = 2,
    /* An access to a block that was freed. */
    MOAT_KIND_HEAP_USE_AFTER_FREE = 3,
    /* An access to an arena that was destroyed. */
    MOAT_KIND_USE_AFTER_UNMAP = 4,
    /* Freeing what was freed, destroying what was destroyed. */
    MOAT_KIND_DOUBLE_FREE = 5,
    /* Freeing what is not the start of a live block of that arena. */
    MOAT_KIND_BAD_FREE = 6,
    /* An arena placed over another one. */
    MOAT_KIND_ARENA_OVERLAP = 7,
    /* The stack reached its end, as by recursion without end. */
    MOAT_KIND_STACK_OVERFLOW = 8,
    /* An access close to address 0. */
    MOAT_KIND_NULL_DEREFERENCE = 9,
    /* Another fault, at an address that is not Moat's. */
    MOAT_KIND_SEGV = 10,
    /* An access to what an arena held before it was reset or rewound. */
    MOAT_KIND_USE_AFTER_RESET = 11,
    /* Freeing a block by other means than it was allocated for, as by free()
     * what operator new gave. */
    MOAT_KIND_ALLOC_DEALLOC_MISMATCH = 12,
    /* Blocks of malloc() to which no pointer remains. */
    MOAT_KIND_MEMORY_LEAK = 13,
    /* Two threads at once in calls on an arena that is not shared. */
    MOAT_KIND_DATA_RACE = 14
};

/* What the program did at the address. */
enum moat_access {
    /* The processor did not say. */
    MOAT_ACCESS_UNKNOWN = 0,
    MOAT_ACCESS_READ = 1,
    MOAT_ACCESS_WRITE = 2,
    /* It asked to free, to reset or to destroy. */
    MOAT_ACCESS_FREE = 3,
    /* It asked to create an arena. */
    MOAT_ACCESS_CREATE = 4,
    /* It asked an arena for a block, or to grow. */
    MOAT_ACCESS_ALLOC = 5
};

/* When Moat saw it. */
enum moat_seen {
    /* At the instruction, or the call, that did it. */
    MOAT_SEEN_AT_ACCESS = 0,
    MOAT_SEEN_AT_FREE = 1,
    MOAT_SEEN_AT_CHECK = 2,
    MOAT_SEEN_AT_DESTROY = 3,
    MOAT_SEEN_AT_EXIT = 4,
    MOAT_SEEN_AT_RESET = 5
};

/* Where the address lies, seen from the block or the arena. */
enum moat_where {
    MOAT_WHERE_NOWHERE = 0,
    /* distance.bytes bytes after the end; 0 is the first byte behind it. */
    MOAT_WHERE_AFTER = 1,
    /* distance.bytes bytes before the start; 1 is the byte in front of it. */
    MOAT_WHERE_BEFORE = 2,
    /* distance.bytes bytes inside; 0 is the first byte. */
    MOAT_WHERE_INSIDE = 3
};

/* What allocates and frees belong together. */
enum moat_family {
    /* Not known, or of an arena: goes with each. */
    MOAT_FAMILY_UNKNOWN = 0,
    /* malloc() and its kin; free(). */
    MOAT_FAMILY_MALLOC = 1,
    /* operator new; operator delete. */
    MOAT_FAMILY_NEW = 2,
    /* operator new[]; operator delete[]. */
    MOAT_FAMILY_NEW_ARRAY = 3
};

/* How many frames of a call stack a finding holds at most. */
#define MOAT_STACK_MAX 32

/* Addresses of a call stack, innermost first. */
struct moat_stack {
    /* 0: not known. */
    unsigned frames;
    /* Whether frame 0 is a return address, one call behind its caller. */
    bool is_return_address;
    const void *frame[MOAT_STACK_MAX];
};

/* A thread that did something. */
struct moat_actor {
    bool is_known;
    /* 0 for the first thread that used Moat. */
    unsigned thread;
    /* The process it was in, which fork() changes. */
    int pid;
    char name[16];
};

/* Consecutive bytes that are not what Moat had written there. */
struct moat_damage {
    const void *start;
    size_t bytes;
    /* From the block's end (MOAT_WHERE_AFTER), and so on, to START. */
    size_t distance;
    enum moat_where where;
    /* The first of the bytes found there. */
    size_t found_bytes;
    unsigned char found[32];
};

/* How many separate ranges of damage a finding holds at most. */
#define MOAT_DAMAGE_MAX 8

struct moat_finding {
    enum moat_kind kind;
    enum moat_access access;
    enum moat_seen seen;
    /* False: the processor did not tell the address. */
    bool has_address;
    const void *address;
    /* The faulting instruction, or the call that noticed. NULL: none. */
    const void *pc;
    int pid;
    /* Who did it, or who noticed. */
    struct moat_actor actor;

    /* The nearest block; number 0: none. */
    struct {
        /* Counts from 1 in each arena. */
        unsigned long number;
        size_t size;
        const void *start;
        bool is_freed;
        struct moat_actor allocated_by;
        struct moat_actor freed_by;
    } block;

    /* The arena; base NULL: none. */
    struct {
        char name[64];
        const void *base;
        /* Accessible bytes behind base, canaries included; the capacity while
         * there is no block. */
        size_t bytes;
        size_t capacity;
        /* Of the address, counted as CAPACITY is; negative in front of it. */
        long offset;
        bool is_destroyed;
        /* Whether this is what it held before a reset, and no longer does. */
        bool is_reset;
        struct moat_actor created_by;
        struct moat_actor destroyed_by;
        struct moat_actor reset_by;
    } arena;

    /*
     * The arena that the program named, where it is not the one above: the
     * one to free into, or the one to create. Not IS_ARENA: what it named
     * at BASE is no arena at all.
     */
    struct {
        bool is_known;
        bool is_arena;
        char name[64];
        const void *base;
        size_t capacity;
    } requested;

    /* With a mismatch: how the block was allocated, and was to be freed. */
    struct {
        enum moat_family allocated_by;
        enum moat_family freed_by;
    } mismatch;

    /* From the block if there is one, else from the arena. */
    struct {
        size_t bytes;
        enum moat_where where;
    } distance;

    /* With a use of NULL, the allocation that was refused last; number 0: none
     * was. */
    struct {
        /* That the block would have had. */
        unsigned long number;
        size_t size;
        /* Which arena was asked; "": none. */
        char arena[64];
        struct moat_actor asked_by;
    } refused;

    /* With a memory leak: all leaked blocks that were allocated at the same
     * place as the one above, which was the first. */
    struct {
        size_t blocks;
        size_t bytes;
        /* Of these, those that only leaked blocks refer to. */
        size_t held_blocks;
    } leak;

    /* With a data race, the thread that was in a call on the arena when ACTOR
     * came. */
    struct moat_actor other;

    /* What decided where chance plays a part (fail_rate=); 0: it plays none.
     */
    unsigned long seed;

    /* All damage found around the block; the first range is at ADDRESS. */
    unsigned damage_ranges;
    /* Whether there was more damage than fits here. */
    bool has_more_damage;
    struct moat_damage damage[MOAT_DAMAGE_MAX];

    /*
     * Where the damage fills all between the block and the next one, that one:
     * it may go on in there, where no canary tells, or have come from there.
     * Number 0: it does not reach so far.
     */
    struct {
        unsigned long number;
        size_t size;
        const void *start;
    } reached;
    /* Where other damage reached the block, and this goes on behind it: the
     * block that it may all have come from; else 0. */
    unsigned long reached_from;

    /* Where it happened, and who allocated, freed, created, destroyed, reset,
     * was refused, and was in another call. */
    struct {
        struct moat_stack fault;
        struct moat_stack alloc;
        struct moat_stack free;
        struct moat_stack create;
        struct moat_stack destroy;
        struct moat_stack reset;
        struct moat_stack refused;
        struct moat_stack other;
    } stacks;
};

/*
 * Return the name of KIND as reports write it, such as "double-free"; "none"
 * for MOAT_KIND_NONE and for any other number. Thread-safe,
 * async-signal-safe.
 */
MOAT_API const char *moat_kind_name(enum moat_kind kind);

/* The same, inline: what it is with MOAT_OFF, and what the library calls. */
static inline const char *moat_off_kind_name(enum moat_kind kind)
{
    switch (kind) {
    case MOAT_KIND_NONE:
        return "none";
    case MOAT_KIND_HEAP_BUFFER_OVERFLOW:
        return "heap-buffer-overflow";
    case MOAT_KIND_HEAP_BUFFER_UNDERFLOW:
        return "heap-buffer-underflow";
    case MOAT_KIND_HEAP_USE_AFTER_FREE:
        return "heap-use-after-free";
    case MOAT_KIND_USE_AFTER_UNMAP:
        return "use-after-unmap";
    case MOAT_KIND_DOUBLE_FREE:
        return "double-free";
    case MOAT_KIND_BAD_FREE:
        return "bad-free";
    case MOAT_KIND_ARENA_OVERLAP:
        return "arena-overlap";
    case MOAT_KIND_STACK_OVERFLOW:
        return "stack-overflow";
    case MOAT_KIND_NULL_DEREFERENCE:
        return "null-dereference";
    case MOAT_KIND_SEGV:
        return "segv";
    case MOAT_KIND_USE_AFTER_RESET:
        return "use-after-reset";
    case MOAT_KIND_ALLOC_DEALLOC_MISMATCH:
        return "alloc-dealloc-mismatch";
    case MOAT_KIND_MEMORY_LEAK:
        return "memory-leak";
    case MOAT_KIND_DATA_RACE:
        return "data-race";
    }
    return "none";
}

MOAT_END_DECLS

#endif
