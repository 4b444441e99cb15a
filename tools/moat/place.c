/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the files that belong to moat are, and those that it makes. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* Not where standard input, output or error would be: it may be closed. */
static int away_from_standard(int low)
{
    int descriptor = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 3);
    int error = errno;

    if (low >= 0) {
        close(low);
    }
    errno = error;
    return descriptor;
}

int place_in_memory(const char *name, char path[64])
{
    int descriptor = away_from_standard(memfd_create(name, MFD_CLOEXEC));

    snprintf(path, 64, "/proc/%ld/fd/%d", (long)getpid(), descriptor);
    return descriptor;
}

int place_for_output(void)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_MAX];

    if (folder == NULL || *folder == '\0') {
        folder = P_tmpdir;
    }
    int descriptor = open(folder, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC,
                          0600);
    if (descriptor < 0
        && snprintf(path, sizeof path, "%s/moat.XXXXXX", folder) < PATH_MAX) {
        /* Not every file system has files without a name. */
        descriptor = mkostemp(path, O_APPEND | O_CLOEXEC);
        if (descriptor >= 0) {
            unlink(path);
        }
    }
    return away_from_standard(descriptor);
}
