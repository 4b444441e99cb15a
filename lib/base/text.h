/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded text: building a string in a buffer that cannot overflow. What does
 * not fit is left out and remembered. No allocation, no locale, no stdio, so
 * that reports can be written in a signal handler.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *buffer;
    /* Of the buffer, the final zero byte included; at least 1. */
    size_t capacity;
    /* Without the zero byte, which is always there. */
    size_t length;
    bool is_truncated;
};

/* An empty text in BUFFER of CAPACITY bytes, at least 1. */
struct text text_in(char *buffer, size_t capacity);

/* Each function below appends to TEXT. */
void text_character(struct text *text, char character);
void text_string(struct text *text, const char *string);
void text_bytes(struct text *text, const char *bytes, size_t count);

/*
 * STRING, with '?' for each character that is for control and each byte that
 * is not of well-formed UTF-8: a name cannot smuggle control sequences into a
 * terminal, nor turn the line around.
 */
void text_printable(struct text *text, const char *string);
void text_printable_bytes(struct text *text, const char *string, size_t count);

/* The bytes as text in double quotes, '.' for each that is not ASCII text. */
void text_quoted(struct text *text, const unsigned char *bytes, size_t count);

void text_decimal(struct text *text, uint64_t number);
void text_signed(struct text *text, int64_t number);

/* "0x" and at least one digit. */
void text_hex(struct text *text, uint64_t number);

/* Two digits, no "0x". */
void text_hex_byte(struct text *text, unsigned char byte);

#endif
