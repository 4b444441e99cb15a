/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is mapped, and which file a program address was loaded from, read from
 * /proc/self/maps: the one source that needs no lock and no allocation, and
 * knows libraries loaded a moment ago.
 */
#ifndef OS_MAPS_H
#define OS_MAPS_H

#include <stdbool.h>
#include <stdint.h>

struct maps_module {
    /* Of the file; its last part when it is longer. */
    char path[256];
    /* What addr2line wants for the address. */
    uintptr_t offset;
};

/*
 * Find the file that ADDRESS was loaded from; false when it is none or the
 * kernel shows no map. Async-signal-safe; errno is left as it was.
 */
bool maps_find(uintptr_t address, struct maps_module *module);

/* A mapping. */
struct maps_range {
    uintptr_t start;
    uintptr_t end;
    bool is_readable;
    bool is_writable;
    bool is_shared;
    bool is_file;
    /* The stack that the process began with. */
    bool is_first_stack;
};

/*
 * Call VISIT with each mapping, in the order of addresses, and with CONTEXT,
 * until it returns false. Returns whether the kernel shows a map. errno is left
 * as it was.
 */
bool maps_each_range(bool (*visit)(const struct maps_range *range,
                                   void *context),
                     void *context);

/*
 * Call VISIT with each mapping that can be read, and with CONTEXT, until it
 * returns false. Returns whether the kernel shows a map. errno is left as it
 * was.
 */
bool maps_each(bool (*visit)(uintptr_t start, uintptr_t end, void *context),
               void *context);

#endif
