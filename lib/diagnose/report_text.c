/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text report; see report_text.h. */
#include "diagnose/report_text.h"

#include "base/size.h"

static const char *seen_name(enum moat_seen seen)
{
    switch (seen) {
    case MOAT_SEEN_AT_FREE:
        return "free";
    case MOAT_SEEN_AT_CHECK:
        return "check";
    case MOAT_SEEN_AT_DESTROY:
        return "destroy";
    case MOAT_SEEN_AT_EXIT:
        return "exit";
    case MOAT_SEEN_AT_RESET:
        return "reset";
    default:
        return "access";
    }
}

static const char *access_name(enum moat_access access)
{
    switch (access) {
    case MOAT_ACCESS_READ:
        return "READ at ";
    case MOAT_ACCESS_WRITE:
        return "WRITE at ";
    case MOAT_ACCESS_FREE:
        return "FREE of ";
    case MOAT_ACCESS_CREATE:
        return "CREATE at ";
    case MOAT_ACCESS_ALLOC:
        return "ALLOC from ";
    default:
        return "ACCESS at ";
    }
}

static const char *where_words(enum moat_where where)
{
    switch (where) {
    case MOAT_WHERE_AFTER:
        return " bytes after the end of ";
    case MOAT_WHERE_BEFORE:
        return " bytes before the start of ";
    default:
        return " bytes inside ";
    }
}

static void add_range(struct text *text, uintptr_t start, size_t bytes)
{
    text_character(text, '[');
    text_hex(text, start);
    text_character(text, ',');
    text_hex(text, start + bytes);
    text_character(text, ')');
}

static void add_arena_name(struct text *text, const char *name)
{
    text_string(text, "arena \"");
    text_printable(text, name);
    text_character(text, '"');
}

static void add_actor(struct text *text, const struct moat_actor *actor)
{
    if (!actor->is_known) {
        text_string(text, "an unknown thread");
        return;
    }
    text_string(text, "thread T");
    text_decimal(text, actor->thread);
    text_string(text, " (pid ");
    text_decimal(text, (uint64_t)actor->pid);
    text_string(text, ", \"");
    text_printable(text, actor->name);
    text_string(text, "\")");
}

/* A return address is one call further than the call itself. */
static uintptr_t call_address(const struct moat_stack *stack, unsigned frame)
{
    uintptr_t address = (uintptr_t)stack->frame[frame];
    bool is_return = stack->is_return_address || frame > 0;
    return is_return && address != 0 ? address - 1 : address;
}

static void add_stack(struct text *text, const struct moat_stack *stack,
                      const struct report_style *style)
{
    for (unsigned frame = 0; frame < stack->frames; frame++) {
        uintptr_t address = call_address(stack, frame);
        text_string(text, "    #");
        text_decimal(text, frame);
        text_character(text, ' ');
        text_hex(text, address);
        text_character(text, ' ');
        style->locate(text, address);
        text_character(text, '\n');
    }
}

static void add_first_line(struct text *text,
                           const struct moat_finding *finding,
                           const struct report_style *style)
{
    if (style->is_colorful) {
        text_string(text, "\033[1;31m");
    }
    text_string(text, "==");
    text_decimal(text, (uint64_t)finding->pid);
    text_string(text, "==ERROR: moat: ");
    text_string(text, moat_kind_name(finding->kind));
    if (finding->has_address) {
        text_string(text, " on address ");
        text_hex(text, (uintptr_t)finding->address);
    } else {
        text_string(text, " on unknown address");
    }
    if (finding->stacks.fault.frames > 0) {
        text_string(text, " at pc ");
        text_hex(text, call_address(&finding->stacks.fault, 0));
    }
    text_string(text, ", seen at ");
    text_string(text, seen_name(finding->seen));
    if (style->is_colorful) {
        text_string(text, "\033[0m");
    }
    text_character(text, '\n');
}

