/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proof that Moat was on, in words: what the processes have counted. */
#ifndef PROOF_H
#define PROOF_H

#include "base/text.h"
#include "record/tally.h"

/* "1435 blocks fenced in 2 processes; nothing was weaker than asked", and the
 * reports if HAS_REPORTS. */
void proof_add(struct text *text, const struct tally *tally, bool has_reports);

/* "1 ONE" or "2 MANY". */
void proof_add_count(struct text *text, uint64_t count, const char *one,
                     const char *many);

/* Whether something was weaker than asked, be it that nothing was fenced. */
bool proof_is_weaker(const struct tally *tally);

#endif
