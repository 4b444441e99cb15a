/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the machine and of the control groups; see memory.h. */
#include "os/memory.h"

#include "base/text.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The start of a file as a string. Returns false when it cannot be read. */
static bool read_file(const char *path, char *buffer, size_t room)
{
    int state = process_begin_uncancelled();
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = -1;
    if (descriptor >= 0) {
        count = read(descriptor, buffer, room - 1);
        close(descriptor);
    }
    process_end_uncancelled(state);
    buffer[count > 0 ? count : 0] = '\0';
    return count > 0;
}

/* The number that TEXT starts with, blanks skipped; SIZE_MAX: "max". */
static size_t number_in(const char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    if (*text < '0' || *text > '9') {
        return SIZE_MAX;
    }
    size_t number = 0;
    while (*text >= '0' && *text <= '9') {
        if (__builtin_mul_overflow(number, (size_t)10, &number)
            || __builtin_add_overflow(number, (size_t)(*text - '0'),
                                      &number)) {
            return SIZE_MAX;
        }
        text++;
    }
    return number;
}

static size_t of_machine(void)
{
    char buffer[512];
    static const char key[] = "MemAvailable:";
    if (!read_file("/proc/meminfo", buffer, sizeof buffer)) {
        return SIZE_MAX;
    }
    const char *found = strstr(buffer, key);
    size_t kibibytes
        = found == NULL ? SIZE_MAX : number_in(found + sizeof key - 1);
    return kibibytes > SIZE_MAX / 1024 ? SIZE_MAX : kibibytes * 1024;
}

/* What one group's limit leaves; DIRECTORY ends without a slash. */
static size_t of_directory(const char *directory, const char *limit_name,
                           const char *usage_name)
{
    char path[512];
    char buffer[64];
    struct text text = text_in(path, sizeof path);
    text_string(&text, directory);
    text_string(&text, limit_name);
    if (!read_file(path, buffer, sizeof buffer)) {
        return SIZE_MAX;
    }
    size_t limit = number_in(buffer);
    /* Version 1 writes no limit as a number near the top. */
    if (limit >= SIZE_MAX / 4) {
        return SIZE_MAX;
    }
    text = text_in(path, sizeof path);
    text_string(&text, directory);
    text_string(&text, usage_name);
    size_t usage
        = read_file(path, buffer, sizeof buffer) ? number_in(buffer) : 0;
    return usage < limit ? limit - usage : 0;
}

/* The group and all groups above it: DIRECTORY is cut off from its end, down
 * to the first ROOT bytes. */
static size_t of_groups(char *directory, size_t root, const char *limit_name,
                        const char *usage_name)
{
    size_t least = SIZE_MAX;
    size_t length = strlen(directory);
    while (length >= root) {
        size_t left = of_directory(directory, limit_name, usage_name);
        least = left < least ? left : least;
        while (length > root && directory[length - 1] != '/') {
            length--;
        }
        if (length == root) {
            break;
        }
        directory[--length] = '\0';
    }
    return least;
}

/*
 * A line of /proc/self/cgroup is "0::/path" (version 2) or
 * "7:cpu,memory:/path" (version 1).
 */
static size_t of_line(char *line)
{
    char directory[512];
    char *controllers = strchr(line, ':');
    char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (path == NULL) {
        return SIZE_MAX;
    }
    *path++ = '\0';
    bool is_second = controllers[1] == '\0';
    if (!is_second && strstr(controllers + 1, "memory") == NULL) {
        return SIZE_MAX;
    }
    struct text text = text_in(directory, sizeof directory);
    text_string(&text, is_second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory");
    size_t root = text.length;
    if (strcmp(path, "/") != 0) {
        text_string(&text, path);
    }
    return is_second ? of_groups(directory, root, "/memory.max",
                                 "/memory.current")
                     : of_groups(directory, root, "/memory.limit_in_bytes",
                                 "/memory.usage_in_bytes");
}

static size_t of_control_groups(void)
{
    char buffer[2048];
    size_t least = SIZE_MAX;
    if (!read_file("/proc/self/cgroup", buffer, sizeof buffer)) {
        return SIZE_MAX;
    }
    for (char *line = buffer; line != NULL;) {
        char *next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        size_t left = of_line(line);
        least = left < least ? left : least;
        line = next;
    }
    return least;
}

size_t memory_available(void)
{
    int saved_errno = errno;
    size_t machine = of_machine();
    size_t groups = of_control_groups();
    errno = saved_errno;
    return machine < groups ? machine : groups;
}

size_t memory_mappings_limit(void)
{
    /* The kernel's own default, DEFAULT_MAX_MAP_COUNT. */
    size_t limit = 65530;
    char buffer[32];
    int saved_errno = errno;
    if (read_file("/proc/sys/vm/max_map_count", buffer, sizeof buffer)) {
        limit = number_in(buffer);
    }
    errno = saved_errno;
    return limit;
}
