/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of lib/os that asks how much there is, compiled with its open()
 * going through here; see other_root.h. */
#include "tests/support/other_root.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Empty: the real one. */
static char folder[64];

const char *other_root_make(void)
{
    strcpy(folder, "/tmp/moat-root-XXXXXX");
    return mkdtemp(folder);
}

static void make_folders(char *path)
{
    for (char *slash = path + strlen(folder) + 1;
         (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

int other_root_write(const char *path, const char *contents)
{
    char below[1024];
    snprintf(below, sizeof below, "%s%s", folder, path);
    make_folders(below);
    FILE *file = fopen(below, "w");
    if (file == NULL || fputs(contents, file) == EOF) {
        return -1;
    }
    return fclose(file);
}

static int remove_one(const char *path, const struct stat *about, int type,
                      struct FTW *place)
{
    (void)about;
    (void)type;
    (void)place;
    return remove(path);
}

void other_root_remove(void)
{
    if (folder[0] != '\0') {
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        folder[0] = '\0';
    }
}

static int open_below(const char *path, int flags)
{
    char below[1024];
    snprintf(below, sizeof below, "%s%s", folder, path);
    return open(below, flags);
}

#define open open_below

#include "lib/os/memory.c"