static void add_offset(struct text *text, const struct moat_finding *finding)
{
    long offset = finding->arena.offset;
    text_string(text, " (arena offset ");
    if (offset < 0) {
        text_character(text, '-');
        offset = -offset;
    }
    text_hex(text, (uint64_t)offset);
    text_string(text, " of ");
    text_hex(text, finding->arena.capacity);
    text_character(text, ')');
}

/* "..., 0 bytes after the end of 32-byte block #3 [...) in arena ..." */
static void add_relation(struct text *text, const struct moat_finding *finding)
{
    text_decimal(text, finding->distance.bytes);
    text_string(text, where_words(finding->distance.where));
    if (finding->block.number != 0) {
        text_decimal(text, finding->block.size);
        text_string(text, "-byte block #");
        text_decimal(text, finding->block.number);
        text_character(text, ' ');
        add_range(text, (uintptr_t)finding->block.start, finding->block.size);
        if (finding->arena.base == NULL) {
            /* A block of no arena. */
            return;
        }
        text_string(text, " in ");
        add_arena_name(text, finding->arena.name);
    } else {
        add_arena_name(text, finding->arena.name);
        text_character(text, ' ');
        add_range(text, (uintptr_t)finding->arena.base, finding->arena.bytes);
    }
    add_offset(text, finding);
}

static void add_second_line(struct text *text,
                            const struct moat_finding *finding)
{
    text_string(text, finding->kind == MOAT_KIND_MEMORY_LEAK
                          ? "LEAK of "
                          : access_name(finding->access));
    if (!finding->has_address) {
        text_string(text, "an address that the processor does not tell");
    } else {
        text_hex(text, (uintptr_t)finding->address);
        text_string(text, ", ");
        if (finding->arena.base != NULL || finding->block.number != 0) {
            add_relation(text, finding);
        } else if (finding->kind == MOAT_KIND_STACK_OVERFLOW) {
            text_string(text, "at the end of the stack of ");
            add_actor(text, &finding->actor);
        } else if (finding->kind == MOAT_KIND_NULL_DEREFERENCE) {
            text_decimal(text, (uintptr_t)finding->address);
            text_string(text, " bytes from NULL");
        } else {
            text_string(text, "which no arena holds");
        }
    }
    text_character(text, '\n');
}

static void add_damage(struct text *text, const struct moat_finding *finding)
{
    for (unsigned i = 0; i < finding->damage_ranges; i++) {
        const struct moat_damage *damage = &finding->damage[i];
        text_string(text, "damage: ");
        text_decimal(text, damage->bytes);
        text_string(text, damage->bytes == 1 ? " byte at " : " bytes at ");
        add_range(text, (uintptr_t)damage->start, damage->bytes);
        text_string(text, ", ");
        text_decimal(text, damage->distance);
        text_string(text, where_words(damage->where));
        text_string(text, finding->block.number != 0 ? "the block:"
                                                     : "the arena:");
        for (size_t byte = 0; byte < damage->found_bytes; byte++) {
            text_character(text, ' ');
            text_hex_byte(text, damage->found[byte]);
        }
        text_character(text, ' ');
        text_quoted(text, damage->found, damage->found_bytes);
        text_string(text,
                    damage->found_bytes < damage->bytes ? " ...\n" : "\n");
    }
    if (finding->has_more_damage) {
        text_string(text, "damage: more of it further on\n");
    }
    if (finding->reached.number != 0) {
        text_string(text, "damage: it reaches ");
        text_decimal(text, finding->reached.size);
        text_string(text, "-byte block #");
        text_decimal(text, finding->reached.number);
        text_character(text, ' ');
        add_range(text, (uintptr_t)finding->reached.start,
                  finding->reached.size);
        text_string(text, ", and may go on in there or have come from there\n");
    }
    if (finding->reached_from != 0) {
        text_string(text, "damage: it may all have come from block #");
        text_decimal(text, finding->reached_from);
        text_character(text, '\n');
    }
}

