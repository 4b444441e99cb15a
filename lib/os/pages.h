/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages: address space and memory from the kernel.
 *
 * For all functions: addresses and sizes are multiples of the page size, a
 * size is above 0, results are 0 or a positive errno value, and errno itself
 * is left as it was. Thread-safe; async-signal-safe.
 */
#ifndef OS_PAGES_H
#define OS_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of a page in bytes: 4, 16 or 64 KiB. Asked once, at start. */
size_t pages_size(void);

/*
 * Reserve BYTES of address space that fault when touched and count towards no
 * memory limit but RLIMIT_AS. Store its first address in *START.
 */
int pages_reserve(size_t bytes, uintptr_t *start);

/*
 * Map BYTES of zeroed memory, taken from the kernel page by page when first
 * touched and not counted against the commit limit where the kernel allows
 * that. NAME appears in /proc/PID/maps where the kernel can (5.17).
 */
int pages_map(size_t bytes, const char *name, uintptr_t *start);

void pages_unmap(uintptr_t start, size_t bytes);

/* Give the memory back; the pages read as zeroes afterwards. */
int pages_drop(uintptr_t start, size_t bytes);

/* Make pages readable and writable, or inaccessible. */
int pages_allow(uintptr_t start, size_t bytes);
int pages_deny(uintptr_t start, size_t bytes);

/*
 * As pages_allow(), for pages that are private and anonymous and of no way that
 * guards them otherwise: where a filter of system calls has taken mprotect(),
 * those that are out of reach are mapped anew.
 */
int pages_provide(uintptr_t start, size_t bytes);

/*
 * Hand the pages of FROM, guard markers too, over to TO, which is reserved. TO
 * then is what FROM was, and FROM is still mapped, so that nothing else gets
 * in there, and reads as zeroes where it was accessible. Costs least where both
 * lie alike in their page tables, which are then moved as they are.
 *
 * When it fails, nothing has happened; EFAULT: FROM is not one mapping.
 */
int pages_transfer(uintptr_t from, uintptr_t to, size_t bytes);

/*
 * Copy BYTES from START, any address, to COPY. Returns false, without a fault,
 * when they are not readable or the kernel does not offer the call.
 */
bool pages_peek(uintptr_t start, size_t bytes, void *copy);

/*
 * Have a system call read a few bytes at ADDRESS, a page's start: 0 when it
 * could, EFAULT when the page is out of reach, without a fault. Another value
 * is the errno of a kernel that does not answer.
 */
int pages_touch(uintptr_t address);

/*
 * Put pages of a reserved range back to how pages_reserve() gave them, whatever
 * was done to them since.
 */
int pages_renew(uintptr_t start, size_t bytes);

/* Undo mlock(), which forbids dropping. */
int pages_unlock(uintptr_t start, size_t bytes);

/*
 * The same, and from here on for what is mapped anew: after mlockall() the
 * kernel locks that too, and one page that is locked splits the mapping of its
 * neighbours.
 */
int pages_keep_unlocked(uintptr_t start, size_t bytes);

/* Leave the range out of core dumps and of transparent huge pages. */
void pages_set_sparse(uintptr_t start, size_t bytes);

/* How much address space RLIMIT_AS still leaves; SIZE_MAX: no limit. */
size_t pages_address_space_left(void);

#endif
