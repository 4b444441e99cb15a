/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call on an arena while another thread is in one on the same arena, one
 * by one. Prints TAP; concurrent.sh runs it on all ways.
 *
 *     concurrent packed|fenced
 *
 * The one thread is stopped inside its call by a page that the test has made
 * inaccessible, and waits in a handler until the other has come: nothing here
 * depends on time.
 */
#include <moat.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child ends, and so what came of two calls. */
enum ending {
    ENDED_WRONGLY = 1,
    /* One report, of a data race, that names both threads and calls. */
    ENDED_REPORTED = 3,
    /* Neither waited nor was reported. */
    ENDED_AT_ONCE = 4,
    /* The second call waited for the first, and nothing was wrong. */
    ENDED_WAITED = 5,
    /* It waited, and was then reported for what the first has ended. */
    ENDED_STALE = 6
};

static enum moat_layout layout;
static int number;
static struct moat_arena *arena;
static size_t page;
/* One for the thread inside, one for the thread that comes. */
static char *block_inside;
static char *block_coming;
static struct moat_mark mark;

static void result(bool is_ok, const char *name)
{
    printf("%sok %d - %s\n", is_ok ? "" : "not ", ++number, name);
    fflush(stdout);
}

static void create(enum moat_sharing sharing)
{
    struct moat_arena_config config
        = { .name = "letters", .capacity = 64 * 1024, .layout = layout,
            .max_capacity = 128 * 1024, .sharing = sharing };
    arena = moat_arena_create_with(&config);
    if (arena == NULL) {
        _exit(ENDED_WRONGLY);
    }
}

/* The calls. Each says whether its result is as it should be. */

static bool call_alloc(char *block)
{
    (void)block;
    return moat_arena_alloc(arena, 16) != NULL;
}

static bool call_calloc(char *block)
{
    (void)block;
    return moat_arena_calloc(arena, 2, 8) != NULL;
}

static bool call_aligned_alloc(char *block)
{
    (void)block;
    return moat_arena_aligned_alloc(arena, 64, 16) != NULL;
}

static bool call_strdup(char *block)
{
    (void)block;
    return moat_arena_strdup(arena, "text") != NULL;
}

static bool call_realloc(char *block)
{
    char *volatile hidden = block;
    return moat_arena_realloc(arena, hidden, 100) != NULL;
}

static bool call_realloc_of_nothing(char *block)
{
    (void)block;
    return moat_arena_realloc(arena, NULL, 100) != NULL;
}

static bool call_free(char *block)
{
    moat_arena_free(arena, block);
    return true;
}

static bool call_grow(char *block)
{
    (void)block;
    return moat_arena_grow(arena, 128 * 1024) == 0;
}

static bool call_mark(char *block)
{
    (void)block;
    return moat_arena_mark(arena).arena == arena;
}

static bool call_rewind(char *block)
{
    (void)block;
    moat_arena_rewind(arena, mark);
    return true;
}

static bool call_reset(char *block)
{
    (void)block;
    moat_arena_reset(arena);
    return true;
}

static bool call_destroy(char *block)
{
    (void)block;
    moat_arena_destroy(arena);
    return true;
}

static bool call_check(char *block)
{
    (void)block;
    return moat_arena_check(arena) == 0;
}

static bool call_stats(char *block)
{
    struct moat_stats stats;
    (void)block;
    moat_arena_stats(arena, &stats);
    return stats.capacity != 0;
}

/* A walk itself touches no page. */
static int visit(const struct moat_block *block, void *context)
{
    (void)block;
    (void)*(volatile char *)context;
    return 0;
}

static bool call_walk(char *block)
{
    return moat_arena_walk(arena, visit, block) == 0;
}

static bool dump(enum moat_dump style)
{
    static char text[2][16384];
    static _Atomic unsigned turn;
    FILE *out = fmemopen(text[turn++ % 2], sizeof text[0], "w");
    moat_arena_dump(arena, out, style);
    fclose(out);
    return true;
}

static bool call_dump_text(char *block)
{
    (void)block;
    return dump(MOAT_DUMP_TEXT);
}

static bool call_dump_hex(char *block)
{
    (void)block;
    return dump(MOAT_DUMP_HEX);
}

static bool call_dump_map(char *block)
{
    (void)block;
    return dump(MOAT_DUMP_MAP);
}

static bool call_snapshot(char *block)
{
    (void)block;
    return moat_arena_snapshot(arena) != NULL;
}

static bool call_base(char *block)
{
    (void)block;
    return moat_arena_base(arena) != NULL;
}

