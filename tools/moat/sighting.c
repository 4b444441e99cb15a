/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading reports; see sighting.h. */
#include "sighting.h"

#include <stdlib.h>
#include <string.h>

static const char intro[] = "==ERROR: moat: ";
static const char seen_words[] = ", seen at ";

static bool is_equal(struct piece a, struct piece b)
{
    return a.length == b.length && memcmp(a.start, b.start, a.length) == 0;
}

static bool is_word(struct piece piece, const char *word)
{
    return is_equal(piece, (struct piece){ word, strlen(word) });
}

static bool has_start(struct piece line, const char *start)
{
    return line.length >= strlen(start)
           && memcmp(line.start, start, strlen(start)) == 0;
}

/* What of LINE stands behind the first WORDS; empty at its end: nothing. */
static struct piece behind(struct piece line, const char *words)
{
    const char *at = memmem(line.start, line.length, words, strlen(words));
    const char *end = line.start + line.length;

    at = at == NULL ? end : at + strlen(words);
    return (struct piece){ at, (size_t)(end - at) };
}

/* What of LINE stands in front of the first WORDS; all: they are not there. */
static struct piece before(struct piece line, const char *words)
{
    const char *at = memmem(line.start, line.length, words, strlen(words));

    if (at != NULL) {
        line.length = (size_t)(at - line.start);
    }
    return line;
}

static struct piece line_at(const char *text)
{
    return (struct piece){ text, strcspn(text, "\n") };
}

static const char *next_line(struct piece line)
{
    const char *end = line.start + line.length;

    return *end == '\n' ? end + 1 : end;
}

/* "==PID==ERROR: moat: ", whatever PID is. */
static bool is_first_line(struct piece line)
{
    size_t digits;

    if (!has_start(line, "==")) {
        return false;
    }
    digits = strspn(line.start + 2, "0123456789");
    line.start += 2 + digits;
    line.length -= 2 + digits;
    return digits > 0 && has_start(line, intro);
}

/*
 * "N bytes after the end of", or "before the start of", of COUNT bytes, at the
 * start of PHRASE. Inside of a block is no distance.
 */
static bool read_range(struct piece phrase, long long count,
                       struct sighting_range *range)
{
    char *end;
    long long distance = strtoll(phrase.start, &end, 10);

    phrase.length -= (size_t)(end - phrase.start);
    phrase.start = end;
    range->is_after = has_start(phrase, " bytes after the end of ");
    if (!range->is_after
        && !has_start(phrase, " bytes before the start of ")) {
        return false;
    }
    range->first = range->is_after ? distance : -distance;
    range->end = range->first + count;
    return true;
}

/* "WRITE at 0x7e20, 0 bytes after the end of 32-byte block #3 [...) in ..." */
static void read_relation(struct piece line, struct sighting *found)
{
    struct piece relation = behind(line, ", ");
    struct piece block = before(relation, "-byte block #");

    found->access = before(line, " ");
    found->has_distance = read_range(relation, 1, &found->distance);
    if (block.length < relation.length) {
        const char *size = block.start + block.length;
        while (size > block.start && size[-1] >= '0' && size[-1] <= '9') {
            size--;
        }
        found->has_block = true;
        found->block_bytes = strtoull(size, NULL, 10);
        found->block_number
            = strtoull(behind(relation, "-byte block #").start, NULL, 10);
    }
    found->arena = before(behind(relation, "arena \""), "\" (arena offset ");
}

/* "damage: 2 bytes at [0x7e20,0x7e22), 0 bytes after the end of the block: " */
static void read_damage(struct piece line, struct sighting *found)
{
    long long count = strtoll(behind(line, "damage: ").start, NULL, 10);

    if (found->damages < SIGHTING_DAMAGES
        && read_range(behind(line, "), "), count,
                      &found->damage[found->damages])) {
        found->damages++;
    }
}

