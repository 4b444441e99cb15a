/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs as files; see program.h. */
#include "os/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_BYTES = 64,
    LINE_BYTES = 256,
    MOST_PARTS = 64,
    MOST_ENTRIES = 512,
    /* The kernel follows so many interpreters of interpreters. */
    MOST_INTERPRETERS = 5
};

/* What a sanitizer's runtime exports, where it is linked statically. */
static const char *const functions[] = {
    "__asan_init", "__tsan_init", "__msan_init", "__hwasan_init", "__lsan_init",
};

/* How the name of its library starts, where it is not. */
static const char *const libraries[] = {
    "libasan.so",
    "libtsan.so",
    "liblsan.so",
    "libhwasan.so",
    "libclang_rt.",
};

struct file {
    int descriptor;
    /* The parts that are mapped. */
    Elf64_Phdr parts[MOST_PARTS];
    size_t part_count;
};

static bool read_at(const struct file *file, uint64_t at, void *to,
                    size_t bytes)
{
    return pread(file->descriptor, to, bytes, (off_t)at) == (ssize_t)bytes;
}

/* Where in the file that is which will be at ADDRESS when it is loaded; 0:
 * nowhere, for the file's header is at 0. */
static uint64_t offset_of(const struct file *file, uint64_t address)
{
    for (size_t i = 0; i < file->part_count; i++) {
        const Elf64_Phdr *part = &file->parts[i];
        if (part->p_type == PT_LOAD && address >= part->p_vaddr
            && address - part->p_vaddr < part->p_filesz) {
            return part->p_offset + address - part->p_vaddr;
        }
    }
    return 0;
}

static bool read_address(const struct file *file, uint64_t address, void *to,
                         size_t bytes)
{
    uint64_t at = offset_of(file, address);
    return at != 0 && read_at(file, at, to, bytes);
}

/* A string, or its first bytes. */
static void read_name(const struct file *file, uint64_t address,
                      char name[NAME_BYTES])
{
    uint64_t at = offset_of(file, address);
    ssize_t bytes = at == 0 ? 0
                            : pread(file->descriptor, name, NAME_BYTES - 1,
                                    (off_t)at);
    name[bytes > 0 ? bytes : 0] = '\0';
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name != '\0'; name++) {
        hash = hash * 33 + (unsigned char)*name;
    }
    return hash;
}

/* What the dynamic section says of a program. */
struct dynamic {
    uint64_t strings;
    uint64_t symbols;
    uint64_t hash;
};

/* Whether the program defines the function NAME for others. */
static bool exports(const struct file *file, const struct dynamic *dynamic,
                    const char *name)
{
    struct {
        uint32_t buckets;
        uint32_t first;
        uint32_t bloom_words;
        uint32_t bloom_shift;
    } header;
    uint32_t hash = gnu_hash(name);
    uint32_t number;
    if (dynamic->hash == 0
        || !read_address(file, dynamic->hash, &header, sizeof header)
        || header.buckets == 0) {
        return false;
    }
    uint64_t buckets = dynamic->hash + sizeof header
                       + (uint64_t)header.bloom_words * sizeof(uint64_t);
    uint64_t chains = buckets + (uint64_t)header.buckets * sizeof number;
    if (!read_address(file,
                      buckets + hash % header.buckets * sizeof number,
                      &number, sizeof number)
        || number < header.first) {
        return false;
    }
    for (int i = 0; i < MOST_ENTRIES; i++, number++) {
        uint32_t chained;
        if (!read_address(file,
                          chains
                              + (uint64_t)(number - header.first)
                                    * sizeof chained,
                          &chained, sizeof chained)) {
            return false;
        }
        if ((chained | 1) == (hash | 1)) {
            Elf64_Sym symbol;
            char found[NAME_BYTES];
            if (read_address(file,
                             dynamic->symbols
                                 + (uint64_t)number * sizeof symbol,
                             &symbol, sizeof symbol)) {
                read_name(file, dynamic->strings + symbol.st_name, found);
                if (strcmp(found, name) == 0) {
                    return true;
                }
            }
        }
        if ((chained & 1) != 0) {
            return false;
        }
    }
    return false;
}