static bool call_limit(char *block)
{
    (void)block;
    return moat_arena_limit(arena) != NULL;
}

static bool call_describe(char *block)
{
    struct moat_finding finding;
    return moat_describe(block, &finding);
}

struct call {
    const char *name;
    bool (*make)(char *block);
    /* What a report says of it; 0: it is in no call. */
    enum moat_access access;
    /* Whether a thread can be stopped in it in a packed arena, and in a fenced
     * one. */
    bool stops[2];
    /* Whether it ends blocks that others may hold. */
    bool ends;
};

static const struct call calls[] = {
    { "alloc", call_alloc, MOAT_ACCESS_ALLOC, { true, false }, false },
    { "calloc", call_calloc, MOAT_ACCESS_ALLOC, { true, false }, false },
    { "aligned_alloc", call_aligned_alloc, MOAT_ACCESS_ALLOC,
      { true, false }, false },
    { "strdup", call_strdup, MOAT_ACCESS_ALLOC, { true, false }, false },
    { "realloc", call_realloc, MOAT_ACCESS_ALLOC, { true, true }, false },
    { "realloc of nothing", call_realloc_of_nothing, MOAT_ACCESS_ALLOC,
      { true, false }, false },
    { "free", call_free, MOAT_ACCESS_FREE, { true, true }, false },
    { "grow", call_grow, MOAT_ACCESS_ALLOC, { false, false }, false },
    { "mark", call_mark, MOAT_ACCESS_READ, { false, false }, false },
    { "rewind", call_rewind, MOAT_ACCESS_FREE, { true, true }, true },
    { "reset", call_reset, MOAT_ACCESS_FREE, { true, true }, true },
    { "destroy", call_destroy, MOAT_ACCESS_FREE, { true, true }, true },
    { "check", call_check, MOAT_ACCESS_WRITE, { true, true }, false },
    { "stats", call_stats, MOAT_ACCESS_READ, { false, false }, false },
    { "walk", call_walk, MOAT_ACCESS_READ, { true, true }, false },
    { "dump as text", call_dump_text, MOAT_ACCESS_READ, { true, true }, false },
    { "dump in hex", call_dump_hex, MOAT_ACCESS_READ, { true, true }, false },
    { "dump as a map", call_dump_map, MOAT_ACCESS_READ, { true, true }, false },
    { "snapshot", call_snapshot, MOAT_ACCESS_READ, { true, true }, false },
    { "base", call_base, MOAT_ACCESS_UNKNOWN, { false, false }, false },
    { "limit", call_limit, MOAT_ACCESS_UNKNOWN, { false, false }, false },
    { "describe", call_describe, MOAT_ACCESS_UNKNOWN, { false, false },
      false },
};

enum { CALLS = sizeof calls / sizeof calls[0] };

/* A child's play: INSIDE is made by one thread, COMING by another. */
static const struct call *inside;
static const struct call *coming;
static bool is_locked;
static __thread bool is_inside;
static int parked[2];
static int released[2];
static _Atomic int coming_id;
static _Atomic bool has_returned;

static void end_wrongly(const char *why)
{
    dprintf(STDOUT_FILENO, "# %s while another is inside %s: %s\n",
            coming->name, inside->name, why);
    _exit(ENDED_WRONGLY);
}

/* The thread inside has met the page. All here is async-signal-safe. */
static void meet_page(int signal, siginfo_t *info, void *context)
{
    char byte = 0;
    uintptr_t address = (uintptr_t)info->si_addr;
    (void)signal;
    (void)context;
    if (address / page != (uintptr_t)block_inside / page) {
        end_wrongly("another fault");
    }
    if (is_inside
        && (write(parked[1], &byte, 1) != 1
            || read(released[0], &byte, 1) != 1)) {
        end_wrongly("a pipe");
    }
    mprotect((void *)(address / page * page), page, PROT_READ | PROT_WRITE);
}

static bool judge(const struct moat_finding *finding, void *unused)
{
    (void)unused;
    if (is_locked) {
        /* A block, a mark or the arena that the call before has ended. */
        bool is_stale = finding->kind == MOAT_KIND_BAD_FREE
                        || finding->kind == MOAT_KIND_DOUBLE_FREE
                        || finding->kind == MOAT_KIND_USE_AFTER_UNMAP;
        if (inside->ends && is_stale) {
            _exit(ENDED_STALE);
        }
        end_wrongly(moat_kind_name(finding->kind));
    }
    if (finding->kind != MOAT_KIND_DATA_RACE
        || finding->seen != MOAT_SEEN_AT_ACCESS
        || finding->access != coming->access
        || strcmp(finding->arena.name, "letters") != 0
        || strcmp(finding->actor.name, "coming") != 0
        || strcmp(finding->other.name, "inside") != 0
        || finding->stacks.fault.frames == 0
        || finding->stacks.other.frames == 0) {
        end_wrongly("a report that is not right");
    }
    _exit(ENDED_REPORTED);
}