static void add_requested(struct text *text,
                          const struct moat_finding *finding)
{
    if (!finding->requested.is_known) {
        return;
    }
    if (finding->access == MOAT_ACCESS_CREATE) {
        text_string(text, "that is where ");
        add_arena_name(text, finding->requested.name);
        text_string(text, " of capacity ");
        text_hex(text, finding->requested.capacity);
        text_string(text, " was to be created\n");
    } else if (!finding->requested.is_arena) {
        text_string(text, "it was to be freed in ");
        text_hex(text, (uintptr_t)finding->requested.base);
        text_string(text, ", which is no arena\n");
    } else {
        text_string(text, finding->seen == MOAT_SEEN_AT_RESET
                              ? "that is no mark for "
                              : "it was to be freed in ");
        add_arena_name(text, finding->requested.name);
        text_string(text, ", which starts at ");
        text_hex(text, (uintptr_t)finding->requested.base);
        text_character(text, '\n');
    }
}

/* The call that the one that is reported ran into. */
static void add_other(struct text *text, const struct moat_finding *finding,
                      const struct report_style *style)
{
    if (finding->kind != MOAT_KIND_DATA_RACE) {
        return;
    }
    add_actor(text, &finding->other);
    text_string(text, " was in a call on the same arena");
    text_string(text, finding->stacks.other.frames != 0 ? " here:\n" : "\n");
    add_stack(text, &finding->stacks.other, style);
}

static const char *allocator_name(enum moat_family family)
{
    switch (family) {
    case MOAT_FAMILY_NEW:
        return "operator new";
    case MOAT_FAMILY_NEW_ARRAY:
        return "operator new[]";
    default:
        return "malloc() or its kin";
    }
}

static const char *releaser_name(enum moat_family family)
{
    switch (family) {
    case MOAT_FAMILY_NEW:
        return "operator delete";
    case MOAT_FAMILY_NEW_ARRAY:
        return "operator delete[]";
    default:
        return "free() or realloc()";
    }
}

static void add_mismatch(struct text *text, const struct moat_finding *finding)
{
    if (finding->kind != MOAT_KIND_ALLOC_DEALLOC_MISMATCH) {
        return;
    }
    text_string(text, "it was allocated by ");
    text_string(text, allocator_name(finding->mismatch.allocated_by));
    text_string(text, ", which is for ");
    text_string(text, releaser_name(finding->mismatch.allocated_by));
    text_string(text, " to free, and given to ");
    text_string(text, releaser_name(finding->mismatch.freed_by));
    text_character(text, '\n');
}

static void add_count(struct text *text, size_t count, const char *word)
{
    text_decimal(text, count);
    text_string(text, word);
    text_string(text, count == 1 ? "" : "s");
}

/* "leaked: 3 blocks, 96 bytes, allocated at one place; ..." */
static void add_leak(struct text *text, const struct moat_finding *finding)
{
    if (finding->kind != MOAT_KIND_MEMORY_LEAK) {
        return;
    }
    size_t held = finding->leak.held_blocks;
    text_string(text, "leaked: ");
    add_count(text, finding->leak.blocks, " block");
    text_string(text, " with ");
    add_count(text, finding->leak.bytes, " byte");
    text_string(text, finding->leak.blocks == 1 ? ""
                                                : ", allocated at one place");
    if (held == 0) {
        text_string(text, "; no pointer remains\n");
        return;
    }
    text_string(text, "; to ");
    if (held == finding->leak.blocks) {
        text_string(text, held == 1 ? "it" : "all of them");
    } else {
        text_decimal(text, held);
        text_string(text, " of them");
    }
    text_string(text, " pointers remain in leaked blocks only\n");
}

/* Neither is where the tables of threads and sites are full. */
static bool is_deed_known(const struct moat_actor *actor,
                          const struct moat_stack *stack)
{
    return actor->is_known || stack->frames != 0;
}

