/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaks; see leaks.h. */
#include "api/leaks.h"

#include "api/arena_use.h"
#include "api/runtime.h"
#include "base/text.h"
#include "diagnose/leak.h"
#include "diagnose/symbol.h"
#include "os/output.h"
#include "record/describe.h"

#include <errno.h>
#include <string.h>

static bool is_held(const struct leak_block *block)
{
    return block_reach(&block->record) == BLOCK_LEAKED_WITH_OTHERS;
}

static void write_block(const struct leak_block *block, FILE *out)
{
    char place[512];
    struct text text = text_in(place, sizeof place);
    struct moat_stack stack;
    describe_site(&moat_state, block->record.alloc_site, &stack);
    if (stack.frames != 0) {
        /* A return address is one call further than the call. */
        symbol_locate(&text, (uintptr_t)stack.frame[0] - 1);
    } else {
        text_string(&text, "(unknown)");
    }
    fprintf(out,
            "  block #%zu, %zu bytes (arena offset 0x%zx): leaked%s, "
            "allocated at %s\n",
            block->number, block->record.bytes, block->record.arena_offset,
            is_held(block) ? " with blocks that refer to it" : "", place);
}

/* "1 thread", "2 threads" */
static void add_threads(struct text *text, size_t count)
{
    text_decimal(text, count);
    text_string(text, count == 1 ? " thread" : " threads");
    text_string(text, " could not be stopped; what only registers of such a "
                      "thread refer to counts as leaked");
}

static void write_result(const struct leak_result *result, FILE *out)
{
    for (size_t i = 0; i < result->leaked_blocks; i++) {
        write_block(&result->blocks[i], out);
    }
    fprintf(out, "  %zu leaked (%zu bytes), %zu still reachable (%zu bytes)\n",
            result->leaked_blocks, result->leaked_bytes,
            result->reachable_blocks, result->reachable_bytes);
    if (result->threads_left_out != 0) {
        char buffer[160];
        struct text text = text_in(buffer, sizeof buffer);
        add_threads(&text, result->threads_left_out);
        fprintf(out, "  %s\n", buffer);
    }
}

size_t leaks_write(const struct moat_arena *arena, FILE *out,
                   const struct leak_caller *caller,
                   const void *return_address)
{
    struct moat_arena *used = (struct moat_arena *)arena;
    enum arena_use use
        = arena_use_begin(used, MOAT_ACCESS_READ,
                          runtime_site(return_address), return_address);
    if (use == ARENA_USE_NONE) {
        errno = EINVAL;
        return 0;
    }
    struct leak_result result;
    int error = leak_search(&moat_state, arena, caller, &result);
    arena_use_end(used, use);
    if (error != 0) {
        if (out != NULL) {
            fprintf(out, "  no search for leaks: %s\n",
                    strerrorname_np(error));
        }
        errno = error;
        return 0;
    }
    if (out != NULL) {
        write_result(&result, out);
    }
    size_t leaked = result.leaked_blocks;
    leak_forget(&result);
    return leaked;
}

/* Report COUNT blocks of one place, from FIRST on. */
static void report_place(const struct leak_block *first, size_t count)
{
    struct moat_finding finding;
    describe_start(&finding, MOAT_KIND_MEMORY_LEAK, MOAT_ACCESS_UNKNOWN,
                   MOAT_SEEN_AT_EXIT, first->record.start);
    describe_copy(&moat_state, &first->record, first->number, &finding);
    finding.leak.blocks = count;
    for (size_t i = 0; i < count; i++) {
        finding.leak.bytes += first[i].record.bytes;
        finding.leak.held_blocks += is_held(&first[i]);
    }
    runtime_report(&finding, NULL);
}

static void say_shortcomings(int error, size_t threads_left_out)
{
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    text_string(&text, "detect_leaks: ");
    if (error != 0) {
        text_string(&text, "leaks could not be searched for: ");
        text_string(&text, error == EPERM
                               ? "the program has given up system calls"
                               : strerrorname_np(error));
        output_message(text.buffer);
    } else if (threads_left_out != 0) {
        add_threads(&text, threads_left_out);
        output_message(text.buffer);
    }
}

size_t leaks_report(const struct leak_caller *caller)
{
    struct leak_result result;
    size_t reports = 0;
    int error = leak_search(&moat_state, NULL, caller, &result);
    say_shortcomings(error,
                     result.leaked_blocks != 0 ? result.threads_left_out : 0);
    leak_sort_by_site(&result);
    for (size_t i = 0; i < result.leaked_blocks;) {
        const struct leak_block *first = &result.blocks[i];
        size_t count = 1;
        while (i + count < result.leaked_blocks
               && first[count].record.alloc_site == first->record.alloc_site) {
            count++;
        }
        report_place(first, count);
        reports++;
        i += count;
    }
    leak_forget(&result);
    return reports;
}
