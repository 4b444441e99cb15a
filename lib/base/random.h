/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Spreading the bits of a number. Not cryptography: the secret that goes in
 * comes from the kernel, and what comes out only has to be hard to hit by
 * accident.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/*
 * The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014): every bit of VALUE changes
 * half the bits of the result.
 */
static inline uint64_t random_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

#endif
