/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc says of this process, for tests and benchmarks. Where it does not
 * say it they end with exit status 77.
 */
#ifndef SUPPORT_PROC_H
#define SUPPORT_PROC_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static inline void proc_fail(const char *path, const char *key)
{
    printf("# %s has no \"%s\"\n", path, key);
    fflush(stdout);
    exit(77);
}

/* The number behind KEY, at the start of a line of the file at PATH. */
static inline long proc_number(const char *path, const char *key)
{
    char line[256];
    long found = -1;
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            found = strtol(line + strlen(key), NULL, 10);
        }
    }
    if (file == NULL || fclose(file) != 0 || found < 0) {
        proc_fail(path, key);
    }
    return found;
}

/* In KiB: "VmRSS:" what is in memory, "VmSize:" the address space, "VmPTE:"
 * page tables, "VmLck:" what is locked. */
static inline long proc_status(const char *key)
{
    return proc_number("/proc/self/status", key);
}

static inline long proc_mappings(void)
{
    long count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) {
        proc_fail("/proc/self/maps", "");
    }
    for (int byte = getc(maps); byte != EOF; byte = getc(maps)) {
        count += byte == '\n';
    }
    fclose(maps);
    return count;
}

#endif
