# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demos, and the programs that each make one error. A new demo is a name in
# demo_names, four lines below, and a .transcript; a new fault a name in
# fault_names and an .expected file. `make update-expected` writes both.

demodir = $(pkglibexecdir)/demos
demo_names = \
	demos/09a_scope \
	demos/09b_leak_tracer \
	demos/09c_fork \
	demos/10_overlap \
	demos/11_use_after_unmap \
	demos/12_double_free \
	demos/13_resize \
	demos/14_null_ignored \
	demos/15_stale_data \
	demos/16_threads
demo_PROGRAMS = $(demo_names)

demo_sources = demos/legend.c demos/legend.h demos/lesson.c demos/lesson.h \
	demos/naive_arena.h
demo_cppflags = $(AM_CPPFLAGS) -D_GNU_SOURCE
# A call that is the last thing a function does shall have its place in that
# function, in reports too.
demo_cflags = $(AM_CFLAGS) -fno-optimize-sibling-calls
demos_09a_scope_SOURCES = demos/09a_scope.c $(demo_sources)
demos_09a_scope_CPPFLAGS = $(demo_cppflags)
demos_09a_scope_CFLAGS = $(demo_cflags)
demos_09a_scope_LDADD = libmoat.la
demos_09b_leak_tracer_SOURCES = demos/09b_leak_tracer.c $(demo_sources)
demos_09b_leak_tracer_CPPFLAGS = $(demo_cppflags)
demos_09b_leak_tracer_CFLAGS = $(demo_cflags)
demos_09b_leak_tracer_LDADD = libmoat.la
demos_09c_fork_SOURCES = demos/09c_fork.c $(demo_sources)
demos_09c_fork_CPPFLAGS = $(demo_cppflags)
demos_09c_fork_CFLAGS = $(demo_cflags)
demos_09c_fork_LDADD = libmoat.la
demos_10_overlap_SOURCES = demos/10_overlap.c $(demo_sources)
demos_10_overlap_CPPFLAGS = $(demo_cppflags)
demos_10_overlap_CFLAGS = $(demo_cflags)
demos_10_overlap_LDADD = libmoat.la
demos_11_use_after_unmap_SOURCES = demos/11_use_after_unmap.c $(demo_sources)
demos_11_use_after_unmap_CPPFLAGS = $(demo_cppflags)
demos_11_use_after_unmap_CFLAGS = $(demo_cflags)
demos_11_use_after_unmap_LDADD = libmoat.la
demos_12_double_free_SOURCES = demos/12_double_free.c $(demo_sources)
demos_12_double_free_CPPFLAGS = $(demo_cppflags)
demos_12_double_free_CFLAGS = $(demo_cflags)
demos_12_double_free_LDADD = libmoat.la
demos_13_resize_SOURCES = demos/13_resize.c $(demo_sources)
demos_13_resize_CPPFLAGS = $(demo_cppflags)
demos_13_resize_CFLAGS = $(demo_cflags)
demos_13_resize_LDADD = libmoat.la
demos_14_null_ignored_SOURCES = demos/14_null_ignored.c $(demo_sources)
demos_14_null_ignored_CPPFLAGS = $(demo_cppflags)
# UBSan would speak where the naive NULL is to be met in silence.
demos_14_null_ignored_CFLAGS = $(demo_cflags) -fno-sanitize=null
demos_14_null_ignored_LDADD = libmoat.la
demos_15_stale_data_SOURCES = demos/15_stale_data.c $(demo_sources)
demos_15_stale_data_CPPFLAGS = $(demo_cppflags)
demos_15_stale_data_CFLAGS = $(demo_cflags)
demos_15_stale_data_LDADD = libmoat.la
demos_16_threads_SOURCES = demos/16_threads.c $(demo_sources)
demos_16_threads_CPPFLAGS = $(demo_cppflags)
demos_16_threads_CFLAGS = $(demo_cflags)
demos_16_threads_LDADD = libmoat.la
EXTRA_DIST += $(demo_names:=.transcript) demos/fence.sh

