/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kind of file a program is: whether the loader will load a library into
 * it because LD_PRELOAD says so. A program into which it will not would run as
 * ever, and the user would think that it was tested.
 */
#include "command.h"

#include "os/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The kernel follows so many interpreters of interpreters. */
enum { MOST_INTERPRETERS = 5, LINE_BYTES = 256 };

static int check_file(const char *path, int depth);

/* 0, or why PATH cannot be executed, as an errno value. */
static int why_not_executable(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0) {
        return errno;
    }
    if (!S_ISREG(file.st_mode)) {
        return EACCES;
    }
    return access(path, X_OK) == 0 ? 0 : errno;
}

/* Find PROGRAM in the directories of PATH, as execvp() does. */
static int find_in_path(const char *program, char found[PATH_MAX])
{
    const char *directories = getenv("PATH");
    int error = ENOENT;

    if (strchr(program, '/') != NULL || *program == '\0') {
        snprintf(found, PATH_MAX, "%s", program);
        return why_not_executable(program);
    }
    if (directories == NULL) {
        directories = "/bin:/usr/bin";
    }
    for (;;) {
        int length = (int)strcspn(directories, ":");
        int bytes = snprintf(found, PATH_MAX, "%.*s%s%s", length, directories,
                             length == 0 ? "" : "/", program);
        int why = bytes < PATH_MAX ? why_not_executable(found) : ENAMETOOLONG;
        if (why == 0) {
            return 0;
        }
        /* One that may not be executed is said, unless another one may. */
        error = why == EACCES ? EACCES : error;
        if (directories[length] == '\0') {
            return error;
        }
        directories += length + 1;
    }
}

/* Whether the kernel will give the program other rights than the caller's,
 * so that the loader ignores LD_PRELOAD. */
static bool gains_rights(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0) {
        return false;
    }
    return ((file.st_mode & S_ISUID) != 0 && file.st_uid != getuid())
           || ((file.st_mode & S_ISGID) != 0 && file.st_gid != getgid())
           || (getuid() != 0
               && getxattr(path, "security.capability", NULL, 0) > 0);
}

static int check_elf(const char *path, int descriptor, const Elf64_Ehdr *header)
{
#if defined __x86_64__
    const Elf64_Half machine = EM_X86_64;
#else
    const Elf64_Half machine = EM_AARCH64;
#endif
    if (header->e_ident[EI_CLASS] != ELFCLASS64
        || header->e_machine != machine) {
        return command_misused("%s is for another processor or another size "
                               "of addresses: Moat cannot be loaded into it",
                               path);
    }
    for (int i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr part;
        off_t at = (off_t)header->e_phoff + i * header->e_phentsize;
        if (pread(descriptor, &part, sizeof part, at) == (ssize_t)sizeof part
            && part.p_type == PT_INTERP) {
            return COMMAND_OK;
        }
    }
    return command_misused("%s is statically linked: its malloc() cannot be "
                           "replaced",
                           path);
}

/* A line "#!INTERPRETER [ARGUMENT]". */
static int check_script(const char *path, char *line, int depth)
{
    char *interpreter = line + 2 + strspn(line + 2, " \t");

    interpreter[strcspn(interpreter, " \t\n")] = '\0';
    if (depth == MOST_INTERPRETERS || *interpreter == '\0') {
        return COMMAND_OK;
    }
    int error = why_not_executable(interpreter);
    if (error != 0) {
        return command_misused("%s: its interpreter %s: %s", path, interpreter,
                               strerror(error));
    }
    return check_file(interpreter, depth + 1);
}

static int check_file(const char *path, int depth)
{
    union {
        Elf64_Ehdr header;
        char line[LINE_BYTES];
    } start = { .line = "" };
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int status = COMMAND_OK;

    if (gains_rights(path)) {
        status = command_misused("%s runs with rights that you do not have "
                                 "(set-user-id and the like): Moat cannot be "
                                 "loaded into it",
                                 path);
    } else if (descriptor >= 0) {
        ssize_t bytes = read(descriptor, &start, sizeof start - 1);
        if (bytes >= (ssize_t)sizeof start.header
            && memcmp(start.header.e_ident, ELFMAG, SELFMAG) == 0) {
            status = check_elf(path, descriptor, &start.header);
        } else if (bytes > 2 && memcmp(start.line, "#!", 2) == 0) {
            status = check_script(path, start.line, depth);
        }
    }
    /* What may be executed and not be read is left to the kernel. */
    if (descriptor >= 0) {
        close(descriptor);
    }
    return status;
}

int program_check(const char *program)
{
    char path[PATH_MAX];
    int error = find_in_path(program, path);

    if (error != 0) {
        return command_misused("%s: %s", program,
                               error == ENOENT ? "not found"
                                               : strerror(error));
    }
    return check_file(path, 0);
}

bool program_is_set_aside(const char *program)
{
    char path[PATH_MAX];

    return find_in_path(program, path) == 0 && program_has_checker(path);
}
