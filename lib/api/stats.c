/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The statistics; see stats.h. */
#include "api/stats.h"

#include "alloc/numbers.h"
#include "alloc/shortfall.h"
#include "alloc/slots.h"
#include "api/trials.h"
#include "base/text.h"
#include "os/output.h"
#include "os/userfault.h"

#include <stddef.h>

/* " NUMBER WORDS", and a separator before all but the first. */
static void add_count(struct text *text, size_t count, const char *words)
{
    text_string(text, text->buffer[text->length - 1] == ':' ? " " : ", ");
    text_decimal(text, count);
    text_character(text, ' ');
    text_string(text, words);
}

void stats_say(const char *backend)
{
    char buffer[512];
    struct slots_counts counts = slots_counts();
    struct userfault_counts lost = userfault_counts();
    struct text text = text_in(buffer, sizeof buffer);
    text_string(&text, "stats: backend ");
    text_string(&text, backend);
    text_character(&text, ':');
    add_count(&text, counts.fenced, "blocks fenced");
    add_count(&text, counts.canaries_only, "with canaries only");
    add_count(&text, counts.memory_peak >> 10, "KiB in live blocks at most");
    add_count(&text, counts.waiting, "freed slots waiting");
    struct numbers_counts numbers = numbers_counts();
    if (numbers.refused > numbers.on_purpose) {
        add_count(&text, numbers.refused - numbers.on_purpose,
                  "refused for want of memory");
    }
    output_message(text.buffer);
    text = text_in(buffer, sizeof buffer);
    if (trials_describe(&text)) {
        output_message(text.buffer);
    }
    text = text_in(buffer, sizeof buffer);
    text_string(&text, "stats: weaker than asked:");
    size_t none = text.length;
    for (enum shortfall what = 0; what < SHORTFALLS; what++) {
        if (shortfall_count(what) > 0) {
            add_count(&text, shortfall_count(what), shortfall_name(what));
        }
    }
    if (counts.not_moved > 0) {
        add_count(&text, counts.not_moved, "pages dropped instead of moved");
    }
    if (lost.lost > 0) {
        add_count(&text, lost.lost, "times userfaultfd was closed");
    }
    if (lost.replaced > 0) {
        add_count(&text, lost.replaced, "times it could not be had again");
    }
    if (text.length == none) {
        text_string(&text, " nothing");
    }
    output_message(text.buffer);
}
