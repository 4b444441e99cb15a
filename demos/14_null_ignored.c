/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 14: NULL ignored. The arena is full, the allocation fails, and nobody looks.
 * The program goes on and dies elsewhere, close to address 0, without a word
 * of the arena.
 *
 * Moat remembers what was refused, and names it when NULL is used.
 */
#include "legend.h"
#include "lesson.h"
#include "naive_arena.h"

#include <moat.h>

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPACITY = 256, ENTRIES = 5 };

struct entry {
    char key[24];
    char value[40];
};

/* So that four of them fill the arena, and the facts below are right. */
_Static_assert(sizeof(struct entry) == 64, "the arena holds four");
_Static_assert(offsetof(struct entry, value) == 24, "the fault is there");

/* volatile: no compiler shall know that one of them is NULL. */
static struct entry *volatile entries[ENTRIES];

/* Somewhere else in the program, much later. */
__attribute__((noinline)) static void set_value(volatile struct entry *entry,
                                                char value)
{
    entry->value[0] = value;
}

static void use_the_last(void)
{
    set_value(entries[ENTRIES - 1], '!');
}

/* Run CRIME in a new process that is as if there were no Moat. Returns how it
 * ended, as waitpid() says it. */
static int run_without_moat(void (*crime)(void))
{
    int status;

    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        /* Moat's handler is in this program from its start on. */
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
        crime();
        _exit(EXIT_SUCCESS);
    }
    if (child == -1 || waitpid(child, &status, 0) != child) {
        perror("fork");
        exit(EXIT_FAILURE);
    }
    return status;
}

static void naive_table(void)
{
    legend_title("A naive arena of 256 bytes, with entries of 64");
    struct naive_arena arena = naive_create(CAPACITY);
    for (int i = 0; i < ENTRIES; i++) {
        entries[i] = naive_alloc(&arena, sizeof(struct entry));
        legend_say(entries[i] != NULL ? LEGEND_OK : LEGEND_REFUSED,
                   "entry %d: %s", i + 1,
                   entries[i] != NULL ? "allocated" : "NULL");
    }
    lesson_claim(entries[ENTRIES - 1] == NULL, "the last is refused");

    legend_say(LEGEND_OK, "nobody looks, and the program goes on");
    int status = run_without_moat(use_the_last);
    lesson_claim(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
                 "the use of NULL is a SIGSEGV");
    legend_say(LEGEND_CORRUPT,
               "much later, somewhere else: %s, and not a word more",
               WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "nothing");
    naive_destroy(&arena);
}

static void fill(struct moat_arena *table)
{
    for (int i = 0; i < ENTRIES; i++) {
        entries[i] = moat_arena_alloc(table, sizeof(struct entry));
    }
}

static void use_null(void)
{
    struct moat_arena *table
        = lesson_need(moat_arena_create("table", CAPACITY));

    fill(table);
    moat_arena_destroy(table);
    use_the_last();
}

enum { USE_NULL, CRIMES };

static const struct crime crimes[CRIMES + 1] = {
    [USE_NULL]
    = { .name = "use_null",
        .commit = use_null,
        .kind = "null-dereference",
        .seen_at = "access",
        .facts = { "WRITE at 0x18, 24 bytes from NULL",
                   "the last allocation that was refused, #5 of 64"
                   " bytes in arena \"table\", was asked for by " } },
};

/* What a test can do: expect the fault, look at what was found, and go on. */
static void expect_the_fault(void)
{
    struct moat_arena *table
        = lesson_need(moat_arena_create("table", CAPACITY));
    struct moat_finding finding;
    struct moat_stats stats;

    fill(table);
    moat_arena_stats(table, &stats);
    lesson_claim(stats.live_blocks == ENTRIES - 1 && stats.refused == 1,
                 "the last is refused, and counted");
    legend_say(LEGEND_REFUSED, "%zu entries, %zu refused", stats.live_blocks,
               stats.refused);
    MOAT_EXPECT_FAULT(&finding)
    {
        use_the_last();
    }
    lesson_claim(finding.kind == MOAT_KIND_NULL_DEREFERENCE
                     && (size_t)finding.address
                            == offsetof(struct entry, value)
                     && finding.refused.number == ENTRIES
                     && finding.refused.size == sizeof(struct entry)
                     && strcmp(finding.refused.arena, "table") == 0
                     && finding.stacks.refused.frames > 0,
                 "the use of NULL is known as that of the refused entry");
    legend_say(LEGEND_REFUSED,
               "%s, %zu bytes from NULL: for want of block #%lu of arena"
               " \"%s\"",
               moat_kind_name(finding.kind), (size_t)finding.address,
               finding.refused.number, finding.refused.arena);
    moat_arena_destroy(table);
}

static void moat_table(void)
{
    legend_title("The same steps on a Moat arena");
    expect_the_fault();

    legend_title("The same, as a program shows it that expects no fault");
    legend_say(LEGEND_REFUSED,
               "stopped, with the one who did not look named:");
    lesson_crime(&crimes[USE_NULL]);
}

int main(int argument_count, char *arguments[])
{
    lesson_start(argument_count, arguments, crimes);
    naive_table();
    moat_table();
    return lesson_end();
}
