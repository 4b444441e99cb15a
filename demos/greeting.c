/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ordinary program, with an ordinary mistake; it knows nothing of Moat.
 * `./bootstrap demo` runs it as it is, and then under `moat run`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For all the compiler knows, it may be any name. */
static const char *volatile who = "everybody";

static char *greet(const char *name)
{
    size_t length = strlen("Hello, ") + strlen(name);
    char *text = malloc(length);

    if (text == NULL) {
        return NULL;
    }
    memcpy(text, "Hello, ", strlen("Hello, "));
    memcpy(text + strlen("Hello, "), name, strlen(name));
    text[length] = '\0'; /* There is no room for it. */
    return text;
}

int main(void)
{
    char *text = greet(who);

    if (text == NULL || puts(text) == EOF) {
        return EXIT_FAILURE;
    }
    free(text);
    return EXIT_SUCCESS;
}
