/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measuring on a machine that others use too: both sides of a ratio are run in
 * turns, many times, and the fastest run of each counts, because everything
 * that disturbs a run makes it slower.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>
#include <time.h>

static inline double measure_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

struct measure {
    double fastest;
    double began;
};

static inline void measure_begin(struct measure *measure)
{
    measure->began = measure_now();
}

static inline void measure_end(struct measure *measure)
{
    double elapsed = measure_now() - measure->began;
    if (measure->fastest == 0 || elapsed < measure->fastest) {
        measure->fastest = elapsed;
    }
}

#endif
