/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stamping and checking whole words where possible: a sweep over an arena is
 * mostly this file.
 */
#include "base/canary.h"

#include "base/size.h"

#include <string.h>

enum { WORD = sizeof(uint64_t) };

static unsigned char canary_byte(uint64_t secret, uintptr_t address)
{
    uint64_t word = canary_word(secret, address & ~(uintptr_t)(WORD - 1));
    unsigned char bytes[WORD];
    memcpy(bytes, &word, WORD);
    return bytes[address % WORD];
}

static void stamp_bytes(uint64_t secret, uintptr_t start, uintptr_t end)
{
    for (uintptr_t address = start; address < end; address++) {
        *(unsigned char *)address = canary_byte(secret, address);
    }
}

static bool are_bytes_intact(uint64_t secret, uintptr_t start, uintptr_t end)
{
    for (uintptr_t address = start; address < end; address++) {
        if (*(const unsigned char *)address != canary_byte(secret, address)) {
            return false;
        }
    }
    return true;
}

/* The first word boundary in the range, or its end. */
static uintptr_t first_word(uintptr_t start, uintptr_t end)
{
    uintptr_t word = size_round_up(start, WORD);
    return word < end ? word : end;
}

/* Behind the last whole word from ADDRESS on, a word boundary or END. */
static uintptr_t last_word(uintptr_t address, uintptr_t end)
{
    return address + (end - address) / WORD * WORD;
}

void canary_stamp(uint64_t secret, uintptr_t start, uintptr_t end)
{
    uintptr_t address = first_word(start, end);
    uintptr_t behind = last_word(address, end);
    stamp_bytes(secret, start, address);
    for (; address != behind; address += WORD) {
        uint64_t word = canary_word(secret, address);
        memcpy((void *)address, &word, WORD);
    }
    stamp_bytes(secret, address, end);
}

bool canary_is_intact(uint64_t secret, uintptr_t start, uintptr_t end)
{
    uintptr_t address = first_word(start, end);
    uintptr_t behind = last_word(address, end);
    if (!are_bytes_intact(secret, start, address)) {
        return false;
    }
    for (; address != behind; address += WORD) {
        uint64_t word;
        memcpy(&word, (const void *)address, WORD);
        if (word != canary_word(secret, address)) {
            return false;
        }
    }
    return are_bytes_intact(secret, address, end);
}

bool canary_is_copy_intact(uint64_t secret, uintptr_t start, uintptr_t end,
                           const unsigned char *copy)
{
    for (uintptr_t address = start; address < end; address++) {
        if (copy[address - start] != canary_byte(secret, address)) {
            return false;
        }
    }
    return true;
}

bool canary_find_damage(uint64_t secret, uintptr_t start, uintptr_t end,
                        uintptr_t *damage_start, uintptr_t *damage_end)
{
    uintptr_t address = start;
    while (address < end
           && *(const unsigned char *)address == canary_byte(secret, address)) {
        address++;
    }
    if (address == end) {
        return false;
    }
    *damage_start = address;
    while (address < end
           && *(const unsigned char *)address != canary_byte(secret, address)) {
        address++;
    }
    *damage_end = address;
    return true;
}
