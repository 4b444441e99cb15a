/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wiring; see runtime.h. */
#include "api/runtime.h"

#include "alloc/arena.h"
#include "alloc/arena_snapshot.h"
#include "alloc/arena_user.h"
#include "alloc/extent.h"
#include "alloc/shortfall.h"
#include "alloc/slots.h"
#include "api/heap.h"
#include "api/leaks.h"
#include "api/options.h"
#include "api/roots.h"
#include "api/stats.h"
#include "api/tally.h"
#include "api/trials.h"
#include "base/text.h"
#include "diagnose/fault.h"
#include "diagnose/report.h"
#include "os/address_space.h"
#include "os/checkers.h"
#include "os/output.h"
#include "os/process.h"
#include "os/revoke.h"
#include "os/streams.h"
#include "os/userfault.h"
#include "record/describe.h"
#include "record/state.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What is asked for; region_reserve() takes less where there is less. The
 * block records take the same again, and a process has 128 TiB on x86-64.
 */
#define REGION_BYTES ((size_t)8 << 40)

static struct options options;
static const struct revoke_way *way;

/* What the choices of the option alignment mean, in their order. */
static const size_t alignments[]
    = { 16, ARENA_ALIGNMENT_NATURAL, 1, 2, 4, 8, 16 };
_Atomic bool runtime_has_started;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *error_name(int error)
{
    const char *name = strerrorname_np(error);
    return name != NULL ? name : "unknown error";
}

/* "moat: WHAT: ERRNO; CONSEQUENCE" */
static void warn(const char *what, int error, const char *consequence)
{
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    text_string(&text, "warning: ");
    text_string(&text, what);
    text_string(&text, ": ");
    text_string(&text, error_name(error));
    text_string(&text, "; ");
    text_string(&text, consequence);
    output_message(text.buffer);
}

static bool is_strict(void)
{
    enum { REQUIRE_NOTHING, REQUIRE_STRICT };
    return options.require == REQUIRE_STRICT;
}

static _Noreturn void end_strictly(const char *reason)
{
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    text_string(&text, "error: require=strict: ");
    text_string(&text, reason);
    output_message(text.buffer);
    process_exit((int)options.exitcode);
}

/* MESSAGES are whole lines. */
static void say_lines(struct text *messages)
{
    char *line = messages->buffer;
    for (char *end = strchr(line, '\n'); end != NULL;
         end = strchr(line, '\n')) {
        *end = '\0';
        output_message(line);
        line = end + 1;
    }
}

static void read_options(void)
{
    char buffer[4096];
    struct text text = text_in(buffer, sizeof buffer);
    options_reset(&options);
    /* A set-user-id program must not write where its caller likes. */
    if (!process_is_privileged()
        && options_parse(&options, getenv("MOAT_OPTIONS"), &text) > 0) {
        say_lines(&text);
        output_message("MOAT_OPTIONS: using the defaults for these");
        if (is_strict()) {
            end_strictly("an option cannot be used");
        }
    }
    if (strcmp(options.log_path, "stderr") == 0) {
        options.log_path[0] = '\0';
    }
    if (options.log_path[0] != '\0') {
        int error = output_check_log(options.log_path);
        if (error != 0) {
            text = text_in(buffer, sizeof buffer);
            text_string(&text, "MOAT_OPTIONS: log_path ");
            text_printable(&text, options.log_path);
            warn(text.buffer, error, "reports go to standard error");
            options.log_path[0] = '\0';
        }
    }
    if (options.help) {
        text = text_in(buffer, sizeof buffer);
        text_string(&text, "MOAT_OPTIONS=key=value:key=value\n");
        options_help(&text);
        say_lines(&text);
    }
}

static void start_reports(void)
{
    enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
    bool is_to_log = options.log_path[0] != '\0';
    struct report_settings settings = {
        .exit_status = (int)options.exitcode,
        .has_halt = options.halt_on_error,
        .has_abort = options.abort_on_error,
        .is_colorful = options.color == COLOR_ALWAYS
                       || (options.color == COLOR_AUTO && !is_to_log
                           && output_is_colorful()),
        .log_path = options.log_path,
        .count = tally_reports(),
        .at_end = tally_add,
    };
    report_start(&settings);
}

