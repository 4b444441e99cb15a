/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The search; see leak.h. */
#include "diagnose/leak.h"

#include "base/size.h"
#include "base/sort.h"
#include "diagnose/fault.h"
#include "diagnose/report.h"
#include "os/context.h"
#include "os/others.h"
#include "os/own_memory.h"
#include "os/pagemap.h"
#include "os/pages.h"
#include "os/peek.h"
#include "record/live.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum {
    WORD = sizeof(uintptr_t),
    BUFFER_BYTES = 256 * 1024,
    STACK_BYTES = 64 * 1024,
    /* Blocks from here on may be sparse: only pages that are there are read. */
    LARGE_BYTES = 64 * 1024,
    /* Each thread has up to two. */
    GAPS_A_THREAD = 3
};

static _Atomic bool is_forbidden;

void leak_forbid(void)
{
    atomic_store(&is_forbidden, true);
}

/* On a multiple of 16, since its stack ends where it starts. */
struct search {
    const struct moat_state *state;
    /* Whose leaks are wanted, from where, and which there are. */
    const struct moat_arena *arena;
    const struct leak_caller *caller;
    struct leak_result *result;
    struct peek peek;
    struct pagemap pagemap;
    struct leak_gaps gaps;
    /* Blocks that were reached and not looked into yet. */
    struct block_record **waiting;
    size_t waiting_count;
    /* Whether blocks that were not reached are looked into now. */
    bool is_among_leaked;
    int error;
    /* What is copied next, and of which blocks; NULL: of a root. */
    struct peek_piece pieces[PEEK_PIECES];
    const struct block_record *holders[PEEK_PIECES];
    size_t piece_count;
    size_t buffered;
    _Alignas(64) char buffer[BUFFER_BYTES];
};

/* HOLDER has WORD in it. */
static void look_at_word(struct search *search,
                         const struct block_record *holder, uintptr_t word)
{
    if (!region_contains(&search->state->region, word)) {
        return;
    }
    struct block_record *block = live_at(search->state, word);
    if (block == NULL || block == holder
        || block_reach(block) != BLOCK_UNREACHED) {
        return;
    }
    if (search->is_among_leaked) {
        block_set_reach(block, BLOCK_LEAKED_WITH_OTHERS);
    } else {
        block_set_reach(block, BLOCK_REACHED);
        search->waiting[search->waiting_count++] = block;
    }
}

static void look_at_words(struct search *search,
                          const struct block_record *holder,
                          const char *bytes, size_t count)
{
    for (size_t at = 0; at + WORD <= count; at += WORD) {
        uintptr_t word;
        memcpy(&word, bytes + at, WORD);
        look_at_word(search, holder, word);
    }
}

static void look_at_pieces(struct search *search)
{
    peek_copy(&search->peek, search->pieces, search->piece_count);
    for (size_t i = 0; i < search->piece_count; i++) {
        const struct peek_piece *piece = &search->pieces[i];
        const char *copy = piece->copy;
        look_at_words(search, search->holders[i], copy, piece->bytes);
        /* A block of odd size ends at its guard page: words count from its
         * start, and from where the processor has them. */
        size_t odd = piece->start % WORD;
        if (odd != 0 && piece->bytes > WORD - odd) {
            look_at_words(search, search->holders[i], copy + WORD - odd,
                          piece->bytes - (WORD - odd));
        }
    }
    search->piece_count = 0;
    search->buffered = 0;
}

static void add_piece(struct search *search,
                      const struct block_record *holder, uintptr_t start,
                      size_t bytes)
{
    size_t room = size_round_up(bytes, WORD);
    if (search->piece_count == PEEK_PIECES
        || search->buffered + room > BUFFER_BYTES) {
        look_at_pieces(search);
    }
    search->pieces[search->piece_count] = (struct peek_piece){
        .start = start,
        .bytes = bytes,
        .copy = search->buffer + search->buffered,
    };
    search->holders[search->piece_count++] = holder;
    search->buffered += room;
}

static void add_run(struct search *search, const struct block_record *holder,
                    uintptr_t start, uintptr_t end)
{
    while (start < end) {
        size_t bytes = end - start < BUFFER_BYTES ? end - start : BUFFER_BYTES;
        add_piece(search, holder, start, bytes);
        start += bytes;
    }
}

