/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded text; see text.h. */
#include "base/text.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

struct text text_in(char *buffer, size_t capacity)
{
    buffer[0] = '\0';
    return (struct text){ .buffer = buffer, .capacity = capacity };
}

void text_character(struct text *text, char character)
{
    if (text->length + 1 >= text->capacity) {
        text->is_truncated = true;
        return;
    }
    text->buffer[text->length++] = character;
    text->buffer[text->length] = '\0';
}

void text_bytes(struct text *text, const char *bytes, size_t count)
{
    size_t room = text->capacity - 1 - text->length;
    if (count > room) {
        count = room;
        text->is_truncated = true;
    }
    memcpy(text->buffer + text->length, bytes, count);
    text->length += count;
    text->buffer[text->length] = '\0';
}

void text_string(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

/*
 * How many of the COUNT bytes at BYTES are one character of UTF-8 that may be
 * shown on a terminal; 0: they begin with none. The table of well-formed
 * sequences is in the Unicode Standard, section 3.9, D92.
 */
static size_t printable_bytes(const unsigned char *bytes, size_t count)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        { 0x20, 0x7e, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 },
        { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
        { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
        { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t length = forms[i].length;
        if (bytes[0] < forms[i].first_low || bytes[0] > forms[i].first_high) {
            continue;
        }
        if (length > count
            || (length > 1
                && (bytes[1] < forms[i].second_low
                    || bytes[1] > forms[i].second_high))) {
            return 0;
        }
        for (size_t j = 2; j < length; j++) {
            if ((bytes[j] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return length;
    }
    return 0;
}

/* Control characters of more than a byte: C1, and those that turn the
 * direction of writing around. */
static bool is_control(const unsigned char *bytes, size_t length)
{
    return (length == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0)
           || (length == 3 && bytes[0] == 0xe2
               && ((bytes[1] == 0x80 && bytes[2] >= 0xaa && bytes[2] <= 0xae)
                   || (bytes[1] == 0x81 && bytes[2] >= 0xa6
                       && bytes[2] <= 0xa9)));
}

void text_printable_bytes(struct text *text, const char *string, size_t count)
{
    const unsigned char *bytes = (const unsigned char *)string;
    size_t at = 0;
    while (at < count) {
        size_t length = printable_bytes(bytes + at, count - at);
        if (length == 0 || is_control(bytes + at, length)) {
            text_character(text, '?');
            at += length == 0 ? 1 : length;
        } else {
            text_bytes(text, string + at, length);
            at += length;
        }
    }
}

void text_printable(struct text *text, const char *string)
{
    text_printable_bytes(text, string, strlen(string));
}

void text_quoted(struct text *text, const unsigned char *bytes, size_t count)
{
    text_character(text, '"');
    for (size_t i = 0; i < count; i++) {
        bool is_text = bytes[i] >= 0x20 && bytes[i] < 0x7f;
        text_character(text, is_text ? (char)bytes[i] : '.');
    }
    text_character(text, '"');
}

static void append_number(struct text *text, uint64_t number, unsigned base)
{
    char reversed[20];
    size_t count = 0;
    do {
        reversed[count++] = digits[number % base];
        number /= base;
    } while (number != 0);
    while (count > 0) {
        text_character(text, reversed[--count]);
    }
}

void text_decimal(struct text *text, uint64_t number)
{
    append_number(text, number, 10);
}

void text_signed(struct text *text, int64_t number)
{
    uint64_t magnitude = (uint64_t)number;
    if (number < 0) {
        text_character(text, '-');
        magnitude = -magnitude;
    }
    append_number(text, magnitude, 10);
}

void text_hex(struct text *text, uint64_t number)
{
    text_string(text, "0x");
    append_number(text, number, 16);
}

void text_hex_byte(struct text *text, unsigned char byte)
{
    text_character(text, digits[byte >> 4]);
    text_character(text, digits[byte & 15]);
}
