/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the processes of one `moat run` have done together: a small file that
 * the command makes and each process maps and adds to.
 */
#ifndef RECORD_TALLY_H
#define RECORD_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

/* The variable of the environment that names the file. */
#define TALLY_VARIABLE "MOAT_TALLY"

/* Not the same in a version that counts something else. */
#define TALLY_MAGIC UINT64_C(0x326c6174616f6d)

struct tally {
    uint64_t magic;
    /* That have started, and of these, that have said what they did. */
    _Atomic uint64_t processes;
    _Atomic uint64_t ended;
    _Atomic uint64_t reports;
    /* Blocks with a guard page, and with canaries only. */
    _Atomic uint64_t fenced;
    _Atomic uint64_t canaries_only;
    /* How often anything else was weaker than asked. */
    _Atomic uint64_t shortfalls;
    /* Blocks of libc's own malloc() that were given back to it. */
    _Atomic uint64_t passed_through;
    /* Processes with a malloc() of the program's own. */
    _Atomic uint64_t own_malloc;
    /* What chance decides by in all of them; 0: it decides nothing so far. */
    _Atomic uint64_t seed;
    /* Programs that were run without Moat: they have a checker of their own
     * (os/program.h). */
    _Atomic uint64_t set_aside;
};

#endif
