/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classifying: from an address and the records to a finding.
 *
 * A pure function of what it is given: no kernel, no locks, no globals. It
 * runs in signal handlers, and in tests on records made by hand.
 */
#ifndef DIAGNOSE_CLASSIFY_H
#define DIAGNOSE_CLASSIFY_H

#include "record/state.h"

#include <moat/finding.h>

#include <stdbool.h>
#include <stdint.h>

/* What is known of a fault without the records. */
struct classify_fault {
    uintptr_t address;
    /* False: the processor kept the address to itself (x86-64 does so for
     * addresses that are not canonical). */
    bool has_address;
    enum moat_access access;
    /* Whether the thread's stack has reached its end. */
    bool is_stack_end;
};

/* Addresses below this count as NULL and a member's offset; the kernel maps
 * nothing there (vm.mmap_min_addr is 64 KiB). */
enum { CLASSIFY_NULL_BYTES = 64 * 1024 };

/* Fill *FINDING for FAULT, seen at access; all but pc, pid and actor. */
void classify_fault(const struct moat_state *state,
                    const struct classify_fault *fault,
                    struct moat_finding *finding);

/*
 * Fill *FINDING with whom ADDRESS belongs to, with kind MOAT_KIND_NONE.
 * Returns false when no arena holds it; all but the address is zero then.
 */
bool classify_owner(const struct moat_state *state, uintptr_t address,
                    struct moat_finding *finding);

/* Whether ADDRESS lies in a page that a live block has to itself. */
bool classify_is_of_live_block(const struct moat_state *state,
                               uintptr_t address);

#endif