/* What is there of the pages from START to END. */
static void add_pages(struct search *search,
                      const struct block_record *holder, uintptr_t start,
                      uintptr_t end, bool is_own_copy)
{
    size_t page_bytes = search->state->page_bytes;
    uintptr_t run = start;
    while (start < end) {
        uintptr_t next = size_round_down(start, page_bytes) + page_bytes;
        struct pagemap_page page;
        int error = pagemap_look(&search->pagemap,
                                 size_round_down(start, page_bytes), &page);
        if (error != 0) {
            search->error = error;
            return;
        }
        if (!page.is_there || (is_own_copy && page.is_of_file)) {
            add_run(search, holder, run, start);
            run = next;
        }
        start = next;
    }
    add_run(search, holder, run, end);
}

static void add_root(uintptr_t start, uintptr_t end, bool is_own_copy,
                     void *context)
{
    add_pages(context, NULL, start, end, is_own_copy);
}

static void add_block(struct search *search, const struct block_record *block)
{
    uintptr_t at = block->start;
    uintptr_t end = at + block->bytes;
    uintptr_t start;
    uintptr_t stop;
    while (leak_gaps_next(&search->gaps, &at, end, &start, &stop)) {
        if (stop - start < LARGE_BYTES) {
            add_piece(search, block, start, stop - start);
        } else {
            add_pages(search, block, start, stop, false);
        }
    }
}

/* Whether there is something to look at. */
static bool look_further(struct search *search)
{
    if (search->waiting_count > 0) {
        add_block(search, search->waiting[--search->waiting_count]);
        return true;
    }
    if (search->piece_count > 0) {
        look_at_pieces(search);
        return true;
    }
    return false;
}

static void find_reached(struct search *search)
{
    search->is_among_leaked = false;
    leak_roots_each(search->state, search->caller, &search->gaps, add_root,
                    search);
    while (search->error == 0 && look_further(search)) {
    }
}

static void find_leaked(struct search *search)
{
    struct live_walk walk = { .arena = 0 };
    search->is_among_leaked = true;
    while (search->error == 0 && live_next(search->state, &walk)) {
        if (block_reach(walk.block) != BLOCK_REACHED) {
            add_block(search, walk.block);
        }
    }
    look_at_pieces(search);
    walk = (struct live_walk){ .arena = 0 };
    while (live_next(search->state, &walk)) {
        if (block_reach(walk.block) == BLOCK_UNREACHED) {
            block_set_reach(walk.block, BLOCK_LEAKED);
        }
    }
}

/* Forget what the last search has found. Returns how many blocks live. */
static size_t start_anew(const struct moat_state *state)
{
    struct live_walk walk = { .arena = 0 };
    size_t count = 0;
    while (live_next(state, &walk)) {
        block_set_reach(walk.block, BLOCK_UNREACHED);
        count++;
    }
    return count;
}

static bool is_of(const struct live_walk *walk, const struct moat_arena *arena)
{
    return arena == NULL ? walk->owner->is_heap : walk->owner == arena;
}

static int collect(const struct moat_state *state,
                   const struct moat_arena *arena, struct leak_result *result)
{
    struct live_walk walk = { .arena = 0 };
    while (live_next(state, &walk)) {
        bool is_leaked = block_is_leaked(walk.block);
        if (is_of(&walk, arena)) {
            result->leaked_blocks += is_leaked;
            result->leaked_bytes += is_leaked ? walk.block->bytes : 0;
            result->reachable_blocks += !is_leaked;
            result->reachable_bytes += is_leaked ? 0 : walk.block->bytes;
        }
    }
    if (result->leaked_blocks == 0) {
        return 0;
    }
    uintptr_t start;
    result->mapped_bytes
        = size_round_up(result->leaked_blocks * sizeof *result->blocks,
                        state->page_bytes);
    int error = pages_map(result->mapped_bytes, "moat leaks", &start);
    if (error != 0) {
        return error;
    }
    result->blocks = (struct leak_block *)start;
    walk = (struct live_walk){ .arena = 0 };
    for (size_t i = 0; i < result->leaked_blocks && live_next(state, &walk);) {
        if (is_of(&walk, arena) && block_is_leaked(walk.block)) {
            memcpy(&result->blocks[i].record, walk.block,
                   sizeof result->blocks[i].record);
            result->blocks[i++].number = live_number(&walk);
        }
    }
    return 0;
}

