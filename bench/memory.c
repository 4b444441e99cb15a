/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory [COUNT]: what COUNT live blocks of 64 bytes take on each way of
 * revoking: resident memory, by pages of the blocks, and page tables; and what
 * is left of both when all blocks are freed.
 */
#include "bench/ways.h"
#include "tests/support/proc.h"

#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 64, MOST_MAPPINGS = 15000 };

static const char bytes[SIZE];

static int row(const char *way, size_t count)
{
    if (strcmp(way, "mprotect") == 0 && count > MOST_MAPPINGS) {
        count = MOST_MAPPINGS;
    }
    size_t page_kib = (size_t)sysconf(_SC_PAGESIZE) / 1024;
    void **blocks = malloc(count * sizeof *blocks);
    if (blocks == NULL) {
        perror("malloc");
        return EXIT_FAILURE;
    }
    memset(blocks, 0, count * sizeof *blocks);
    long resident = proc_status("VmRSS:");
    long tables = proc_status("VmPTE:");
    for (size_t i = 0; i < count; i++) {
        blocks[i] = moat_guarded_copy(bytes, SIZE, MOAT_PLACEMENT_AFTER);
    }
    long resident_live = proc_status("VmRSS:") - resident;
    long tables_live = proc_status("VmPTE:") - tables;
    for (size_t i = 0; i < count; i++) {
        moat_guarded_free(blocks[i]);
    }
    printf("| %s | %zu | %ld | %.3f | %ld | %ld | %ld |\n", way, count,
           resident_live, (double)resident_live / (double)(count * page_kib),
           tables_live, proc_status("VmRSS:") - resident,
           proc_status("VmPTE:") - tables);
    free(blocks);
    return EXIT_SUCCESS;
}

int main(int count, char *arguments[])
{
    if (count == 4) {
        return row(arguments[2], strtoul(arguments[3], NULL, 10));
    }
    printf("| way | live blocks | resident, KiB | by their pages "
           "| page tables, KiB | resident when freed | tables when freed |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n");
    return ways_run("memory", count > 1 ? arguments[1] : "300000");
}
