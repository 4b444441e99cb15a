/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared memory; see shared.h. */
#include "os/shared.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(int descriptor, size_t bytes, void **mapped)
{
    struct stat file;
    if (fstat(descriptor, &file) != 0) {
        return errno;
    }
    if (file.st_size < (off_t)bytes) {
        return ENODATA;
    }
    *mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor,
                   0);
    return *mapped == MAP_FAILED ? errno : 0;
}

int shared_map(const char *path, size_t bytes, void **mapped)
{
    int saved_errno = errno;
    int error;
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) {
        error = errno;
    } else {
        error = map(descriptor, bytes, mapped);
        close(descriptor);
    }
    errno = saved_errno;
    return error;
}
