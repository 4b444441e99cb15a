/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options; see options.h. */
#include "api/options.h"

#include <stdint.h>
#include <string.h>

enum option_type {
    TYPE_BOOL,
    TYPE_NUMBER,
    /* Bytes; 0 is "auto". */
    TYPE_SIZE,
    TYPE_CHOICE,
    TYPE_PATH
};

struct option {
    const char *name;
    enum option_type type;
    /* Of the member in struct options. */
    size_t offset;
    unsigned long initial;
    unsigned long least;
    unsigned long most;
    const char *choices;
    const char *initial_path;
    const char *help;
};

static const struct option table[] = {
#define OPTION_BOOL(key, value, words)                                         \
    { .name = #key, .type = TYPE_BOOL,                                         \
      .offset = offsetof(struct options, key), .initial = (value),             \
      .help = (words) },
#define OPTION_NUMBER(key, value, low, high, words)                            \
    { .name = #key, .type = TYPE_NUMBER,                                       \
      .offset = offsetof(struct options, key), .initial = (value),             \
      .least = (low), .most = (high), .help = (words) },
#define OPTION_SIZE(key, value, words)                                         \
    { .name = #key, .type = TYPE_SIZE,                                         \
      .offset = offsetof(struct options, key), .initial = (value),             \
      .help = (words) },
#define OPTION_CHOICE(key, value, list, words)                                 \
    { .name = #key, .type = TYPE_CHOICE,                                       \
      .offset = offsetof(struct options, key), .initial = (value),             \
      .choices = (list), .help = (words) },
#define OPTION_PATH(key, value, words)                                         \
    { .name = #key, .type = TYPE_PATH,                                         \
      .offset = offsetof(struct options, key), .initial_path = (value),        \
      .help = (words) },
#include "api/options.def"
#undef OPTION_BOOL
#undef OPTION_NUMBER
#undef OPTION_SIZE
#undef OPTION_CHOICE
#undef OPTION_PATH
};

enum { COUNT = sizeof table / sizeof table[0] };

/* A piece of the text being parsed; not terminated. */
struct piece {
    const char *start;
    size_t length;
};

static bool is_equal(struct piece piece, const char *word)
{
    return strlen(word) == piece.length
           && memcmp(piece.start, word, piece.length) == 0;
}

static void set_path(char *path, const char *start, size_t length)
{
    memcpy(path, start, length);
    path[length] = '\0';
}

void options_reset(struct options *options)
{
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < COUNT; i++) {
        const struct option *option = &table[i];
        char *member = (char *)options + option->offset;
        switch (option->type) {
        case TYPE_BOOL:
            *(bool *)member = option->initial != 0;
            break;
        case TYPE_NUMBER:
        case TYPE_SIZE:
            memcpy(member, &option->initial, sizeof option->initial);
            break;
        case TYPE_CHOICE: {
            unsigned place = (unsigned)option->initial;
            memcpy(member, &place, sizeof place);
            break;
        }
        case TYPE_PATH:
            set_path(member, option->initial_path,
                     strlen(option->initial_path));
            break;
        }
    }
}

static bool parse_bool(struct piece value, char *member)
{
    static const struct {
        const char *word;
        bool meaning;
    } words[] = {
        { "1", true },  { "true", true },   { "yes", true },
        { "0", false }, { "false", false }, { "no", false },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_equal(value, words[i].word)) {
            *(bool *)member = words[i].meaning;
            return true;
        }
    }
    return false;
}

static bool read_decimal(struct piece value, unsigned long *read)
{
    unsigned long number = 0;
    for (size_t i = 0; i < value.length; i++) {
        char digit = value.start[i];
        if (digit < '0' || digit > '9'
            || __builtin_mul_overflow(number, 10ul, &number)
            || __builtin_add_overflow(number, (unsigned long)(digit - '0'),
                                      &number)) {
            return false;
        }
    }
    *read = number;
    return value.length != 0;
}

static bool parse_number(const struct option *option, struct piece value,
                         char *member)
{
    unsigned long number;
    if (!read_decimal(value, &number) || number < option->least
        || number > option->most) {
        return false;
    }
    memcpy(member, &number, sizeof number);
    return true;
}

/* "auto", or bytes as 4096, 512K, 64M, 2G or 1T. */
static bool parse_size(struct piece value, char *member)
{
    static const char suffixes[] = "KMGT";
    unsigned long number = 0;
    if (!is_equal(value, "auto")) {
        unsigned shift = 0;
        const char *suffix
            = value.length == 0
                  ? NULL
                  : strchr(suffixes, value.start[value.length - 1]);
        if (suffix != NULL) {
            shift = 10 * (unsigned)(suffix - suffixes + 1);
            value.length--;
        }
        if (!read_decimal(value, &number) || number == 0
            || number > SIZE_MAX >> shift) {
            return false;
        }
        number <<= shift;
    }
    memcpy(member, &number, sizeof number);
    return true;
}

