/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sites; see site.h. */
#include "record/site.h"

#include "base/random.h"
#include "os/books.h"

#include <stdbool.h>

/*
 * A large program has some ten thousand allocation sites. Memory is taken
 * page by page as they come.
 */
enum { SLOTS = 1 << 18, WORDS = 1 << 21 };

int site_table_create(struct site_table *table)
{
    uintptr_t words;
    size_t word_bytes = WORDS * sizeof(uintptr_t);
    int error = books_take(word_bytes + SLOTS * sizeof(uint32_t), &words);
    if (error != 0) {
        return error;
    }
    table->slots = (_Atomic uint32_t *)(words + word_bytes);
    table->slot_count = SLOTS;
    table->words = (uintptr_t *)words;
    table->word_count = WORDS;
    /* Word 0 stays unused: number 0 means "not known". */
    atomic_init(&table->words_used, 1);
    return 0;
}

static uint64_t hash_of(const uintptr_t *frames, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hash = random_mix(hash + frames[i]);
    }
    return hash;
}

static bool is_site(const struct site_table *table, site_id site,
                    const uintptr_t *frames, size_t count)
{
    const uintptr_t *words = &table->words[site];
    if (words[0] != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (words[i + 1] != frames[i]) {
            return false;
        }
    }
    return true;
}

static site_id store(struct site_table *table, const uintptr_t *frames,
                     size_t count)
{
    size_t first = atomic_fetch_add(&table->words_used, count + 1);
    if (first + count + 1 > table->word_count) {
        atomic_fetch_sub(&table->words_used, count + 1);
        return 0;
    }
    table->words[first] = count;
    for (size_t i = 0; i < count; i++) {
        table->words[first + 1 + i] = frames[i];
    }
    return (site_id)first;
}

/* From SLOT on. */
static __attribute__((noinline)) site_id
find_or_store(struct site_table *table, const uintptr_t *frames, size_t count,
              size_t slot)
{
    size_t mask = table->slot_count - 1;
    site_id fresh = 0;
    for (size_t probes = 0; probes < table->slot_count; probes++) {
        uint32_t site
            = atomic_load_explicit(&table->slots[slot], memory_order_acquire);
        if (site == 0) {
            if (fresh == 0) {
                fresh = store(table, frames, count);
                if (fresh == 0) {
                    return 0;
                }
            }
            if (atomic_compare_exchange_strong(&table->slots[slot], &site,
                                               fresh)) {
                return fresh;
            }
            /* Another thread was faster; SITE is what it put here. */
        }
        if (is_site(table, site, frames, count)) {
            return site;
        }
        slot = (slot + 1) & mask;
    }
    return 0;
}

site_id site_intern(struct site_table *table, const uintptr_t *frames,
                    size_t count)
{
    if (table->slot_count == 0) {
        return 0;
    }
    size_t slot = hash_of(frames, count) & (table->slot_count - 1);
    site_id site
        = atomic_load_explicit(&table->slots[slot], memory_order_acquire);
    /* Most sites are where they are looked for first. */
    return site != 0 && is_site(table, site, frames, count)
               ? site
               : find_or_store(table, frames, count, slot);
}

size_t site_frames(const struct site_table *table, site_id site,
                   const uintptr_t **frames)
{
    if (site == 0 || site >= table->word_count) {
        return 0;
    }
    *frames = &table->words[site + 1];
    return table->words[site];
}
