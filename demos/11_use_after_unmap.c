/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 11: use after unmap. A pointer outlives its arena, and somebody else moves
 * in at its address. What is read through it then looks right, and is another
 * one's: the worst kind of wrong.
 *
 * Moat keeps the addresses of a destroyed arena out of use, for long.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { CAPACITY = 4096, BLOCK_BYTES = 32, LATER_ARENAS = 1000 };

static const char first_user[] = "user=alice";
static const char next_user[] = "user=bob";

static void naive_sessions(void)
{
    legend_title("A naive arena for each session");
    struct naive_arena session = naive_create(CAPACITY);
    char *user = naive_alloc(&session, BLOCK_BYTES);
    strcpy(user, first_user);
    legend_say(LEGEND_OK, "a session, with a block: \"%s\"", user);
    naive_destroy(&session);
    legend_say(LEGEND_UNMAPPED, "it ends; a pointer to the block is left");

    /*
     * The kernel gives the next who asks the highest gap that is large enough,
     * and that is often this one. If not today, it is asked for.
     */
    struct naive_arena next = naive_create(CAPACITY);
    if (next.base != session.base) {
        naive_destroy(&next);
        next = naive_create_at(session.base, CAPACITY);
    }
    char *next_block = naive_alloc(&next, BLOCK_BYTES);
    lesson_claim(next_block == user, "the next session is at this address");
    strcpy(next_block, next_user);
    legend_say(LEGEND_OK, "the next session, at the same address: \"%s\"",
               next_block);
    lesson_claim(strcmp(user, next_user) == 0,
                 "the old pointer reads what is another one's");
    legend_say(LEGEND_CORRUPT, "read through the old pointer: \"%s\"", user);
    naive_destroy(&next);
}

static struct moat_arena *begin_session(const char *name)
{
    return lesson_need(moat_arena_create(name, CAPACITY));
}

static void end_session(struct moat_arena *session)
{
    moat_arena_destroy(session);
}

/*
 * End the first session, have many others come and go, the last one to stay.
 * Returns the pointer that is left of the first.
 */
static volatile char *outlive_the_session(bool *is_reused)
{
    struct moat_arena *session = begin_session("alice");
    char *user = lesson_need(moat_arena_alloc(session, BLOCK_BYTES));

    strcpy(user, first_user);
    end_session(session);
    *is_reused = false;
    for (int i = 0; i < LATER_ARENAS; i++) {
        struct moat_arena *later = begin_session("bob");
        char *block = lesson_need(moat_arena_strdup(later, next_user));
        uintptr_t base = (uintptr_t)moat_arena_base(later);
        *is_reused |= (uintptr_t)user >= base && user <= block;
        if (i < LATER_ARENAS - 1) {
            end_session(later);
        }
    }
    return user;
}

static void read_at_once(void)
{
    struct moat_arena *session = begin_session("alice");
    volatile char *user = lesson_need(moat_arena_alloc(session, BLOCK_BYTES));

    end_session(session);
    (void)*user;
}

static void write_much_later(void)
{
    bool is_reused;

    outlive_the_session(&is_reused)[strlen("user=")] = 'A';
}

enum { AT_ONCE, MUCH_LATER, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [AT_ONCE]
    = { .name = "at_once",
        .commit = read_at_once,
        .kind = "use-after-unmap",
        .seen_at = "access",
        .facts
        = { ", 0 bytes inside 32-byte block #1 [", ") in arena \"alice\" (",
            "arena \"alice\" was created by ", "it was destroyed by " } },
    [MUCH_LATER]
    = { .name = "much_later",
        .commit = write_much_later,
        .kind = "use-after-unmap",
        .seen_at = "access",
        .facts
        = { ", 5 bytes inside 32-byte block #1 [", ") in arena \"alice\" (",
            "arena \"alice\" was created by ", "it was destroyed by " } },
};

/* What a test can do: expect the fault, look at what was found, and go on. */
static void expect_the_fault(void)
{
    bool is_reused;
    volatile char *user = outlive_the_session(&is_reused);
    struct moat_finding finding;

    lesson_claim(!is_reused, "no later arena is at the old address");
    legend_say(LEGEND_OK, "%d more sessions, %s", LATER_ARENAS,
               is_reused ? "one at the old address"
                         : "none of them at the old address");
    MOAT_EXPECT_FAULT(&finding)
    {
        (void)*user;
    }
    lesson_claim(finding.kind == MOAT_KIND_USE_AFTER_UNMAP
                     && strcmp(finding.arena.name, "alice") == 0
                     && finding.arena.is_destroyed,
                 "the old pointer is known as the first session's");
    const struct moat_stack *created = &finding.stacks.create;
    const struct moat_stack *destroyed = &finding.stacks.destroy;
    lesson_claim(created->frames > 0 && destroyed->frames > 0
                     && created->frame[0] != destroyed->frame[0],
                 "it is known where it was created and where destroyed");
    legend_say(LEGEND_REFUSED,
               "read through the old pointer: %s, block #%lu of arena \"%s\"",
               moat_kind_name(finding.kind), finding.block.number,
               finding.arena.name);
}

static void moat_sessions(void)
{
    legend_title("The same steps on Moat arenas");
    legend_say(LEGEND_REFUSED, "a session ends, and its block is read:");
    lesson_crime(&crimes[AT_ONCE]);

    legend_title("The same, long after");
    expect_the_fault();
    legend_say(LEGEND_REFUSED, "and written through it:");
    lesson_crime(&crimes[MUCH_LATER]);
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_sessions();
    moat_sessions();
    return lesson_end();
}