# An ordinary program, for `moat run`: not linked with Moat.
noinst_PROGRAMS += demos/greeting
demos_greeting_LDADD =

fault_names = \
	demos/faults/allocate_while_another_thread_walks \
	demos/faults/arena_over_another \
	demos/faults/damage_in_two_places \
	demos/faults/damage_seen_at_check \
	demos/faults/damage_seen_at_destroy \
	demos/faults/damage_seen_at_exit \
	demos/faults/destroy_twice \
	demos/faults/destroy_what_is_no_arena \
	demos/faults/fault_in_a_forked_child \
	demos/faults/fault_in_a_second_thread \
	demos/faults/fault_while_arenas_come_and_go \
	demos/faults/fenced_damage_seen_at_exit \
	demos/faults/fenced_free_twice \
	demos/faults/fenced_read_after_destroy \
	demos/faults/fenced_read_after_free \
	demos/faults/fenced_read_after_reset \
	demos/faults/fenced_read_before_a_block_with_placement_before \
	demos/faults/fenced_read_of_no_bytes \
	demos/faults/fenced_read_one_byte_past_a_block \
	demos/faults/fenced_read_past_a_large_block \
	demos/faults/fenced_read_past_an_odd_size_with_alignment_natural \
	demos/faults/fenced_write_after_free_and_many_blocks \
	demos/faults/fenced_write_into_the_slack \
	demos/faults/fenced_write_one_byte_before_a_block \
	demos/faults/fenced_write_past_a_block_with_placement_before \
	demos/faults/free_a_block_of_another_arena \
	demos/faults/free_a_foreign_block \
	demos/faults/free_a_stack_pointer \
	demos/faults/free_a_stale_block \
	demos/faults/free_an_interior_pointer \
	demos/faults/free_in_no_arena \
	demos/faults/free_into_a_destroyed_arena \
	demos/faults/free_twice \
	demos/faults/leak_a_guarded_copy \
	demos/faults/null_dereference \
	demos/faults/overflow_into_the_next_header \
	demos/faults/own_handler_does_not_hide_a_fault \
	demos/faults/own_handler_installed_later_wins \
	demos/faults/own_handler_keeps_working \
	demos/faults/read_after_destroy \
	demos/faults/read_after_destroy_and_a_thousand_arenas \
	demos/faults/read_after_reset \
	demos/faults/read_before_the_arena_start \
	demos/faults/read_past_the_arena_end \
	demos/faults/recursion_in_a_thread \
	demos/faults/recursion_without_end \
	demos/faults/report_hook_takes_over \
	demos/faults/two_threads_in_one_arena \
	demos/faults/underflow_by_one_byte \
	demos/faults/use_of_a_destroyed_arena_handle \
	demos/faults/use_of_what_an_arena_refused \
	demos/faults/wild_pointer \
	demos/faults/write_after_destroy \
	demos/faults/write_after_destroy_and_a_thousand_arenas \
	demos/faults/write_after_free \
	demos/faults/write_before_the_arena_start \
	demos/faults/write_eight_bytes_past_a_block \
	demos/faults/write_far_past_a_block \
	demos/faults/write_into_the_slack \
	demos/faults/write_one_byte_past_a_block \
	demos/faults/write_past_the_arena_end

check_PROGRAMS += $(fault_names)
EXTRA_DIST += $(fault_names:=.expected)

# UBSan would end this program before the fault that it is to show.
demos_faults_null_dereference_CFLAGS = $(AM_CFLAGS) -fno-sanitize=null

.PHONY: update-expected
update-expected: $(demo_PROGRAMS) $(fault_names)
	srcdir=$(srcdir) $(SHELL) $(srcdir)/tests/demos/faults.sh --update
	srcdir=$(srcdir) $(SHELL) $(srcdir)/tests/demos/demos.sh --update
