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

void text_printable(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        unsigned char byte = (unsigned char)*string;
        bool is_control = byte < 0x20 || byte == 0x7f;
        text_character(text, is_control ? '?' : *string);
    }
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