static void before_fork(void)
{
    /* In the order in which they are taken: slots open windows. */
    arena_user_before_fork(&moat_state);
    slots_before_fork();
    extent_before_fork();
    arena_snapshot_before_fork();
}

static void after_fork_in_parent(void)
{
    arena_snapshot_after_fork_in_parent();
    extent_after_fork_in_parent();
    slots_after_fork_in_parent();
    arena_user_after_fork_in_parent();
}

static void after_fork_in_child(void)
{
    /* First: until then freed blocks read as zeroes here. */
    if (way->adopt != NULL) {
        way->adopt();
    }
    arena_snapshot_after_fork_in_child();
    extent_after_fork_in_child();
    slots_after_fork_in_child();
    report_after_fork_in_child();
    tally_after_fork_in_child();
    actor_forget_self_after_fork();
    arena_user_after_fork_in_child(&moat_state);
}

void runtime_start_child(void)
{
    int saved_errno = errno;
    if (runtime_is_started()) {
        after_fork_in_child();
    }
    errno = saved_errno;
}

static const struct revoke_way *choose_way(void)
{
    int refused;
    const struct revoke_way *chosen
        = revoke_choose((enum revoke_way_id)options.backend, &refused);
    static const struct {
        const char *what;
        const char *consequence;
    } refusals[] = {
        [REVOKE_MOVE] = { "backend=move: userfaultfd", "using a weaker way" },
        [REVOKE_DROP] = { "backend=drop: userfaultfd", "using a weaker way" },
        [REVOKE_GUARD] = { "backend=guard: madvise", "using mprotect" },
        [REVOKE_MPROTECT]
        = { "backend=mprotect: mprotect", "arenas will be refused" },
    };
    if (refused == REVOKE_UNPROVEN) {
        shortfall_note(revoke_prove(chosen) == 0 ? SHORTFALL_UNPROVEN
                                                 : SHORTFALL_NO_GUARDS);
    } else if (refused != 0 && options.backend != REVOKE_AUTO) {
        warn(refusals[options.backend].what, refused,
             refusals[options.backend].consequence);
        if (is_strict()) {
            end_strictly("the backend asked for does not work here");
        }
    }
    return chosen;
}

static void start(void)
{
    checkers_start();
    output_start();
    read_options();
    tally_start();
    start_reports();
    shortfall_start(is_strict(), (int)options.exitcode);
    int error = state_create(&moat_state, REGION_BYTES);
    if (error != 0) {
        warn("no address space can be reserved: mmap", error,
             "arenas will be refused");
        if (is_strict()) {
            end_strictly("nothing can be fenced");
        }
    }
    way = choose_way();
    /* Also without userfaultfd, which needs it: a child of vfork() must be
     * known. */
    address_space_start();
    struct arena_settings settings = {
        .way = way,
        .quarantine = options.quarantine,
        .placement = (enum fence_placement)options.placement,
        .alignment = alignments[options.alignment],
    };
    arena_start(&moat_state, &settings);
    struct slots_settings heap_settings = {
        .way = way,
        .quarantine = options.quarantine,
        .spare_pages = options.max_spare,
        .max_memory = options.max_memory,
        /* The first choice is auto. */
        .has_transfer = options.realloc == 0,
    };
    slots_start(&moat_state, &heap_settings);
    struct heap_settings malloc_settings = {
        .placement = settings.placement,
        .alignment = settings.alignment,
        .fill = (unsigned char)options.fill,
        .may_mismatch = !options.alloc_dealloc_mismatch,
    };
    heap_start(&malloc_settings);
    trials_start(&options);
    error = fault_catch(&moat_state, options.allow_user_segv_handler);
    if (error != 0) {
        warn("sigaction or the stack for reports", error,
             "faults will not be reported");
        if (is_strict()) {
            end_strictly("faults cannot be reported");
        }
    }
    error = pthread_atfork(before_fork, after_fork_in_parent,
                           after_fork_in_child);
    if (error != 0) {
        warn("pthread_atfork", error,
             "a child forked while another thread creates an arena may hang");
    }
    /* Thread T0 is the one that starts Moat. */
    actor_number_self(&moat_state.actors);
    if (options.verbosity > 0) {
        char buffer[128];
        struct text text = text_in(buffer, sizeof buffer);
        text_string(&text, "started; backend ");
        text_string(&text, way->name);
        text_string(&text, ", region of ");
        text_decimal(&text, moat_state.region.bytes >> 20);
        text_string(&text, " MiB");
        output_message(text.buffer);
    }
    atomic_store_explicit(&runtime_has_started, true, memory_order_release);
}

