/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The naive arena: mmap, an offset, and nothing else. It is what the demos
 * start from, and it notices nothing: that is the point of it.
 *
 *     base            base + used               base + capacity
 *      |  blocks so far  |        still free         |
 */
#ifndef NAIVE_ARENA_H
#define NAIVE_ARENA_H

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct naive_arena {
    char *base;
    size_t capacity;
    size_t used;
};

/*
 * Map CAPACITY bytes, at the address WISH if that is free and not NULL.
 * Ends the program when the kernel refuses.
 */
static inline struct naive_arena naive_create_at(void *wish, size_t capacity)
{
    void *base = mmap(wish, capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (base == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
    return (struct naive_arena){ .base = base, .capacity = capacity };
}

static inline struct naive_arena naive_create(size_t capacity)
{
    return naive_create_at(NULL, capacity);
}

/* Map CAPACITY bytes at PLACE, and ask nobody what is there. */
static inline struct naive_arena naive_create_over(void *place,
                                                   size_t capacity)
{
    void *base = mmap(place, capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (base == MAP_FAILED) {
        perror("mmap");
        exit(EXIT_FAILURE);
    }
    return (struct naive_arena){ .base = base, .capacity = capacity };
}

/* Hand out the next SIZE bytes, or NULL when they do not fit. */
static inline void *naive_alloc(struct naive_arena *arena, size_t size)
{
    size_t rounded = (size + 15) & ~(size_t)15;
    void *block = arena->base + arena->used;

    if (size > arena->capacity || rounded > arena->capacity - arena->used) {
        return NULL;
    }
    arena->used += rounded;
    return block;
}

/* Print the bytes in use, 64 a line, '.' for what is not text. */
static inline void naive_dump(const struct naive_arena *arena)
{
    for (size_t offset = 0; offset < arena->used; offset++) {
        unsigned char byte = (unsigned char)arena->base[offset];

        if (offset % 64 == 0) {
            printf("  0x%04zx  ", offset);
        }
        putchar(isascii(byte) && isprint(byte) ? byte : '.');
        if (offset % 64 == 63 || offset + 1 == arena->used) {
            putchar('\n');
        }
    }
}

static inline void naive_destroy(struct naive_arena *arena)
{
    munmap(arena->base, arena->capacity);
}

#endif
