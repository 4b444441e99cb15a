/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the files that belong to moat are. */
#include "command.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Cut the last part of PATH off if it is NAME; return whether it was. */
static bool cut_last_part(char *path, const char *name)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || strcmp(slash + 1, name) != 0) {
        return false;
    }
    *slash = '\0';
    return true;
}

/*
 * When this program is TREE/tools/moat/moat, it is run from the tree. libtool
 * may put the program itself into .libs there, and call it lt-moat.
 */
void place_of(char *path, const char *in_tree, const char *installed)
{
    char tree[PATH_MAX];
    ssize_t bytes = readlink("/proc/self/exe", tree, sizeof tree - 1);

    if (bytes > 0) {
        tree[bytes] = '\0';
        *strrchr(tree, '/') = '\0';
        cut_last_part(tree, ".libs");
        if (cut_last_part(tree, "moat") && cut_last_part(tree, "tools")
            && snprintf(path, PATH_MAX, "%s/%s", tree, in_tree) < PATH_MAX) {
            return;
        }
    }
    snprintf(path, PATH_MAX, "%s", installed);
}
