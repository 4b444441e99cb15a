/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diagnose/report_text: the words of a report, golden. */
#include "diagnose/report_text.h"

#include "tests/support/unit.h"

#include <stdio.h>
#include <string.h>

static char buffer[8192];
static struct moat_finding finding;

static void locate(struct text *text, uintptr_t address)
{
    text_string(text, "prog+");
    text_hex(text, address & 0xfff);
}

static const char *report(bool is_colorful)
{
    struct text text = text_in(buffer, sizeof buffer);
    struct report_style style = { .is_colorful = is_colorful,
                                  .locate = locate };
    report_text(&text, &finding, &style);
    return buffer;
}

static struct moat_actor actor(unsigned thread, int pid, const char *name)
{
    struct moat_actor actor = { .is_known = true, .thread = thread,
                                .pid = pid };
    strncpy(actor.name, name, sizeof actor.name - 1);
    return actor;
}

static struct moat_stack stack(uintptr_t address, bool is_return_address)
{
    return (struct moat_stack){ .frames = 1,
                                .is_return_address = is_return_address,
                                .frame = { (const void *)address } };
}

static void set_up(void)
{
    memset(&finding, 0, sizeof finding);
    finding.kind = MOAT_KIND_HEAP_BUFFER_OVERFLOW;
    finding.access = MOAT_ACCESS_WRITE;
    finding.has_address = true;
    finding.address = (const void *)0x7e0000001020;
    finding.pid = 4242;
    finding.actor = actor(1, 4242, "09b");
    finding.stacks.fault = stack(0x5500000001c9, false);
    finding.block.number = 3;
    finding.block.size = 32;
    finding.block.start = (const void *)0x7e0000001000;
    finding.block.allocated_by = actor(0, 4242, "09b");
    finding.stacks.alloc = stack(0x550000000200, true);
    strcpy(finding.arena.name, "leak tracer");
    finding.arena.base = (const void *)0x7e0000000fa0;
    finding.arena.bytes = 0x1000;
    finding.arena.capacity = 0x100;
    finding.arena.offset = 0x80;
    finding.distance.where = MOAT_WHERE_AFTER;
}

START_TEST(an_overflow_at_access_reads_like_this)
{
    ck_assert_str_eq(
        report(false),
        "==4242==ERROR: moat: heap-buffer-overflow on address "
        "0x7e0000001020 at pc 0x5500000001c9, seen at access\n"
        "WRITE at 0x7e0000001020, 0 bytes after the end of 32-byte block #3 "
        "[0x7e0000001000,0x7e0000001020) in arena \"leak tracer\" "
        "(arena offset 0x80 of 0x100)\n"
        "    #0 0x5500000001c9 prog+0x1c9\n"
        "in thread T1 (pid 4242, \"09b\")\n"
        "block #3 was allocated by thread T0 (pid 4242, \"09b\") here:\n"
        "    #0 0x5500000001ff prog+0x1ff\n"
        "SUMMARY: moat: heap-buffer-overflow prog+0x1c9\n");
}
END_TEST

