/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading /proc/self/task; see tasks.h. */
#include "os/tasks.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What getdents64() writes. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

/* 0: NAME is no number. */
static int number_of(const char *name)
{
    int number = 0;
    while (*name >= '0' && *name <= '9') {
        number = number * 10 + (*name++ - '0');
    }
    return *name == '\0' ? number : 0;
}

int tasks_each(bool (*visit)(int task, void *context), void *context)
{
    int saved_errno = errno;
    int error = 0;
    _Alignas(struct entry) char buffer[2048];
    int folder
        = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        error = errno;
        errno = saved_errno;
        return error;
    }
    bool goes_on = true;
    while (goes_on) {
        long got = syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (got <= 0) {
            error = got < 0 ? errno : 0;
            break;
        }
        for (long at = 0; goes_on && at < got;) {
            const struct entry *entry = (const void *)(buffer + at);
            int task = number_of(entry->name);
            goes_on = task == 0 || visit(task, context);
            at += entry->bytes;
        }
    }
    close(folder);
    errno = saved_errno;
    return error;
}

/* What stands behind KEY in TEXT; "": it is not there. */
static const char *value_of(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    if (found == NULL) {
        return "";
    }
    found += strlen(key);
    while (*found == ' ' || *found == '\t') {
        found++;
    }
    return found;
}

static uint64_t read_hex(const char *digits)
{
    uint64_t number = 0;
    for (;; digits++) {
        if (*digits >= '0' && *digits <= '9') {
            number = number * 16 + (uint64_t)(*digits - '0');
        } else if (*digits >= 'a' && *digits <= 'f') {
            number = number * 16 + (uint64_t)(*digits - 'a' + 10);
        } else {
            return number;
        }
    }
}

bool tasks_status(int task, struct task_status *status)
{
    int saved_errno = errno;
    char path[64];
    char buffer[4096];
    struct text text = text_in(path, sizeof path);
    text_string(&text, "/proc/self/task/");
    text_decimal(&text, (uint64_t)task);
    text_string(&text, "/status");
    ssize_t got = -1;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        got = read(file, buffer, sizeof buffer - 1);
        close(file);
    }
    errno = saved_errno;
    if (got <= 0) {
        return false;
    }
    buffer[got] = '\0';
    /* The name of the thread comes first, and has no line of its own. */
    char state = *value_of(buffer, "\nState:");
    status->has_ended = state == 'Z' || state == 'X' || state == '\0';
    status->is_out_of_reach = state == 'D' || state == 'T' || state == 't';
    status->blocked = read_hex(value_of(buffer, "\nSigBlk:"));
    return true;
}