void runtime_start_once(void)
{
    pthread_once(&once, start);
}

/* glibc calls constructors with the arguments of main(). */
__attribute__((constructor)) static void
start_with_the_program(int argument_count, char **arguments, char **variables)
{
    int saved_errno = errno;
    (void)argument_count;
    (void)arguments;
    if (environ == NULL) {
        /* The preload library comes first, before libc itself. */
        environ = variables;
    }
    runtime_start();
    errno = saved_errno;
}

site_id runtime_site(const void *return_address)
{
    uintptr_t frame = (uintptr_t)return_address;
    return site_intern(&moat_state.sites, &frame, 1);
}

bool runtime_is_living(const struct moat_arena *arena)
{
    return arena_is_record(&moat_state.arenas, arena)
           && arena_state_of(arena) == ARENA_LIVE;
}

bool runtime_is_destroyed(const struct moat_arena *arena)
{
    return arena_is_record(&moat_state.arenas, arena)
           && arena_state_of(arena) == ARENA_DESTROYED;
}

void runtime_report(struct moat_finding *finding, const void *caller)
{
    describe_self(&moat_state, finding);
    finding->pc = caller;
    if (caller != NULL) {
        finding->stacks.fault = (struct moat_stack){ .frames = 1,
                                                     .is_return_address = true,
                                                     .frame = { caller } };
    }
    report_claim();
    report_write(finding);
    report_release();
}

void runtime_halt(void)
{
    if (report_must_halt() || report_must_abort()) {
        /* Nobody else starts a report now, nor is one cut in half. */
        report_claim();
        report_end_process();
    }
}

size_t runtime_sweep(struct moat_arena *arena, enum moat_seen seen,
                     const void *caller)
{
    return runtime_sweep_behind(arena, 0, seen, caller);
}

size_t runtime_sweep_behind(struct moat_arena *arena, size_t blocks,
                            enum moat_seen seen, const void *caller)
{
    struct arena_sweep sweep = arena_sweep_behind(arena, blocks);
    struct moat_finding finding;
    size_t damaged = 0;
    unsigned long last = 0;
    while (arena_next_damage(arena, &sweep, seen, &finding)) {
        /* One block may have damage on both sides. */
        damaged += finding.block.number != last;
        last = finding.block.number;
        runtime_report(&finding, caller);
    }
    return damaged;
}

int runtime_catch_faults(void)
{
    runtime_start();
    return fault_catch(&moat_state, options.allow_user_segv_handler);
}

static void sweep_at_exit(struct moat_arena *arena, void *damaged)
{
    *(size_t *)damaged += runtime_sweep(arena, MOAT_SEEN_AT_EXIT, NULL);
}

__attribute__((noinline)) static void
check_seen_from(const struct leak_caller *caller)
{
    userfault_look();
    if (options.stats) {
        stats_say(way->name);
    }
    size_t damaged = 0;
    extent_each_living(sweep_at_exit, &damaged);
    if (options.detect_leaks) {
        damaged += leaks_report(caller);
    }
    tally_add();
    if (damaged > 0) {
        /* exit() writes out what stdio still holds after this; _exit() would
         * lose it. */
        streams_flush();
        runtime_halt();
    }
    roots_end();
}

__attribute__((destructor)) static void check_at_exit(void)
{
    struct leak_caller caller;
    LEAK_CALLER(&caller);
    check_seen_from(&caller);
}
