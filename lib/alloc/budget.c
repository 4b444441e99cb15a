/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The budget; see budget.h. */
#include "alloc/budget.h"

#include "base/size.h"
#include "os/memory.h"

#include <stdatomic.h>

enum {
    MAPPINGS_OF_A_BLOCK = 2,
    /* For the program itself: libraries, threads' stacks, arenas. */
    MAPPINGS_LEFT = 4096,
    /* For blocks that are too large for canaries alone: as many, or of few
     * mappings one in so many. */
    BLOCKS_KEPT = 2048,
    SHARE_KEPT = 8
};

/* A program below this needs no look at the machine's memory. */
#define LOOKED_UP_FROM ((size_t)64 << 20)

static struct {
    _Atomic size_t most;
    _Atomic bool is_known;
    _Atomic size_t taken;
    _Atomic size_t taken_by_large;
    _Atomic size_t peak;
    _Atomic size_t most_mapped;
    _Atomic size_t mapped;
} budget;

void budget_start(size_t most)
{
    budget.most = most != 0 ? most : LOOKED_UP_FROM;
    budget.is_known = most != 0;
}

static bool is_too_much(size_t taken)
{
    if (taken <= atomic_load_explicit(&budget.most, memory_order_relaxed)) {
        return false;
    }
    /* Several threads may look, but none goes by a limit that is not known. */
    if (!budget.is_known) {
        size_t half = memory_available() / 2;
        budget.most = half > LOOKED_UP_FROM ? half : LOOKED_UP_FROM;
        budget.is_known = true;
    }
    return taken > budget.most;
}

static void count_large(size_t bytes)
{
    if (bytes >= BUDGET_LARGE) {
        atomic_fetch_add_explicit(&budget.taken_by_large, bytes,
                                  memory_order_relaxed);
    }
}

/* A lost race makes the peak a little too low; it is a figure to show. */
static void raise_peak(size_t taken)
{
    if (taken > atomic_load_explicit(&budget.peak, memory_order_relaxed)) {
        atomic_store_explicit(&budget.peak, taken, memory_order_relaxed);
    }
}

bool budget_take(size_t bytes)
{
    size_t before = atomic_load_explicit(&budget.taken, memory_order_relaxed);
    size_t taken;
    /* Not added and taken back: another thread must not meet a sum that is
     * never reached. */
    do {
        if (!size_add(before, bytes, &taken) || is_too_much(taken)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(
        &budget.taken, &before, taken, memory_order_relaxed,
        memory_order_relaxed));
    count_large(bytes);
    raise_peak(taken);
    return true;
}

void budget_force(size_t bytes)
{
    count_large(bytes);
    raise_peak(
        atomic_fetch_add_explicit(&budget.taken, bytes, memory_order_relaxed)
        + bytes);
}

void budget_give_back(size_t bytes)
{
    atomic_fetch_sub_explicit(&budget.taken, bytes, memory_order_relaxed);
    if (bytes >= BUDGET_LARGE) {
        atomic_fetch_sub_explicit(&budget.taken_by_large, bytes,
                                  memory_order_relaxed);
    }
}

static size_t most_mapped(void)
{
    size_t most = budget.most_mapped;
    if (most == 0) {
        size_t mappings = memory_mappings_limit();
        most = mappings > 2 * MAPPINGS_LEFT ? mappings - MAPPINGS_LEFT
                                            : mappings / 2;
        most = most / MAPPINGS_OF_A_BLOCK + 1;
        budget.most_mapped = most;
    }
    return most;
}

bool budget_take_mappings(bool is_last_resort)
{
    size_t most = most_mapped();
    if (!is_last_resort) {
        most -= most / SHARE_KEPT < BLOCKS_KEPT ? most / SHARE_KEPT
                                                : BLOCKS_KEPT;
    }
    size_t mapped
        = atomic_fetch_add_explicit(&budget.mapped, 1, memory_order_relaxed);
    if (mapped < most) {
        return true;
    }
    budget_give_mappings_back();
    return false;
}

void budget_give_mappings_back(void)
{
    atomic_fetch_sub_explicit(&budget.mapped, 1, memory_order_relaxed);
}

size_t budget_taken(void)
{
    return budget.taken;
}

size_t budget_taken_by_large(void)
{
    return budget.taken_by_large;
}

size_t budget_peak(void)
{
    return budget.peak;
}
