/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of kinds, as reports write them; see moat/finding.h. */
#include <moat/finding.h>

const char *moat_kind_name(enum moat_kind kind)
{
    switch (kind) {
    case MOAT_KIND_NONE:
        return "none";
    case MOAT_KIND_HEAP_BUFFER_OVERFLOW:
        return "heap-buffer-overflow";
    case MOAT_KIND_HEAP_BUFFER_UNDERFLOW:
        return "heap-buffer-underflow";
    case MOAT_KIND_HEAP_USE_AFTER_FREE:
        return "heap-use-after-free";
    case MOAT_KIND_USE_AFTER_UNMAP:
        return "use-after-unmap";
    case MOAT_KIND_DOUBLE_FREE:
        return "double-free";
    case MOAT_KIND_BAD_FREE:
        return "bad-free";
    case MOAT_KIND_ARENA_OVERLAP:
        return "arena-overlap";
    case MOAT_KIND_STACK_OVERFLOW:
        return "stack-overflow";
    case MOAT_KIND_NULL_DEREFERENCE:
        return "null-dereference";
    case MOAT_KIND_SEGV:
        return "segv";
    case MOAT_KIND_USE_AFTER_RESET:
        return "use-after-reset";
    case MOAT_KIND_ALLOC_DEALLOC_MISMATCH:
        return "alloc-dealloc-mismatch";
    case MOAT_KIND_DATA_RACE:
        return "data-race";
    }
    return "none";
}