static bool parse_choice(const struct option *option, struct piece value,
                         char *member)
{
    const char *choice = option->choices;
    for (unsigned place = 0;; place++) {
        const char *end = strchrnul(choice, '|');
        if ((size_t)(end - choice) == value.length
            && memcmp(choice, value.start, value.length) == 0) {
            memcpy(member, &place, sizeof place);
            return true;
        }
        if (*end == '\0') {
            return false;
        }
        choice = end + 1;
    }
}

static bool parse_path(struct piece value, char *member)
{
    if (value.length == 0 || value.length >= OPTIONS_PATH_BYTES) {
        return false;
    }
    set_path(member, value.start, value.length);
    return true;
}

static bool parse_value(const struct option *option, struct piece value,
                        struct options *options)
{
    char *member = (char *)options + option->offset;
    switch (option->type) {
    case TYPE_BOOL:
        return parse_bool(value, member);
    case TYPE_NUMBER:
        return parse_number(option, value, member);
    case TYPE_SIZE:
        return parse_size(value, member);
    case TYPE_CHOICE:
        return parse_choice(option, value, member);
    default:
        return parse_path(value, member);
    }
}

static void add_accepted(struct text *text, const struct option *option)
{
    switch (option->type) {
    case TYPE_BOOL:
        text_string(text, "0|1");
        break;
    case TYPE_NUMBER:
        text_decimal(text, option->least);
        text_string(text, "..");
        text_decimal(text, option->most);
        break;
    case TYPE_SIZE:
        text_string(text, "auto or bytes: 4096, 512K, 64M, 2G");
        break;
    case TYPE_CHOICE:
        text_string(text, option->choices);
        break;
    case TYPE_PATH:
        text_string(text, "PATH");
        break;
    }
}

static void add_piece(struct text *text, struct piece piece)
{
    text_printable_bytes(text, piece.start, piece.length);
}

static const struct option *find(struct piece key)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (is_equal(key, table[i].name)) {
            return &table[i];
        }
    }
    return NULL;
}

static void reject_key(struct text *messages, struct piece key)
{
    text_string(messages, "MOAT_OPTIONS: unknown option '");
    add_piece(messages, key);
    text_string(messages, "'; there are");
    for (size_t i = 0; i < COUNT; i++) {
        text_string(messages, i == 0 ? " " : ", ");
        text_string(messages, table[i].name);
    }
    text_character(messages, '\n');
}

static void reject_value(struct text *messages, const struct option *option,
                         struct piece value)
{
    text_string(messages, "MOAT_OPTIONS: ");
    text_string(messages, option->name);
    text_string(messages, " cannot be '");
    add_piece(messages, value);
    text_string(messages, "'; it accepts ");
    add_accepted(messages, option);
    text_character(messages, '\n');
}

/* "key=value"; a key alone means 1. */
static bool parse_entry(struct options *options, struct piece entry,
                        struct text *messages)
{
    const char *equals = memchr(entry.start, '=', entry.length);
    struct piece key = entry;
    struct piece value = { .start = "1", .length = 1 };
    if (equals != NULL) {
        key.length = (size_t)(equals - entry.start);
        value.start = equals + 1;
        value.length = entry.length - key.length - 1;
    }
    const struct option *option = find(key);
    if (option == NULL) {
        reject_key(messages, key);
        return false;
    }
    bool is_bare = equals == NULL && option->type != TYPE_BOOL;
    if (is_bare || !parse_value(option, value, options)) {
        reject_value(messages, option, is_bare ? (struct piece){ "", 0 }
                                               : value);
        return false;
    }
    return true;
}

size_t options_parse(struct options *options, const char *text,
                     struct text *messages)
{
    size_t rejected = 0;
    const char *at = text == NULL ? "" : text;
    while (*at != '\0') {
        const char *end = strchrnul(at, ':');
        struct piece entry = { .start = at, .length = (size_t)(end - at) };
        if (entry.length > 0 && !parse_entry(options, entry, messages)) {
            rejected++;
        }
        at = *end == ':' ? end + 1 : end;
    }
    return rejected;
}

static void add_default(struct text *text, const struct option *option)
{
    const char *choice = option->choices;
    switch (option->type) {
    case TYPE_CHOICE:
        for (unsigned long place = 0; place < option->initial; place++) {
            choice = strchrnul(choice, '|') + 1;
        }
        text_bytes(text, choice, (size_t)(strchrnul(choice, '|') - choice));
        break;
    case TYPE_SIZE:
        text_string(text, "auto");
        break;
    case TYPE_PATH:
        text_string(text, option->initial_path);
        break;
    default:
        text_decimal(text, option->initial);
        break;
    }
}

void options_help(struct text *text)
{
    for (size_t i = 0; i < COUNT; i++) {
        text_string(text, "  ");
        text_string(text, table[i].name);
        text_character(text, '=');
        add_accepted(text, &table[i]);
        text_string(text, " (");
        add_default(text, &table[i]);
        text_string(text, ")\n        ");
        text_string(text, table[i].help);
        text_character(text, '\n');
    }
}
