/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The proof; see proof.h. */
#include "proof.h"

void proof_add_count(struct text *text, uint64_t count, const char *one,
                     const char *many)
{
    text_decimal(text, count);
    text_character(text, ' ');
    text_string(text, count == 1 ? one : many);
}

static bool is_all_fenced(const struct tally *tally)
{
    return tally->canaries_only == 0 && tally->shortfalls == 0;
}

bool proof_is_weaker(const struct tally *tally)
{
    return tally->processes == 0 || tally->set_aside > 0
           || !is_all_fenced(tally);
}

static void add_strength(struct text *text, const struct tally *tally)
{
    if (is_all_fenced(tally)) {
        text_string(text, "; nothing was weaker than asked");
        return;
    }
    text_string(text, "; weaker than asked: ");
    if (tally->canaries_only > 0) {
        proof_add_count(text, tally->canaries_only,
                        "block with canaries only, ",
                        "blocks with canaries only, ");
    }
    if (tally->passed_through > 0) {
        proof_add_count(text, tally->passed_through,
                        "block passed through to libc, ",
                        "blocks passed through to libc, ");
    }
    if (tally->own_malloc > 0) {
        proof_add_count(text, tally->own_malloc,
                        "process with a malloc() of its own, ",
                        "processes with a malloc() of their own, ");
    }
    proof_add_count(text, tally->shortfalls, "shortfall (stats=1 lists them)",
                    "shortfalls (stats=1 lists them)");
}

void proof_add(struct text *text, const struct tally *tally, bool has_reports)
{
    if (tally->processes == 0 && tally->set_aside > 0) {
        text_string(text, "nothing was fenced");
    } else if (tally->processes == 0) {
        text_string(text, "nothing was fenced: the program did not load "
                          "libmoat-preload.so");
    } else {
        proof_add_count(text, tally->fenced, "block fenced in ",
                        "blocks fenced in ");
        proof_add_count(text, tally->processes, "process", "processes");
        if (has_reports && tally->reports > 0) {
            text_string(text, ", ");
            proof_add_count(text, tally->reports, "report", "reports");
        }
        add_strength(text, tally);
    }
    if (tally->ended < tally->processes) {
        text_string(text, "; ");
        proof_add_count(text, tally->processes - tally->ended,
                        "process ended without saying what it did",
                        "processes ended without saying what they did");
    }
    if (tally->set_aside > 0) {
        text_string(text, "; ");
        proof_add_count(text, tally->set_aside, "program was",
                        "programs were");
        text_string(text, " run without Moat: valgrind, or built with a "
                          "sanitizer");
    }
    if (tally->seed != 0) {
        /* What it takes to see the same again. */
        text_string(text, "; seed=");
        text_decimal(text, tally->seed);
    }
}
