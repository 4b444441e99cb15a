/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reuse [PAIRS[:LIVE] [WAY]]: what PAIRS pairs of an allocation and a free
 * leave behind, on each way of revoking or on WAY. LIVE blocks, 1000 if it is
 * not said, are live; each allocation comes after the free of one of them, any.
 * Resident memory, page tables and mappings are printed at several points: they
 * are the same at all of them once the quarantine is full.
 */
#include "bench/measure.h"
#include "bench/ways.h"
#include "tests/support/proc.h"

#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 1000, MOST_LIVE = 100000, SIZE = 64, POINTS = 10 };

static const char bytes[SIZE];

static void *copy(void)
{
    void *block = moat_guarded_copy(bytes, SIZE, MOAT_PLACEMENT_AFTER);
    if (block == NULL) {
        perror("moat_guarded_copy");
        exit(EXIT_FAILURE);
    }
    return block;
}

static int row(const char *way, unsigned long pairs, unsigned long count_live)
{
    static void *live[MOST_LIVE];
    unsigned long seed = 1;
    unsigned long made = 0;
    for (unsigned long i = 0; i < count_live; i++) {
        live[i] = copy();
    }
    for (unsigned long point = 1; point <= POINTS; point++) {
        unsigned long until = pairs / POINTS * point;
        unsigned long count = until - made;
        double elapsed = -measure_now();
        for (; made < until; made++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            void **block = &live[(seed >> 33) % count_live];
            moat_guarded_free(*block);
            *block = copy();
        }
        elapsed += measure_now();
        printf("| %s | %lu | %.0f | %ld | %ld | %ld |\n", way, made,
               elapsed / (double)count, proc_status("VmRSS:"),
               proc_status("VmPTE:"), proc_mappings());
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

int main(int count, char *arguments[])
{
    if (count == 4) {
        char *rest;
        unsigned long pairs = strtoul(arguments[3], &rest, 10);
        unsigned long live = *rest == ':' ? strtoul(rest + 1, NULL, 10) : LIVE;
        if (pairs < POINTS || live == 0 || live > MOST_LIVE) {
            fprintf(stderr, "reuse: %s: %d pairs or more, 1 to %d blocks\n",
                    arguments[3], POINTS, MOST_LIVE);
            return EXIT_FAILURE;
        }
        return row(arguments[2], pairs, live);
    }
    const char *pairs = count > 1 ? arguments[1] : "1000000";
    printf("| way | pairs | a pair, ns | resident, KiB | page tables, KiB "
           "| mappings |\n"
           "| --- | --- | --- | --- | --- | --- |\n");
    if (count == 3) {
        return ways_run_one("reuse", arguments[2], pairs);
    }
    return ways_run("reuse", pairs);
}
