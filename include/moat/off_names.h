/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With MOAT_OFF: names of their own for all that is defined otherwise then, so
 * that what an object file of the one form offers is not taken for what one of
 * the other form asks for. In C++, where the linker sees types, a function that
 * takes an arena of the one form cannot be called with one of the other.
 */
#ifndef MOAT_OFF_NAMES_H
#define MOAT_OFF_NAMES_H

#define moat_arena moat_off_arena
#define moat_snapshot moat_off_snapshot

#define moat_arena_create moat_off_arena_create
#define moat_arena_create_with moat_off_arena_create_with
#define moat_arena_destroy moat_off_arena_destroy
#define moat_arena_reset moat_off_arena_reset
#define moat_arena_mark moat_off_arena_mark
#define moat_arena_rewind moat_off_arena_rewind
#define moat_arena_grow moat_off_arena_grow
#define moat_arena_alloc moat_off_arena_alloc
#define moat_arena_calloc moat_off_arena_calloc
#define moat_arena_aligned_alloc moat_off_arena_aligned_alloc
#define moat_arena_strdup moat_off_arena_strdup
#define moat_arena_free moat_off_arena_free
#define moat_arena_realloc moat_off_arena_realloc
#define moat_arena_check moat_off_arena_check
#define moat_arena_base moat_off_arena_base
#define moat_arena_limit moat_off_arena_limit
#define moat_arena_stats moat_off_arena_stats
#define moat_arena_walk moat_off_arena_walk
#define moat_arena_dump moat_off_arena_dump
#define moat_arena_leaks moat_off_arena_leaks
#define moat_arena_snapshot moat_off_arena_snapshot
#define moat_snapshot_diff moat_off_snapshot_diff
#define moat_snapshot_free moat_off_snapshot_free
#define moat_describe moat_off_describe
#define moat_guarded_copy moat_off_guarded_copy
#define moat_guarded_free moat_off_guarded_free
#define moat_kind_name moat_off_kind_name
#define moat_set_report_hook moat_off_set_report_hook
#define moat_thread_prepare moat_off_thread_prepare
#define moat_catch_faults moat_off_catch_faults
#define moat_version moat_off_version

#endif