static void *be_inside(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "inside");
    is_inside = true;
    inside->make(block_inside);
    return NULL;
}

static void *come(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "coming");
    coming_id = (int)syscall(SYS_gettid);
    bool is_right = coming->make(block_coming);
    if (!is_right && !inside->ends) {
        end_wrongly("a wrong result");
    }
    has_returned = true;
    return NULL;
}

/* Whether the thread that comes waits: for nothing but the arena. */
static bool is_asleep(void)
{
    char path[64];
    char line[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)coming_id);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = read(file, line, sizeof line - 1);
    close(file);
    return bytes > 0 && strstr(line, "(coming) S ") != NULL;
}

static int play(void)
{
    pthread_t threads[2];
    char byte = 0;
    /* A play that hangs is ended, and wrong. */
    alarm(60);
    page = (size_t)sysconf(_SC_PAGESIZE);
    create(is_locked ? MOAT_SHARING_LOCKED : MOAT_SHARING_NONE);
    mark = moat_arena_mark(arena);
    block_inside = moat_arena_calloc(arena, 1, 20);
    block_coming = moat_arena_calloc(arena, 1, 20);
    moat_set_report_hook(judge, NULL);
    struct sigaction action = { .sa_sigaction = meet_page,
                                .sa_flags = SA_SIGINFO };
    if (pipe(parked) != 0 || pipe(released) != 0
        || sigaction(SIGSEGV, &action, NULL) != 0
        || mprotect((void *)((uintptr_t)block_inside / page * page), page,
                    PROT_NONE)
               != 0) {
        return ENDED_WRONGLY;
    }
    pthread_create(&threads[0], NULL, be_inside, NULL);
    if (read(parked[0], &byte, 1) != 1) {
        return ENDED_WRONGLY;
    }
    pthread_create(&threads[1], NULL, come, NULL);
    while (!has_returned && !(coming_id != 0 && is_locked && is_asleep())) {
        sched_yield();
    }
    bool has_waited = !has_returned;
    if (!has_waited) {
        return ENDED_AT_ONCE;
    }
    if (write(released[1], &byte, 1) != 1) {
        return ENDED_WRONGLY;
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return ENDED_WAITED;
}

static int ending(void)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit(play());
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

/* What has to come of the two. */
static bool is_as_it_must_be(int ending)
{
    if (coming->access == MOAT_ACCESS_UNKNOWN) {
        return ending == ENDED_AT_ONCE;
    }
    if (is_locked) {
        return ending == ENDED_WAITED
               || (ending == ENDED_STALE && inside->ends);
    }
    bool only_look = inside->access == MOAT_ACCESS_READ
                     && coming->access == MOAT_ACCESS_READ;
    return ending == (only_look ? ENDED_AT_ONCE : ENDED_REPORTED);
}

static void play_all(void)
{
    for (int sharing = 0; sharing < 2; sharing++) {
        for (size_t i = 0; i < CALLS; i++) {
            char name[128];
            bool is_right = true;
            int plays = 0;
            is_locked = sharing == 1;
            coming = &calls[i];
            for (size_t j = 0; j < CALLS; j++) {
                inside = &calls[j];
                if (!inside->stops[layout]) {
                    continue;
                }
                int how = ending();
                plays++;
                if (!is_as_it_must_be(how)) {
                    printf("# %s while another is inside %s: %d\n",
                           coming->name, inside->name, how);
                    is_right = false;
                }
            }
            snprintf(name, sizeof name,
                     "%s while another thread is inside a call, %d of them, "
                     "%s",
                     coming->name, plays, is_locked ? "shared" : "not shared");
            result(is_right, name);
        }
    }
}

int main(int count, char **arguments)
{
    /* Moat reads its options when the program starts: start again. */
    if (getenv("MOAT_OPTIONS") == NULL) {
        setenv("MOAT_OPTIONS", "halt_on_error=0", 1);
        execv("/proc/self/exe", arguments);
        return 99;
    }
    layout = count > 1 && strcmp(arguments[1], "fenced") == 0
                 ? MOAT_LAYOUT_FENCED
                 : MOAT_LAYOUT_PACKED;
    play_all();
    printf("1..%d\n", number);
    return 0;
}