/*
 * All others are stopped, and this goes on on a stack of its own: on the
 * thread's it would leave addresses of leaked blocks, for the next search to
 * find.
 */
static void search_on_own_stack(void *context)
{
    struct search *search = context;
    int error = pagemap_open(&search->pagemap);
    if (error == 0) {
        peek_open(&search->peek);
        if (!leak_roots_find_gaps(search->state, search->caller,
                                  &search->gaps)) {
            search->error = ENOENT;
        }
        leak_gaps_sort(&search->gaps);
        find_reached(search);
        find_leaked(search);
        error = search->error;
        peek_close(&search->peek);
        pagemap_close(&search->pagemap);
    }
    search->error
        = error != 0 ? error
                     : collect(search->state, search->arena, search->result);
}

/* One mapping: the stack, the search, gaps, room for each live block to wait.
 */
static int map_search(const struct moat_state *state, uintptr_t *start,
                      size_t *bytes, struct search **search)
{
    size_t blocks = start_anew(state);
    size_t gaps = OWN_MEMORY_MOST + 2 + GAPS_A_THREAD * (others_count() + 2);
    *bytes = size_round_up(STACK_BYTES + sizeof **search
                               + gaps * sizeof(struct leak_gap)
                               + blocks * sizeof(struct block_record *),
                           state->page_bytes);
    int error = pages_map(*bytes, "moat search", start);
    if (error == 0) {
        *search = (struct search *)(*start + STACK_BYTES);
        (*search)->state = state;
        (*search)->gaps.gaps = (struct leak_gap *)(*search + 1);
        (*search)->gaps.capacity = gaps;
        (*search)->waiting
            = (struct block_record **)((*search)->gaps.gaps + gaps);
        leak_gaps_add(&(*search)->gaps, *start, *start + *bytes);
    }
    return error;
}

static int search_while_stopped(const struct moat_state *state,
                                const struct moat_arena *arena,
                                const struct leak_caller *caller,
                                struct leak_result *result)
{
    uintptr_t start;
    size_t bytes;
    struct search *search;
    int error = map_search(state, &start, &bytes, &search);
    if (error != 0) {
        return error;
    }
    search->arena = arena;
    search->caller = caller;
    search->result = result;
    context_call_on_stack(search_on_own_stack, search, (uintptr_t)search);
    error = search->error;
    pages_unmap(start, bytes);
    return error;
}

int leak_search(const struct moat_state *state, const struct moat_arena *arena,
                const struct leak_caller *caller, struct leak_result *result)
{
    size_t left_out = 0;
    memset(result, 0, sizeof *result);
    if (atomic_load(&is_forbidden)) {
        return EPERM;
    }
    /* The owner of a report is not on a stack on which it could be stopped;
     * and so searches come one after the other. */
    report_claim();
    int error = others_stop(fault_is_caught(), &left_out);
    if (error == 0) {
        error = search_while_stopped(state, arena, caller, result);
        others_go_on();
    }
    report_release();
    if (error != 0) {
        memset(result, 0, sizeof *result);
    }
    result->threads_left_out = left_out;
    return error;
}

void leak_forget(struct leak_result *result)
{
    if (result->blocks != NULL) {
        pages_unmap((uintptr_t)result->blocks, result->mapped_bytes);
        result->blocks = NULL;
    }
}

static bool comes_behind(const void *one, const void *other)
{
    const struct leak_block *a = one;
    const struct leak_block *b = other;
    return a->record.alloc_site != b->record.alloc_site
               ? a->record.alloc_site > b->record.alloc_site
               : a->number > b->number;
}

void leak_sort_by_site(struct leak_result *result)
{
    sort_records(result->blocks, result->leaked_blocks, sizeof *result->blocks,
                 comes_behind);
}
