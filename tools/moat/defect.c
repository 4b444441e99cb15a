/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting reports together; see defect.h. */
#include "defect.h"

#include "command.h"

#include <stdlib.h>

/* Room in ARRAY, of COUNT members of BYTES each, for one more. */
static void *with_one_more(void *array, size_t count, size_t bytes)
{
    void *longer = reallocarray(array, count + 1, bytes);

    if (longer == NULL) {
        fputs("moat: no memory to put the reports together\n", stderr);
        exit(COMMAND_FAILED);
    }
    return longer;
}

static bool is_of(const struct defect *defect, const struct sighting *sighting)
{
    for (size_t i = 0; i < defect->sightings; i++) {
        if (sighting_is_same(&defect->sighting[i], sighting)) {
            return true;
        }
    }
    return false;
}

/* The defect that SIGHTING is about; a new one if it is about none before. */
static struct defect *find(struct defects *defects,
                           const struct sighting *sighting)
{
    for (size_t i = 0; i < defects->count; i++) {
        if (is_of(&defects->defect[i], sighting)) {
            return &defects->defect[i];
        }
    }
    defects->defect = with_one_more(defects->defect, defects->count,
                                    sizeof *defects->defect);
    defects->defect[defects->count] = (struct defect){ 0 };
    return &defects->defect[defects->count++];
}

static void add(struct defects *defects, const struct sighting *sighting)
{
    struct defect *defect = find(defects, sighting);

    defect->sighting = with_one_more(defect->sighting, defect->sightings,
                                     sizeof *sighting);
    defect->sighting[defect->sightings] = *sighting;
    if (sighting_is_better(sighting, &defect->sighting[defect->best])) {
        defect->best = defect->sightings;
    }
    defect->sightings++;
}

size_t defect_add_all(struct defects *defects, int pass, const char *text)
{
    struct sighting sighting;
    size_t reports = 0;

    while ((text = sighting_read(text, &sighting)) != NULL) {
        sighting.pass = pass;
        add(defects, &sighting);
        reports++;
    }
    return reports;
}

bool defect_is_seen_by(const struct defect *defect, int pass, size_t *seen)
{
    *seen = 0;
    for (size_t i = 0; i < defect->sightings; i++) {
        *seen += defect->sighting[i].pass == pass;
    }
    return *seen > 0;
}

/* "seen by after/abi (at free), after/natural (at access, 2 times)" */
static void print_passes(const struct defect *defect,
                         const char *const names[], FILE *out)
{
    const char *between = "seen by ";
    int pass = -1;
    size_t seen;

    for (size_t i = 0; i < defect->sightings; i++) {
        const struct sighting *sighting = &defect->sighting[i];
        if (sighting->pass == pass) {
            continue;
        }
        pass = sighting->pass;
        defect_is_seen_by(defect, pass, &seen);
        fprintf(out, "%s%s (at %.*s", between, names[pass],
                (int)sighting->seen.length, sighting->seen.start);
        if (seen > 1) {
            fprintf(out, ", %zu times", seen);
        }
        fputc(')', out);
        between = ", ";
    }
}

static void print_report(struct piece text, bool is_colorful, FILE *out)
{
    const char *end = text.start + text.length;
    const char *line = text.start;

    if (is_colorful) {
        while (line < end && *line != '\n') {
            line++;
        }
        fprintf(out, "\033[1;31m%.*s\033[0m", (int)(line - text.start),
                text.start);
    }
    fwrite(line, 1, (size_t)(end - line), out);
    if (text.length > 0 && end[-1] != '\n') {
        fputc('\n', out);
    }
}

void defect_print_all(const struct defects *defects,
                      const char *const names[], bool is_colorful, FILE *out)
{
    for (size_t i = 0; i < defects->count; i++) {
        const struct defect *defect = &defects->defect[i];
        fprintf(out, "moat: defect %zu of %zu, ", i + 1, defects->count);
        print_passes(defect, names, out);
        fputc('\n', out);
        print_report(defect->sighting[defect->best].text, is_colorful, out);
        fputc('\n', out);
    }
}

void defect_forget_all(struct defects *defects)
{
    for (size_t i = 0; i < defects->count; i++) {
        free(defects->defect[i].sighting);
    }
    free(defects->defect);
    *defects = (struct defects){ 0 };
}
