/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: from a signal to a report. GNU libsigsegv is the gate; no other file
 * includes its header.
 */
#ifndef DIAGNOSE_FAULT_H
#define DIAGNOSE_FAULT_H

#include "record/state.h"

#include <signal.h>
#include <stdbool.h>

/*
 * Catch SIGSEGV and SIGBUS from now on. Faults that are none of Moat's go to
 * the actions that are in force now, if HAS_USER_HANDLERS. Called again, it
 * takes the signals back from handlers the program has installed since, and
 * passes on to those.
 *
 * Returns 0 or a positive errno value: there will be no reports of faults
 * then. Not thread-safe; not for use in a signal handler.
 */
int fault_catch(struct moat_state *state, bool has_user_handlers);

/* Whether SIGSEGV comes to Moat: no handler of the program's is in front. */
bool fault_is_caught(void);

/*
 * As sigaction() would for SIGSEGV or SIGBUS: let WANTED (NULL: as before)
 * have the faults that are none of Moat's, and store in *BEFORE (NULL: no
 * need) what had them. Thread-safe, async-signal-safe.
 */
void fault_set_user_action(int signal, const struct sigaction *wanted,
                           struct sigaction *before);

#endif