/* Whether the program needs the library with the name at ADDRESS and that one
 * is a sanitizer's. */
static bool is_checker(const struct file *file, uint64_t address)
{
    char name[NAME_BYTES];
    read_name(file, address, name);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (strncmp(name, libraries[i], strlen(libraries[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool dynamic_has_checker(const struct file *file, const Elf64_Phdr *part)
{
    struct dynamic dynamic = { .strings = 0 };
    uint64_t needed[MOST_PARTS];
    size_t needed_count = 0;
    Elf64_Dyn entry;
    for (uint64_t i = 0; i < MOST_ENTRIES; i++) {
        if (i * sizeof entry >= part->p_filesz
            || !read_at(file, part->p_offset + i * sizeof entry, &entry,
                        sizeof entry)
            || entry.d_tag == DT_NULL) {
            break;
        }
        if (entry.d_tag == DT_NEEDED && needed_count < MOST_PARTS) {
            needed[needed_count++] = entry.d_un.d_val;
        } else if (entry.d_tag == DT_STRTAB) {
            dynamic.strings = entry.d_un.d_ptr;
        } else if (entry.d_tag == DT_SYMTAB) {
            dynamic.symbols = entry.d_un.d_ptr;
        } else if (entry.d_tag == DT_GNU_HASH) {
            dynamic.hash = entry.d_un.d_ptr;
        }
    }
    for (size_t i = 0; i < needed_count; i++) {
        if (is_checker(file, dynamic.strings + needed[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (exports(file, &dynamic, functions[i])) {
            return true;
        }
    }
    return false;
}

static bool elf_has_checker(struct file *file, const Elf64_Ehdr *header)
{
    if (header->e_ident[EI_CLASS] != ELFCLASS64
        || header->e_phentsize != sizeof file->parts[0]) {
        return false;
    }
    file->part_count = header->e_phnum < MOST_PARTS ? header->e_phnum
                                                    : MOST_PARTS;
    if (!read_at(file, header->e_phoff, file->parts,
                 file->part_count * sizeof file->parts[0])) {
        return false;
    }
    for (size_t i = 0; i < file->part_count; i++) {
        if (file->parts[i].p_type == PT_DYNAMIC) {
            return dynamic_has_checker(file, &file->parts[i]);
        }
    }
    return false;
}

/* Its own checks begin with its launcher, which sets LD_PRELOAD. */
static bool is_valgrind(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    return strcmp(name, "valgrind") == 0 || strcmp(name, "valgrind.bin") == 0;
}

/* Whether PATH is of interest by itself; if it is a script, what interprets it
 * is in LINE, and *INTERPRETER points there. */
static bool look_at(const char *path, char line[LINE_BYTES],
                    const char **interpreter)
{
    struct file file = { .part_count = 0 };
    Elf64_Ehdr header;
    bool has_checker = false;
    *interpreter = NULL;
    file.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file.descriptor < 0) {
        return false;
    }
    ssize_t bytes = pread(file.descriptor, line, LINE_BYTES - 1, 0);
    line[bytes > 0 ? bytes : 0] = '\0';
    if (bytes >= (ssize_t)sizeof header && memcmp(line, ELFMAG, SELFMAG) == 0) {
        memcpy(&header, line, sizeof header);
        has_checker = elf_has_checker(&file, &header);
    } else if (bytes > 2 && memcmp(line, "#!", 2) == 0) {
        char *start = line + 2 + strspn(line + 2, " \t");
        start[strcspn(start, " \t\n")] = '\0';
        *interpreter = start;
    }
    close(file.descriptor);
    return has_checker;
}

bool program_has_checker(const char *path)
{
    char lines[2][LINE_BYTES];
    int saved_errno = errno;
    bool has_checker = false;
    for (int i = 0; path != NULL && !has_checker && i < MOST_INTERPRETERS;
         i++) {
        /* What was read last names what is read now. */
        const char *interpreter = NULL;
        has_checker
            = is_valgrind(path) || look_at(path, lines[i % 2], &interpreter);
        path = has_checker ? NULL : interpreter;
    }
    errno = saved_errno;
    return has_checker;
}
