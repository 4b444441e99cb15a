/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Canaries: bytes that only this process can predict.
 *
 * The canary byte at an address is a function of the process's secret and of
 * that address alone. So any range can be stamped and checked without knowing
 * what it belongs to, and bytes copied from another canary do not pass.
 *
 * The top bit of every canary byte is set: a zero byte or an ASCII character
 * written over a canary is always noticed, and any other byte unless it is
 * the very one (1 in 128).
 *
 * Pure functions, but for the memory they are given. Async-signal-safe.
 */
#ifndef BASE_CANARY_H
#define BASE_CANARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The eight canary bytes at ADDRESS, a multiple of 8, in memory order. */
static inline uint64_t canary_word(uint64_t secret, uintptr_t address)
{
    /*
     * One multiplication and a fold: the stamp is on the path of every
     * allocation, and the full mix costs twice as much there.
     */
    uint64_t word = (address ^ secret) * 0x9e3779b97f4a7c15u;
    return (word ^ (word >> 32)) | 0x8080808080808080u;
}

/* Write the canary over the bytes from START up to END. */
void canary_stamp(uint64_t secret, uintptr_t start, uintptr_t end);

/* Whether the bytes from START up to END are the canary. */
bool canary_is_intact(uint64_t secret, uintptr_t start, uintptr_t end);

/*
 * The same for bytes that were copied from START to COPY.
 */
bool canary_is_copy_intact(uint64_t secret, uintptr_t start, uintptr_t end,
                           const unsigned char *copy);

/*
 * Find the first run of bytes between START and END that differ from the
 * canary: store where it starts and ends.
 *
 * Returns false when there is none.
 */
bool canary_find_damage(uint64_t secret, uintptr_t start, uintptr_t end,
                        uintptr_t *damage_start, uintptr_t *damage_end);

#endif
