/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reports of several runs put together: each defect once. */
#ifndef DEFECT_H
#define DEFECT_H

#include "sighting.h"

#include <stdio.h>

struct defect {
    /* Of the sightings in the list, its own, in the order of the passes. */
    size_t sightings;
    struct sighting *sighting;
    /* Which of these says most. */
    size_t best;
};

struct defects {
    size_t count;
    struct defect *defect;
};

/*
 * Add the reports in TEXT, which has to stay, as those of PASS. Returns how
 * many there were. Ends the process where there is no memory for them.
 */
size_t defect_add_all(struct defects *defects, int pass, const char *text);

/* Whether PASS has seen DEFECT, and in *SEEN how often. */
bool defect_is_seen_by(const struct defect *defect, int pass, size_t *seen);

/* Print each defect: the passes that saw it, by NAMES, and its best report. */
void defect_print_all(const struct defects *defects,
                      const char *const names[], bool is_colorful, FILE *out);

/* As it was at first. */
void defect_forget_all(struct defects *defects);

#endif