/* "    #0 0x55c9 PLACE": the address is another one in each run. */
static void read_frame(struct piece line, struct sighting_stack *stack)
{
    if (stack != NULL && stack->frames < SIGHTING_FRAMES) {
        struct piece place = behind(behind(line, " 0x"), " ");
        bool is_known = place.length > 0 && !is_word(place, "(unknown)");
        stack->frame[stack->frames++] = is_known ? place
                                                 : behind(line, "#");
    }
}

const char *sighting_read(const char *text, struct sighting *found)
{
    struct piece line = line_at(text);
    struct sighting_stack *stack = &found->fault;

    while (!is_first_line(line)) {
        if (*line.start == '\0') {
            return NULL;
        }
        line = line_at(next_line(line));
    }
    *found = (struct sighting){ .text = { line.start, 0 } };
    found->kind = before(behind(line, intro), " ");
    /* Of a colour, what comes behind is no part of it. */
    found->seen = before(behind(line, seen_words), "\033");
    line = line_at(next_line(line));
    read_relation(line, found);
    bool is_last = false;
    while (!is_last) {
        line = line_at(next_line(line));
        if (*line.start == '\0' || is_first_line(line)) {
            /* Cut off; what is there counts. */
            break;
        }
        is_last = has_start(line, "SUMMARY: moat: ");
        if (has_start(line, "    #")) {
            read_frame(line, stack);
        } else if (has_start(line, "damage: ")) {
            read_damage(line, found);
        } else {
            stack = has_start(line, "block #") ? &found->allocation : NULL;
        }
    }
    const char *end = is_last ? next_line(line) : line.start;
    found->text.length = (size_t)(end - found->text.start);
    return end;
}

/* Two that are not known are not the same. */
static bool is_same_stack(const struct sighting_stack *a,
                          const struct sighting_stack *b)
{
    if (a->frames == 0 || a->frames != b->frames) {
        return false;
    }
    for (int i = 0; i < a->frames; i++) {
        if (!is_equal(a->frame[i], b->frame[i])) {
            return false;
        }
    }
    return true;
}

static bool overlaps(struct sighting_range a, struct sighting_range b)
{
    return a.is_after == b.is_after && a.first < b.end && b.first < a.end;
}

/* Whether what LATE has found damaged is what OTHER has. */
static bool has_damage_of(const struct sighting *late,
                          const struct sighting *other)
{
    for (int i = 0; i < late->damages; i++) {
        if (other->damages == 0 && other->has_distance
            && overlaps(late->damage[i], other->distance)) {
            return true;
        }
        for (int j = 0; j < other->damages; j++) {
            if (overlaps(late->damage[i], other->damage[j])) {
                return true;
            }
        }
    }
    return false;
}

static bool is_same_block(const struct sighting *a, const struct sighting *b)
{
    return a->has_block == b->has_block && a->block_bytes == b->block_bytes
           && (!a->has_block || is_same_stack(&a->allocation, &b->allocation));
}

bool sighting_is_same(const struct sighting *a, const struct sighting *b)
{
    if (is_word(a->kind, "memory-leak") && is_word(b->kind, "memory-leak")) {
        /* A report is about all blocks of a place, and names one of them. */
        return is_same_stack(&a->allocation, &b->allocation);
    }
    if (!is_equal(a->kind, b->kind) || !is_equal(a->access, b->access)
        || !is_equal(a->arena, b->arena) || !is_same_block(a, b)) {
        return false;
    }
    if (a->damages == 0 && b->damages == 0) {
        return is_same_stack(&a->fault, &b->fault);
    }
    return a->has_block && a->block_number == b->block_number
           && has_damage_of(a->damages > 0 ? a : b, a->damages > 0 ? b : a);
}

/* How far from the block it was noticed. */
static long long reach(const struct sighting *sighting)
{
    return !sighting->has_distance      ? 0
           : sighting->distance.is_after ? sighting->distance.first
                                         : -sighting->distance.first;
}

bool sighting_is_better(const struct sighting *a, const struct sighting *b)
{
    bool is_late = a->damages > 0;

    if (is_late != (b->damages > 0)) {
        return !is_late;
    }
    return reach(a) < reach(b);
}