START_TEST(damage_seen_at_exit_names_the_bytes_and_no_pc)
{
    finding.seen = MOAT_SEEN_AT_EXIT;
    finding.stacks.fault.frames = 0;
    finding.damage_ranges = 2;
    finding.damage[0] = (struct moat_damage){
        .start = finding.address, .bytes = 1, .distance = 0,
        .where = MOAT_WHERE_AFTER, .found_bytes = 1, .found = "!"
    };
    finding.damage[1] = (struct moat_damage){
        .start = (const void *)0x7e0000001024, .bytes = 40, .distance = 4,
        .where = MOAT_WHERE_AFTER, .found_bytes = 3, .found = "a\nb"
    };
    finding.has_more_damage = true;
    const char *text = report(false);
    ck_assert_ptr_nonnull(
        strstr(text, "on address 0x7e0000001020, seen at exit\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "damage: 1 byte at [0x7e0000001020,0x7e0000001021), 0 "
                     "bytes after the end of the block: 21 \"!\"\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "damage: 40 bytes at [0x7e0000001024,0x7e000000104c), 4 "
                     "bytes after the end of the block: 61 0a 62 \"a.b\" "
                     "...\n"));
    ck_assert_ptr_nonnull(strstr(text, "damage: more of it further on\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "SUMMARY: moat: heap-buffer-overflow prog+0x1ff\n"));
}
END_TEST

START_TEST(a_use_of_null_names_what_was_refused_and_the_seed)
{
    finding.kind = MOAT_KIND_NULL_DEREFERENCE;
    finding.refused.number = 17;
    finding.refused.size = 64;
    finding.refused.asked_by = actor(0, 4242, "09b");
    finding.stacks.refused = stack(0x550000000300, true);
    finding.seed = 18446744073709551615ul;
    ck_assert_ptr_nonnull(
        strstr(report(false),
               "\nthe last allocation that was refused, #17 of 64 bytes, was "
               "asked for by thread T0 (pid 4242, \"09b\") here:\n"
               "    #0 0x5500000002ff prog+0x2ff\n"
               "chance played a part: seed=18446744073709551615\n"
               "SUMMARY: "));
    strcpy(finding.refused.arena, "letters");
    ck_assert_ptr_nonnull(
        strstr(report(false),
               "\nthe last allocation that was refused, #17 of 64 bytes in "
               "arena \"letters\", was asked for by thread T0 (pid 4242, "
               "\"09b\") here:\n"));
    finding.refused.arena[0] = '\0';
    finding.refused.asked_by.is_known = false;
    finding.stacks.refused.frames = 0;
    finding.seed = 0;
    finding.refused.size = 1;
    ck_assert_ptr_nonnull(
        strstr(report(false), "#17 of 1 byte, was asked for\nSUMMARY: "));
}
END_TEST

static const struct {
    enum moat_where where;
    const char *words;
} relations[] = {
    { MOAT_WHERE_AFTER, ", 5 bytes after the end of 32-byte block #3 [" },
    { MOAT_WHERE_BEFORE, ", 5 bytes before the start of 32-byte block #3 [" },
    { MOAT_WHERE_INSIDE, ", 5 bytes inside 32-byte block #3 [" },
};

START_TEST(the_relation_is_a_contract)
{
    finding.distance.where = relations[_i].where;
    finding.distance.bytes = 5;
    ck_assert_ptr_nonnull(strstr(report(false), relations[_i].words));
}
END_TEST

static const struct {
    enum moat_seen seen;
    const char *words;
} moments[] = {
    { MOAT_SEEN_AT_ACCESS, ", seen at access\n" },
    { MOAT_SEEN_AT_FREE, ", seen at free\n" },
    { MOAT_SEEN_AT_CHECK, ", seen at check\n" },
    { MOAT_SEEN_AT_DESTROY, ", seen at destroy\n" },
    { MOAT_SEEN_AT_EXIT, ", seen at exit\n" },
    { MOAT_SEEN_AT_RESET, ", seen at reset\n" },
};

START_TEST(each_moment_has_its_word)
{
    finding.seen = moments[_i].seen;
    ck_assert_ptr_nonnull(strstr(report(false), moments[_i].words));
}
END_TEST

static const struct {
    enum moat_access access;
    const char *words;
} accesses[] = {
    { MOAT_ACCESS_UNKNOWN, "\nACCESS at 0x7e" },
    { MOAT_ACCESS_READ, "\nREAD at 0x7e" },
    { MOAT_ACCESS_WRITE, "\nWRITE at 0x7e" },
    { MOAT_ACCESS_FREE, "\nFREE of 0x7e" },
    { MOAT_ACCESS_CREATE, "\nCREATE at 0x7e" },
    { MOAT_ACCESS_ALLOC, "\nALLOC from 0x7e" },
};

START_TEST(each_access_has_its_word)
{
    finding.access = accesses[_i].access;
    ck_assert_ptr_nonnull(strstr(report(false), accesses[_i].words));
}
END_TEST

START_TEST(a_freed_block_in_a_destroyed_arena_has_its_whole_history)
{
    finding.kind = MOAT_KIND_USE_AFTER_UNMAP;
    finding.block.is_freed = true;
    finding.block.freed_by = actor(2, 4243, "worker");
    finding.stacks.free = stack(0x550000000300, true);
    finding.arena.is_destroyed = true;
    finding.arena.created_by = actor(0, 4242, "09b");
    finding.stacks.create = stack(0x550000000400, true);
    finding.arena.destroyed_by = actor(3, 4242, "09b");
    finding.stacks.destroy = stack(0x550000000500, true);
    ck_assert_ptr_nonnull(strstr(
        report(false),
        "it was freed by thread T2 (pid 4243, \"worker\") here:\n"
        "    #0 0x5500000002ff prog+0x2ff\n"
        "arena \"leak tracer\" was created by thread T0 (pid 4242, \"09b\") "
        "here:\n"
        "    #0 0x5500000003ff prog+0x3ff\n"
        "it was destroyed by thread T3 (pid 4242, \"09b\") here:\n"
        "    #0 0x5500000004ff prog+0x4ff\n"));
}
END_TEST

START_TEST(a_stack_overflow_names_the_thread)
{
    struct moat_actor thread = finding.actor;
    memset(&finding.block, 0, sizeof finding.block);
    memset(&finding.arena, 0, sizeof finding.arena);
    finding.stacks.alloc.frames = 0;
    finding.kind = MOAT_KIND_STACK_OVERFLOW;
    finding.actor = thread;
    ck_assert_ptr_nonnull(
        strstr(report(false), "WRITE at 0x7e0000001020, at the end of the "
                              "stack of thread T1 (pid 4242, \"09b\")\n"));
}
END_TEST

START_TEST(faults_that_no_arena_explains_say_so)
{
    memset(&finding.block, 0, sizeof finding.block);
    memset(&finding.arena, 0, sizeof finding.arena);
    finding.kind = MOAT_KIND_NULL_DEREFERENCE;
    finding.address = (const void *)8;
    ck_assert_ptr_nonnull(
        strstr(report(false), "WRITE at 0x8, 8 bytes from NULL\n"));
    finding.kind = MOAT_KIND_SEGV;
    ck_assert_ptr_nonnull(
        strstr(report(false), "WRITE at 0x8, which no arena holds\n"));
    finding.has_address = false;
    ck_assert_ptr_nonnull(
        strstr(report(false), "segv on unknown address at pc "));
}
END_TEST

START_TEST(an_overlap_names_both_arenas)
{
    memset(&finding.block, 0, sizeof finding.block);
    finding.kind = MOAT_KIND_ARENA_OVERLAP;
    finding.access = MOAT_ACCESS_CREATE;
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.requested.is_known = true;
    finding.requested.is_arena = true;
    strcpy(finding.requested.name, "newcomer");
    finding.requested.capacity = 64;
    const char *text = report(false);
    ck_assert_ptr_nonnull(strstr(text, "0 bytes inside arena \"leak tracer\" "
                                       "[0x7e0000000fa0,0x7e0000001fa0)"));
    ck_assert_ptr_nonnull(strstr(text, "that is where arena \"newcomer\" of "
                                       "capacity 0x40 was to be created\n"));
}
END_TEST

START_TEST(freeing_into_another_arena_names_that_too)
{
    finding.kind = MOAT_KIND_BAD_FREE;
    finding.access = MOAT_ACCESS_FREE;
    finding.requested.is_known = true;
    finding.requested.base = (const void *)0x1234;
    ck_assert_ptr_nonnull(
        strstr(report(false),
               "it was to be freed in 0x1234, which is no arena\n"));
    finding.requested.is_arena = true;
    strcpy(finding.requested.name, "other");
    ck_assert_ptr_nonnull(
        strstr(report(false),
               "it was to be freed in arena \"other\", which starts at "
               "0x1234\n"));
}
END_TEST

START_TEST(an_offset_in_front_of_the_arena_is_negative)
{
    finding.arena.offset = -1;
    ck_assert_ptr_nonnull(
        strstr(report(false), "(arena offset -0x1 of 0x100)"));
}
END_TEST

START_TEST(names_cannot_reach_the_terminal)
{
    strcpy(finding.arena.name, "a\033[2Jb\n");
    const char *text = report(false);
    ck_assert_ptr_nonnull(strstr(text, "arena \"a?[2Jb?\""));
    ck_assert_ptr_null(strchr(text, '\033'));
}
END_TEST

START_TEST(colour_is_for_the_first_line)
{
    const char *text = report(true);
    ck_assert_int_eq(strncmp(text, "\033[1;31m==4242==ERROR", 19), 0);
    ck_assert_ptr_nonnull(strstr(text, "seen at access\033[0m\nWRITE"));
    ck_assert_ptr_null(strchr(strstr(text, "\033[0m") + 1, '\033'));
}
END_TEST

START_TEST(a_report_that_does_not_fit_is_cut)
{
    char small[100];
    struct text text = text_in(small, sizeof small);
    struct report_style style = { .locate = locate };
    report_text(&text, &finding, &style);
    ck_assert(text.is_truncated);
    ck_assert_uint_eq(strlen(small), sizeof small - 1);
}
END_TEST

/*
 * One finding of each kind, and its report. Who allocated is not known here,
 * as with full tables.
 */
static void set_overflow(void)
{
    finding.stacks.alloc.frames = 0;
    finding.block.allocated_by.is_known = false;
}

static void set_underflow(void)
{
    set_overflow();
    finding.access = MOAT_ACCESS_READ;
    finding.address = (const void *)0x7e0000000fff;
    finding.arena.offset = 0x5f;
    finding.distance.where = MOAT_WHERE_BEFORE;
    finding.distance.bytes = 1;
}

static void set_use_after_free(void)
{
    set_overflow();
    finding.block.is_freed = true;
    finding.block.freed_by = actor(1, 4242, "09b");
    finding.stacks.free = stack(0x550000000300, true);
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.distance.bytes = 31;
}

static void set_use_after_unmap(void)
{
    set_overflow();
    finding.arena.is_destroyed = true;
    finding.arena.destroyed_by = actor(1, 4242, "09b");
    finding.stacks.destroy = stack(0x550000000300, true);
}

static void set_use_after_reset(void)
{
    set_overflow();
    finding.access = MOAT_ACCESS_READ;
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.distance.bytes = 5;
    finding.arena.is_reset = true;
    finding.arena.reset_by = actor(1, 4242, "09b");
    finding.stacks.reset = stack(0x550000000300, true);
}

static void set_double_free(void)
{
    set_use_after_free();
    finding.access = MOAT_ACCESS_FREE;
    finding.seen = MOAT_SEEN_AT_FREE;
    finding.address = finding.block.start;
    finding.distance.bytes = 0;
}

static void set_bad_free(void)
{
    set_overflow();
    finding.access = MOAT_ACCESS_FREE;
    finding.seen = MOAT_SEEN_AT_FREE;
    memset(&finding.block, 0, sizeof finding.block);
    memset(&finding.arena, 0, sizeof finding.arena);
}

static void set_overlap(void)
{
    memset(&finding.block, 0, sizeof finding.block);
    finding.stacks.alloc.frames = 0;
    finding.access = MOAT_ACCESS_CREATE;
    finding.address = finding.arena.base;
    finding.arena.offset = 0;
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.requested.is_known = true;
    finding.requested.is_arena = true;
    finding.requested.capacity = 64;
    strcpy(finding.requested.name, "new");
}

static void set_mismatch(void)
{
    memset(&finding.arena, 0, sizeof finding.arena);
    finding.access = MOAT_ACCESS_FREE;
    finding.seen = MOAT_SEEN_AT_FREE;
    finding.address = finding.block.start;
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.mismatch.allocated_by = MOAT_FAMILY_NEW_ARRAY;
    finding.mismatch.freed_by = MOAT_FAMILY_MALLOC;
}

static void set_data_race(void)
{
    memset(&finding.block, 0, sizeof finding.block);
    finding.access = MOAT_ACCESS_ALLOC;
    finding.seen = MOAT_SEEN_AT_ACCESS;
    finding.address = finding.arena.base;
    finding.arena.offset = 0;
    finding.distance.bytes = 0;
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.stacks.alloc.frames = 0;
    finding.other = actor(2, 4242, "09b");
    finding.stacks.other = stack(0x550000000300, true);
}

/* COUNT blocks, HELD of which other leaked ones refer to. */
static void set_leaks_of(size_t count, size_t bytes, size_t held)
{
    memset(&finding.arena, 0, sizeof finding.arena);
    finding.access = MOAT_ACCESS_UNKNOWN;
    finding.seen = MOAT_SEEN_AT_EXIT;
    finding.address = finding.block.start;
    finding.distance.bytes = 0;
    finding.distance.where = MOAT_WHERE_INSIDE;
    finding.stacks.fault.frames = 0;
    finding.leak.blocks = count;
    finding.leak.bytes = bytes;
    finding.leak.held_blocks = held;
}

static void set_leak(void)
{
    set_leaks_of(1, 32, 0);
}

static void set_leaks(void)
{
    set_leaks_of(3, 97, 0);
}

static void set_held_leak(void)
{
    set_leaks_of(1, 1, 1);
}

static void set_some_held_leaks(void)
{
    set_leaks_of(3, 97, 2);
}

static void set_held_leaks(void)
{
    set_leaks_of(3, 97, 3);
}

static void set_nowhere(void)
{
    memset(&finding.block, 0, sizeof finding.block);
    memset(&finding.arena, 0, sizeof finding.arena);
    finding.stacks.alloc.frames = 0;
    finding.address = (const void *)16;
}

#define HEAD(kind, address, seen) \
    "==4242==ERROR: moat: " kind " on address " address \
    " at pc 0x5500000001c9, seen at " seen "\n"
#define BLOCK "32-byte block #3 [0x7e0000001000,0x7e0000001020) in arena " \
              "\"leak tracer\" (arena offset "
#define HERE "    #0 0x5500000001c9 prog+0x1c9\n"
#define IN "in thread T1 (pid 4242, \"09b\")\n"
#define SUMMARY(kind) "SUMMARY: moat: " kind " prog+0x1c9\n"
#define LEAK_HEAD                                                              \
    "==4242==ERROR: moat: memory-leak on address 0x7e0000001000, "             \
    "seen at exit\n"                                                           \
    "LEAK of 0x7e0000001000, 0 bytes inside 32-byte block #3 "                 \
    "[0x7e0000001000,0x7e0000001020)\n" IN
#define LEAK_TAIL                                                              \
    "block #3 was allocated by thread T0 (pid 4242, \"09b\") here:\n"          \
    "    #0 0x5500000001ff prog+0x1ff\n"                                       \
    "SUMMARY: moat: memory-leak prog+0x1ff\n"
#define FREED "it was freed by thread T1 (pid 4242, \"09b\") here:\n" \
              "    #0 0x5500000002ff prog+0x2ff\n"

static const struct {
    enum moat_kind kind;
    void (*set)(void);
    const char *report;
} goldens[] = {
    { MOAT_KIND_HEAP_BUFFER_OVERFLOW, set_overflow,
      HEAD("heap-buffer-overflow", "0x7e0000001020", "access")
      "WRITE at 0x7e0000001020, 0 bytes after the end of " BLOCK
      "0x80 of 0x100)\n" HERE IN SUMMARY("heap-buffer-overflow") },
    { MOAT_KIND_HEAP_BUFFER_UNDERFLOW, set_underflow,
      HEAD("heap-buffer-underflow", "0x7e0000000fff", "access")
      "READ at 0x7e0000000fff, 1 bytes before the start of " BLOCK
      "0x5f of 0x100)\n" HERE IN SUMMARY("heap-buffer-underflow") },
    { MOAT_KIND_HEAP_USE_AFTER_FREE, set_use_after_free,
      HEAD("heap-use-after-free", "0x7e0000001020", "access")
      "WRITE at 0x7e0000001020, 31 bytes inside " BLOCK
      "0x80 of 0x100)\n" HERE IN FREED
      SUMMARY("heap-use-after-free") },
    { MOAT_KIND_USE_AFTER_UNMAP, set_use_after_unmap,
      HEAD("use-after-unmap", "0x7e0000001020", "access")
      "WRITE at 0x7e0000001020, 0 bytes after the end of " BLOCK
      "0x80 of 0x100)\n" HERE IN
      "it was destroyed by thread T1 (pid 4242, \"09b\") here:\n"
      "    #0 0x5500000002ff prog+0x2ff\n"
      SUMMARY("use-after-unmap") },
    { MOAT_KIND_USE_AFTER_RESET, set_use_after_reset,
      HEAD("use-after-reset", "0x7e0000001020", "access")
      "READ at 0x7e0000001020, 5 bytes inside " BLOCK "0x80 of 0x100)\n"
      HERE IN
      "it was reset by thread T1 (pid 4242, \"09b\") here:\n"
      "    #0 0x5500000002ff prog+0x2ff\n"
      SUMMARY("use-after-reset") },
    { MOAT_KIND_DOUBLE_FREE, set_double_free,
      HEAD("double-free", "0x7e0000001000", "free")
      "FREE of 0x7e0000001000, 0 bytes inside " BLOCK
      "0x80 of 0x100)\n" HERE IN FREED
      SUMMARY("double-free") },
    { MOAT_KIND_BAD_FREE, set_bad_free,
      HEAD("bad-free", "0x7e0000001020", "free")
      "FREE of 0x7e0000001020, which no arena holds\n" HERE IN
      SUMMARY("bad-free") },
    { MOAT_KIND_ALLOC_DEALLOC_MISMATCH, set_mismatch,
      HEAD("alloc-dealloc-mismatch", "0x7e0000001000", "free")
      "FREE of 0x7e0000001000, 0 bytes inside 32-byte block #3 "
      "[0x7e0000001000,0x7e0000001020)\n" HERE IN
      "it was allocated by operator new[], which is for operator delete[] to "
      "free, and given to free() or realloc()\n"
      "block #3 was allocated by thread T0 (pid 4242, \"09b\") here:\n"
      "    #0 0x5500000001ff prog+0x1ff\n"
      SUMMARY("alloc-dealloc-mismatch") },
    { MOAT_KIND_DATA_RACE, set_data_race,
      HEAD("data-race", "0x7e0000000fa0", "access")
      "ALLOC from 0x7e0000000fa0, 0 bytes inside arena \"leak tracer\" "
      "[0x7e0000000fa0,0x7e0000001fa0) (arena offset 0x0 of 0x100)\n"
      HERE IN
      "thread T2 (pid 4242, \"09b\") was in a call on the same arena here:\n"
      "    #0 0x5500000002ff prog+0x2ff\n"
      SUMMARY("data-race") },
    { MOAT_KIND_MEMORY_LEAK, set_leak, LEAK_HEAD
      "leaked: 1 block with 32 bytes; no pointer remains\n" LEAK_TAIL },
    { MOAT_KIND_MEMORY_LEAK, set_leaks, LEAK_HEAD
      "leaked: 3 blocks with 97 bytes, allocated at one place; "
      "no pointer remains\n" LEAK_TAIL },
    { MOAT_KIND_MEMORY_LEAK, set_held_leak, LEAK_HEAD
      "leaked: 1 block with 1 byte; "
      "to it pointers remain in leaked blocks only\n" LEAK_TAIL },
    { MOAT_KIND_MEMORY_LEAK, set_some_held_leaks, LEAK_HEAD
      "leaked: 3 blocks with 97 bytes, allocated at one place; "
      "to 2 of them pointers remain in leaked blocks only\n" LEAK_TAIL },
    { MOAT_KIND_MEMORY_LEAK, set_held_leaks, LEAK_HEAD
      "leaked: 3 blocks with 97 bytes, allocated at one place; "
      "to all of them pointers remain in leaked blocks only\n" LEAK_TAIL },
    { MOAT_KIND_ARENA_OVERLAP, set_overlap,
      HEAD("arena-overlap", "0x7e0000000fa0", "access")
      "CREATE at 0x7e0000000fa0, 0 bytes inside arena \"leak tracer\" "
      "[0x7e0000000fa0,0x7e0000001fa0) (arena offset 0x0 of 0x100)\n"
      HERE IN
      "that is where arena \"new\" of capacity 0x40 was to be created\n"
      SUMMARY("arena-overlap") },
    { MOAT_KIND_STACK_OVERFLOW, set_nowhere,
      HEAD("stack-overflow", "0x10", "access")
      "WRITE at 0x10, at the end of the stack of thread T1 (pid 4242, "
      "\"09b\")\n" HERE SUMMARY("stack-overflow") },
    { MOAT_KIND_NULL_DEREFERENCE, set_nowhere,
      HEAD("null-dereference", "0x10", "access")
      "WRITE at 0x10, 16 bytes from NULL\n" HERE IN
      SUMMARY("null-dereference") },
    { MOAT_KIND_SEGV, set_nowhere,
      HEAD("segv", "0x10", "access")
      "WRITE at 0x10, which no arena holds\n" HERE IN SUMMARY("segv") },
};

START_TEST(each_kind_reads_like_this)
{
    finding.kind = goldens[_i].kind;
    goldens[_i].set();
    ck_assert_str_eq(report(false), goldens[_i].report);
}
END_TEST

START_TEST(no_kind_is_without_a_golden_report)
{
    for (int kind = 1; kind < 100; kind++) {
        const char *name = moat_kind_name((enum moat_kind)kind);
        bool has_golden = strcmp(name, "none") == 0;
        for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
            has_golden |= goldens[i].kind == (enum moat_kind)kind;
        }
        ck_assert_msg(has_golden, "%s", name);
    }
}
END_TEST

START_TEST(eight_ranges_of_damage_are_eight_lines)
{
    finding.damage_ranges = MOAT_DAMAGE_MAX;
    for (unsigned i = 0; i < MOAT_DAMAGE_MAX; i++) {
        finding.damage[i] = (struct moat_damage){
            .start = (const void *)(0x7e0000001020 + 2 * (uintptr_t)i),
            .bytes = 1, .distance = 2 * i, .where = MOAT_WHERE_AFTER,
            .found_bytes = 1, .found = { (unsigned char)('a' + i) }
        };
    }
    const char *at = report(false);
    for (unsigned i = 0; i < MOAT_DAMAGE_MAX; i++) {
        char line[128];
        snprintf(line, sizeof line,
                 "\ndamage: 1 byte at [0x7e00000010%x,0x7e00000010%x), %u "
                 "bytes after the end of the block: %x \"%c\"\n",
                 0x20 + 2 * i, 0x21 + 2 * i, 2 * i, 'a' + i, 'a' + (int)i);
        at = strstr(at, line);
        ck_assert_msg(at != NULL, "not there: %s", line);
    }
    ck_assert_ptr_null(strstr(at, "more of it"));
}
END_TEST

START_TEST(damage_that_reaches_a_neighbour_names_it)
{
    finding.damage_ranges = 1;
    finding.damage[0] = (struct moat_damage){
        .start = (const void *)0x7e0000001020, .bytes = 32,
        .where = MOAT_WHERE_AFTER, .found_bytes = 1, .found = "o"
    };
    finding.reached.number = 4;
    finding.reached.size = 20;
    finding.reached.start = (const void *)0x7e0000001040;
    finding.reached_from = 2;
    ck_assert_ptr_nonnull(strstr(
        report(false),
        "\ndamage: 32 bytes at [0x7e0000001020,0x7e0000001040), 0 bytes after "
        "the end of the block: 6f \"o\" ...\n"
        "damage: it reaches 20-byte block #4 [0x7e0000001040,0x7e0000001054), "
        "and may go on in there or have come from there\n"
        "damage: it may all have come from block #2\n"));
}
END_TEST

START_TEST(each_kind_has_a_name_of_its_own)
{
    for (int kind = MOAT_KIND_NONE; kind <= MOAT_KIND_DATA_RACE; kind++) {
        const char *name = moat_kind_name((enum moat_kind)kind);
        ck_assert_str_ne(name, "");
        for (int other = MOAT_KIND_NONE; other < kind; other++) {
            ck_assert_str_ne(name, moat_kind_name((enum moat_kind)other));
        }
    }
    ck_assert_str_eq(moat_kind_name((enum moat_kind)1000), "none");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, an_overflow_at_access_reads_like_this);
    tcase_add_test(tests,
                   a_use_of_null_names_what_was_refused_and_the_seed);
    tcase_add_test(tests, damage_seen_at_exit_names_the_bytes_and_no_pc);
    tcase_add_loop_test(tests, the_relation_is_a_contract, 0, 3);
    tcase_add_loop_test(tests, each_moment_has_its_word, 0, 5);
    tcase_add_loop_test(tests, each_access_has_its_word, 0, 6);
    tcase_add_test(tests,
                   a_freed_block_in_a_destroyed_arena_has_its_whole_history);
    tcase_add_test(tests, a_stack_overflow_names_the_thread);
    tcase_add_test(tests, faults_that_no_arena_explains_say_so);
    tcase_add_test(tests, an_overlap_names_both_arenas);
    tcase_add_test(tests, freeing_into_another_arena_names_that_too);
    tcase_add_test(tests, an_offset_in_front_of_the_arena_is_negative);
    tcase_add_test(tests, names_cannot_reach_the_terminal);
    tcase_add_test(tests, colour_is_for_the_first_line);
    tcase_add_test(tests, a_report_that_does_not_fit_is_cut);
    tcase_add_loop_test(tests, each_kind_reads_like_this, 0,
                        sizeof goldens / sizeof goldens[0]);
    tcase_add_test(tests, no_kind_is_without_a_golden_report);
    tcase_add_test(tests, eight_ranges_of_damage_are_eight_lines);
    tcase_add_test(tests, damage_that_reaches_a_neighbour_names_it);
    tcase_add_test(tests, each_kind_has_a_name_of_its_own);
}

int main(void)
{
    return unit_run("diagnose/report_text", add);
}
