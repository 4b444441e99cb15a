/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory [COUNT]: what COUNT live blocks of 64 bytes take on each way of
 * revoking: resident memory, by pages of the blocks, and page tables; and what
 * is left of both when all blocks are freed.
 */
#include "bench/ways.h"

#include <moat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 64, MOST_MAPPINGS = 15000 };

static const char bytes[SIZE];

/* A line of /proc/self/status, in KiB. */
static long status_of(const char *key)
{
    char line[256];
    long found = 0;
    FILE *status = fopen("/proc/self/status", "re");
    if (status == NULL) {
        perror("/proc/self/status");
        exit(EXIT_FAILURE);
    }
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            found = strtol(line + strlen(key), NULL, 10);
        }
    }
    fclose(status);
    return found;
}

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
    long resident = status_of("VmRSS:");
    long tables = status_of("VmPTE:");
    for (size_t i = 0; i < count; i++) {
        blocks[i] = moat_guarded_copy(bytes, SIZE, MOAT_PLACEMENT_AFTER);
    }
    long resident_live = status_of("VmRSS:") - resident;
    long tables_live = status_of("VmPTE:") - tables;
    for (size_t i = 0; i < count; i++) {
        moat_guarded_free(blocks[i]);
    }
    printf("| %s | %zu | %ld | %.3f | %ld | %ld | %ld |\n", way, count,
           resident_live, (double)resident_live / (double)(count * page_kib),
           tables_live, status_of("VmRSS:") - resident,
           status_of("VmPTE:") - tables);
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