static void add_deed(struct text *text, const char *deed,
                     const struct moat_actor *actor,
                     const struct moat_stack *stack,
                     const struct report_style *style)
{
    if (!is_deed_known(actor, stack)) {
        return;
    }
    text_string(text, deed);
    text_string(text, " by ");
    add_actor(text, actor);
    text_string(text, stack->frames != 0 ? " here:\n" : "\n");
    add_stack(text, stack, style);
}

static void add_history(struct text *text, const struct moat_finding *finding,
                        const struct report_style *style)
{
    if (finding->block.number != 0
        && is_deed_known(&finding->block.allocated_by,
                         &finding->stacks.alloc)) {
        text_string(text, "block #");
        text_decimal(text, finding->block.number);
        add_deed(text, " was allocated", &finding->block.allocated_by,
                 &finding->stacks.alloc, style);
    }
    if (finding->block.is_freed) {
        add_deed(text, "it was freed", &finding->block.freed_by,
                 &finding->stacks.free, style);
    }
    bool is_about_arena
        = finding->arena.base != NULL
          && (finding->arena.is_destroyed || finding->arena.is_reset
              || finding->block.number == 0);
    if (is_about_arena
        && is_deed_known(&finding->arena.created_by,
                         &finding->stacks.create)) {
        add_arena_name(text, finding->arena.name);
        add_deed(text, " was created", &finding->arena.created_by,
                 &finding->stacks.create, style);
    }
    if (finding->arena.is_destroyed) {
        add_deed(text, "it was destroyed", &finding->arena.destroyed_by,
                 &finding->stacks.destroy, style);
    }
    if (finding->arena.is_reset) {
        add_deed(text, "it was reset", &finding->arena.reset_by,
                 &finding->stacks.reset, style);
    }
}

/* Where a NULL may have come from, and what makes it come again. */
static void add_chance(struct text *text, const struct moat_finding *finding,
                       const struct report_style *style)
{
    if (finding->refused.number != 0) {
        text_string(text, "the last allocation that was refused, #");
        text_decimal(text, finding->refused.number);
        text_string(text, " of ");
        text_decimal(text, finding->refused.size);
        text_string(text, finding->refused.size == 1 ? " byte" : " bytes");
        if (finding->refused.arena[0] != '\0') {
            text_string(text, " in ");
            add_arena_name(text, finding->refused.arena);
        }
        text_string(text, ", was asked for");
        if (is_deed_known(&finding->refused.asked_by,
                          &finding->stacks.refused)) {
            add_deed(text, "", &finding->refused.asked_by,
                     &finding->stacks.refused, style);
        } else {
            text_character(text, '\n');
        }
    }
    if (finding->seed != 0) {
        text_string(text, "chance played a part: seed=");
        text_decimal(text, finding->seed);
        text_character(text, '\n');
    }
}

static void add_summary(struct text *text, const struct moat_finding *finding,
                        const struct report_style *style)
{
    const struct moat_stack *stack = finding->stacks.fault.frames != 0
                                         ? &finding->stacks.fault
                                         : &finding->stacks.alloc;
    text_string(text, "SUMMARY: moat: ");
    text_string(text, moat_kind_name(finding->kind));
    text_character(text, ' ');
    if (stack->frames != 0) {
        style->locate(text, call_address(stack, 0));
    } else {
        text_string(text, "(unknown)");
    }
    text_character(text, '\n');
}

void report_text(struct text *text, const struct moat_finding *finding,
                 const struct report_style *style)
{
    add_first_line(text, finding, style);
    add_second_line(text, finding);
    add_stack(text, &finding->stacks.fault, style);
    if (finding->kind != MOAT_KIND_STACK_OVERFLOW) {
        text_string(text, "in ");
        add_actor(text, &finding->actor);
        text_character(text, '\n');
    }
    add_other(text, finding, style);
    add_damage(text, finding);
    add_requested(text, finding);
    add_mismatch(text, finding);
    add_leak(text, finding);
    add_history(text, finding, style);
    add_chance(text, finding, style);
    add_summary(text, finding, style);
}
