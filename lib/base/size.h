/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checked arithmetic on sizes and addresses. An overflow is always an answer,
 * never a wrapped number.
 */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Store LEFT + RIGHT in *SUM; return whether it fits. */
static inline bool size_add(size_t left, size_t right, size_t *sum)
{
    return !__builtin_add_overflow(left, right, sum);
}

/* Store LEFT * RIGHT in *PRODUCT; return whether it fits. */
static inline bool size_multiply(size_t left, size_t right, size_t *product)
{
    return !__builtin_mul_overflow(left, right, product);
}

static inline bool size_is_power_of_two(size_t size)
{
    return size != 0 && (size & (size - 1)) == 0;
}

/* Round SIZE down to a multiple of UNIT, a power of two. */
static inline size_t size_round_down(size_t size, size_t unit)
{
    return size & ~(unit - 1);
}

/*
 * Round SIZE up to a multiple of UNIT, a power of two. SIZE must be at most
 * SIZE_MAX - UNIT; size_round_up_checked() is for all others.
 */
static inline size_t size_round_up(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

/* The same for any SIZE; return whether the result fits. */
static inline bool size_round_up_checked(size_t size, size_t unit,
                                         size_t *rounded)
{
    if (!size_add(size, unit - 1, rounded)) {
        return false;
    }
    *rounded = size_round_down(*rounded, unit);
    return true;
}

/* The smallest power of two that is at least SIZE; SIZE is 1 to 2^63. */
static inline size_t size_power_of_two_above(size_t size)
{
    return size <= 1 ? 1 : (size_t)1 << (64 - __builtin_clzll(size - 1));
}

/* The exponent of SIZE, a power of two. */
static inline unsigned size_exponent(size_t size)
{
    return (unsigned)__builtin_ctzll(size);
}

#endif
