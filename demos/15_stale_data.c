/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 15: stale data. An arena is reset after each request, by setting an offset
 * to 0. What the last request left is still there, and the next one sends it
 * to whoever asked.
 *
 * A reset of a Moat arena gives the memory back: the next request gets none of
 * it, and an old pointer is stopped.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 64 };

static const char login[] = "user=alice password=open sesame";
static const char secret[] = "sesame";
static const char answer[] = "hello, bob";

static bool has_secret(const void *bytes, size_t count)
{
    return memmem(bytes, count, secret, strlen(secret)) != NULL;
}

/* Print the whole BLOCK, as if it were sent. */
static void send_block(const char *block)
{
    struct naive_arena sent = { .base = (char *)block, .used = BLOCK_BYTES };

    naive_dump(&sent);
}

static void naive_requests(void)
{
    legend_title("A naive arena for requests, with blocks of 64 bytes");
    struct naive_arena arena = naive_create(CAPACITY);
    char *request = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(request, login);
    legend_say(LEGEND_OK, "Alice's request: \"%s\"", request);
    arena.used = 0;
    legend_say(LEGEND_UNMAPPED, "it is done: the offset is 0 again");

    char *reply = naive_alloc(&arena, BLOCK_BYTES);
    strcpy(reply, answer);
    legend_say(LEGEND_OK,
               "Bob's reply: \"%s\", sent as a block of %d bytes:", reply,
               BLOCK_BYTES);
    send_block(reply);
    bool is_leaked = has_secret(reply, BLOCK_BYTES);
    lesson_claim(is_leaked, "the secret is sent");
    legend_say(LEGEND_CORRUPT, "Bob gets Alice's password: %s",
               is_leaked ? "yes" : "no");
    lesson_claim(strcmp(request, answer) == 0, "the old pointer works on");
    legend_say(LEGEND_CORRUPT, "read through Alice's old pointer: \"%s\"",
               request);
    naive_destroy(&arena);
}

/* Reset an arena, let the next request come, and return a pointer into the
 * last one. */
static volatile char *outlive_the_reset(void)
{
    struct moat_arena *arena
        = lesson_need(moat_arena_create("requests", CAPACITY));
    char *request = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));

    strcpy(request, login);
    moat_arena_reset(arena);
    strcpy(lesson_need(moat_arena_alloc(arena, BLOCK_BYTES)), answer);
    return request;
}

static void read_after_reset(void)
{
    volatile char *request = outlive_the_reset();

    (void)request[strlen("user=")];
}

static void write_after_reset(void)
{
    *outlive_the_reset() = 'U';
}

enum { READ, WRITE, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [READ] = { .name = "read",
               .commit = read_after_reset,
               .kind = "use-after-reset",
               .seen_at = "access",
               .facts = { "READ at ", ", 5 bytes inside 64-byte block #1 [",
                          ") in arena \"requests\" (", "it was reset by " } },
    [WRITE] = { .name = "write",
                .commit = write_after_reset,
                .kind = "use-after-reset",
                .seen_at = "access",
                .facts = { "WRITE at ", ", 0 bytes inside 64-byte block #1 [",
                           ") in arena \"requests\" (", "it was reset by " } },
};

static void moat_requests(void)
{
    legend_title("The same steps on a Moat arena");
    struct moat_arena *arena
        = lesson_need(moat_arena_create("requests", CAPACITY));
    char *request = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
    strcpy(request, login);
    legend_say(LEGEND_OK, "Alice's request: \"%s\"", request);
    moat_arena_reset(arena);
    legend_say(LEGEND_UNMAPPED, "it is done: the arena is reset");

    char *reply = lesson_need(moat_arena_alloc(arena, BLOCK_BYTES));
    strcpy(reply, answer);
    legend_say(LEGEND_OK,
               "Bob's reply: \"%s\", sent as a block of %d bytes:", reply,
               BLOCK_BYTES);
    send_block(reply);
    const char *base = moat_arena_base(arena);
    const char *limit = moat_arena_limit(arena);
    bool is_leaked = has_secret(base, (size_t)(limit - base));
    lesson_claim(!is_leaked, "the secret is nowhere in the arena");
    legend_say(LEGEND_OK, "Bob gets Alice's password: %s",
               is_leaked ? "yes" : "no");
    moat_arena_destroy(arena);

    legend_say(LEGEND_REFUSED, "and a read through Alice's old pointer:");
    lesson_crime(&crimes[READ]);
    legend_say(LEGEND_REFUSED, "and a write:");
    lesson_crime(&crimes[WRITE]);
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_requests();
    moat_requests();
    return lesson_end();
}
