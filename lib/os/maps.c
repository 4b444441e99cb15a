/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the process's maps in /proc; see maps.h. */
#include "os/maps.h"

#include "os/process.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct reader {
    int descriptor;
    char buffer[1024];
    size_t position;
    size_t filled;
};

/* One line: "start-end rwxp offset device inode   path". */
struct line {
    uintptr_t start;
    uintptr_t end;
    bool is_readable;
    bool is_writable;
    bool is_shared;
    /* Told by the first character of the path, which may be cut off. */
    bool is_file;
    uint64_t file_offset;
    char path[256];
};

static int next_character(struct reader *reader)
{
    if (reader->position == reader->filled) {
        ssize_t count;
        do {
            count = read(reader->descriptor, reader->buffer,
                         sizeof reader->buffer);
        } while (count < 0 && errno == EINTR);
        if (count <= 0) {
            return -1;
        }
        reader->position = 0;
        reader->filled = (size_t)count;
    }
    return (unsigned char)reader->buffer[reader->position++];
}

/* A hexadecimal number, and the character behind it, which is swallowed. */
static uint64_t read_hex(struct reader *reader)
{
    uint64_t number = 0;
    for (;;) {
        int character = next_character(reader);
        if (character >= '0' && character <= '9') {
            number = number * 16 + (uint64_t)(character - '0');
        } else if (character >= 'a' && character <= 'f') {
            number = number * 16 + (uint64_t)(character - 'a' + 10);
        } else {
            return number;
        }
    }
}

static void skip_field(struct reader *reader)
{
    int character;
    do {
        character = next_character(reader);
    } while (character != ' ' && character != '\n' && character >= 0);
}

/* Keeps the end of a path that is too long: the file's own name is there. */
static bool read_path(struct reader *reader, struct line *line)
{
    char *path = line->path;
    size_t length = 0;
    int character = next_character(reader);
    while (character == ' ') {
        character = next_character(reader);
    }
    line->is_file = character == '/';
    while (character != '\n' && character >= 0) {
        if (length == 255) {
            memmove(path, path + 1, --length);
        }
        path[length++] = (char)character;
        character = next_character(reader);
    }
    path[length] = '\0';
    return character == '\n';
}

static bool read_line(struct reader *reader, struct line *line)
{
    line->start = (uintptr_t)read_hex(reader);
    line->end = (uintptr_t)read_hex(reader);
    line->is_readable = next_character(reader) == 'r';
    line->is_writable = next_character(reader) == 'w';
    next_character(reader);
    line->is_shared = next_character(reader) == 's';
    skip_field(reader);
    line->file_offset = read_hex(reader);
    skip_field(reader);
    /* The inode is followed by one blank at least. */
    skip_field(reader);
    return read_path(reader, line);
}

/* Addresses in a program linked to a fixed place are its offsets already. */
static bool is_fixed(const struct line *first)
{
    if (!first->is_readable || first->end - first->start < sizeof(Elf64_Ehdr)) {
        return false;
    }
    Elf64_Ehdr header;
    memcpy(&header, (const void *)first->start, sizeof header);
    return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0
           && header.e_type == ET_EXEC;
}

static bool find(struct reader *reader, uintptr_t address,
                 struct maps_module *module)
{
    /* The start of the file that the present line belongs to. */
    struct line first = { .path = "" };
    struct line line;
    while (read_line(reader, &line)) {
        if (line.file_offset == 0 && line.is_file) {
            first = line;
        }
        if (address < line.start || address >= line.end) {
            continue;
        }
        if (!line.is_file) {
            return false;
        }
        bool has_start = strcmp(first.path, line.path) == 0;
        memcpy(module->path, line.path, sizeof module->path);
        if (!has_start) {
            module->offset = address - line.start + line.file_offset;
        } else {
            module->offset = is_fixed(&first) ? address : address - first.start;
        }
        return true;
    }
    return false;
}

bool maps_find(uintptr_t address, struct maps_module *module)
{
    int saved_errno = errno;
    struct reader reader = { .position = 0, .filled = 0 };
    reader.descriptor = process_open("maps");
    bool is_found = false;
    if (reader.descriptor >= 0) {
        is_found = find(&reader, address, module);
        close(reader.descriptor);
    }
    errno = saved_errno;
    return is_found;
}

bool maps_each_range(bool (*visit)(const struct maps_range *range,
                                   void *context),
                     void *context)
{
    int saved_errno = errno;
    struct reader reader = { .position = 0, .filled = 0 };
    struct line line;
    reader.descriptor = process_open("maps");
    if (reader.descriptor >= 0) {
        bool goes_on = true;
        while (goes_on && read_line(&reader, &line)) {
            struct maps_range range = {
                .start = line.start,
                .end = line.end,
                .is_readable = line.is_readable,
                .is_writable = line.is_writable,
                .is_shared = line.is_shared,
                .is_file = line.is_file,
                .is_first_stack = strcmp(line.path, "[stack]") == 0,
            };
            goes_on = visit(&range, context);
        }
        close(reader.descriptor);
    }
    errno = saved_errno;
    return reader.descriptor >= 0;
}

struct readable {
    bool (*visit)(uintptr_t start, uintptr_t end, void *context);
    void *context;
};

static bool visit_readable(const struct maps_range *range, void *context)
{
    const struct readable *readable = context;
    return !range->is_readable
           || readable->visit(range->start, range->end, readable->context);
}

bool maps_each(bool (*visit)(uintptr_t start, uintptr_t end, void *context),
               void *context)
{
    struct readable readable = { .visit = visit, .context = context };
    return maps_each_range(visit_readable, &readable);
}
