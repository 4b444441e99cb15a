# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests; all print TAP.

AM_TESTS_ENVIRONMENT = \
	ulimit -c 0; \
	srcdir='$(srcdir)'; CC='$(CC)'; NM='$(NM)'; \
	export srcdir CC NM; \
	unset MOAT_OPTIONS;
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)

# A new script is a name here.
dist_check_SCRIPTS += \
	tests/checkers/asan.sh \
	tests/checkers/valgrind.sh \
	tests/demos/command.sh \
	tests/demos/demos.sh \
	tests/demos/faults.sh \
	tests/demos/fence.sh \
	tests/fault/bad_input.sh \
	tests/fault/concurrent.sh \
	tests/fault/leaks.sh \
	tests/fault/quantity.sh \
	tests/fault/resets.sh \
	tests/fault/threads.sh \
	tests/house/clang.sh \
	tests/house/contract.sh \
	tests/house/crashpath.sh \
	tests/house/exported.sh \
	tests/house/layers.sh \
	tests/house/options_manual.sh \
	tests/house/sources.sh \
	tests/injection/heap.sh \
	tests/injection/proof.sh \
	tests/injection/refusals.sh \
	tests/injection/revocations.sh \
	tests/off/conformance.sh \
	tests/preload/calls.sh \
	tests/preload/check.sh \
	tests/preload/crimes.sh \
	tests/preload/foreign.sh \
	tests/preload/leaks.sh \
	tests/preload/operators.sh \
	tests/preload/others.sh \
	tests/preload/own_pages.sh \
	tests/preload/plays.sh \
	tests/preload/programs.sh \
	tests/preload/run.sh \
	tests/preload/trials.sh

# Tests that look inside: a new one is a name here and a line below.
unit_tests = \
	tests/unit/test_actor \
	tests/unit/test_address_space \
	tests/unit/test_altered \
	tests/unit/test_arena \
	tests/unit/test_arena_record \
	tests/unit/test_block \
	tests/unit/test_budget \
	tests/unit/test_bump \
	tests/unit/test_canary \
	tests/unit/test_canary_slots \
	tests/unit/test_classify \
	tests/unit/test_context \
	tests/unit/test_defect \
	tests/unit/test_describe \
	tests/unit/test_extent \
	tests/unit/test_failing_os \
	tests/unit/test_fence \
	tests/unit/test_heap_walk \
	tests/unit/test_inspect \
	tests/unit/test_kind \
	tests/unit/test_large \
	tests/unit/test_leak_gaps \
	tests/unit/test_live \
	tests/unit/test_lock \
	tests/unit/test_maps \
	tests/unit/test_memory \
	tests/unit/test_options \
	tests/unit/test_others \
	tests/unit/test_numbers \
	tests/unit/test_output \
	tests/unit/test_own_memory \
	tests/unit/test_packed \
	tests/unit/test_pages \
	tests/unit/test_peek \
	tests/unit/test_process \
	tests/unit/test_program \
	tests/unit/test_range_list \
	tests/unit/test_refusal \
	tests/unit/test_region \
	tests/unit/test_report \
	tests/unit/test_report_text \
	tests/unit/test_revoke \
	tests/unit/test_shortfall \
	tests/unit/test_site \
	tests/unit/test_size \
	tests/unit/test_slot_books \
	tests/unit/test_slot_cache \
	tests/unit/test_slot_class \
	tests/unit/test_slot_queue \
	tests/unit/test_slot_revoke \
	tests/unit/test_slots \
	tests/unit/test_sort \
	tests/unit/test_text \
	tests/unit/test_thread \
	tests/unit/test_turn \
	tests/unit/test_userfault \
	tests/unit/test_userfault_stand_in
# Tests of what a user sees, on the shared library.
fault_tests = \
	tests/fault/test_crimes \
	tests/fault/test_expect \
	tests/fault/test_handlers \
	tests/fault/test_heap \
	tests/fault/test_scenes \
	tests/fault/test_surroundings
# Programs that these tests run.
fault_subjects = \
	tests/fault/test_bad_input \
	tests/fault/at_once \
	tests/fault/concurrent \
	tests/fault/expect \
	tests/fault/test_lifetimes \
	tests/fault/test_looking \
	tests/fault/test_places \
	tests/fault/handlers \
	tests/fault/heap \
	tests/fault/heap_refusals \
	tests/fault/leaks \
	tests/fault/quantity \
	tests/fault/scenes \
	tests/fault/subject \
	tests/fault/surroundings \
	tests/fault/threads

# Ordinary programs, which are not linked with Moat.
preload_subjects = \
	tests/preload/calls \
	tests/preload/become \
	tests/preload/checked \
	tests/preload/crime \
	tests/preload/endings \
	tests/preload/foreign \
	tests/preload/leaker \
	tests/preload/lenders \
	tests/preload/limits \
	tests/preload/own_malloc \
	tests/preload/own_pages \
	tests/preload/processes \
	tests/preload/sandboxes \
	tests/preload/signals \
	tests/preload/trial
tests_preload_foreign_CPPFLAGS = -D_GNU_SOURCE
tests_preload_foreign_LDADD =
tests_preload_leaker_CPPFLAGS = -D_GNU_SOURCE
tests_preload_leaker_LDADD =
tests_preload_limits_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_limits_LDADD =
tests_preload_own_malloc_CPPFLAGS = -D_GNU_SOURCE
tests_preload_own_malloc_LDADD =
tests_preload_own_pages_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_own_pages_LDADD =
tests_preload_trial_CPPFLAGS = -D_GNU_SOURCE
tests_preload_trial_LDADD =
tests_preload_processes_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_processes_LDADD =
tests_preload_endings_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_endings_LDADD =
tests_preload_lenders_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_lenders_LDADD =
tests_preload_sandboxes_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_sandboxes_LDADD =
tests_preload_signals_CPPFLAGS = -D_GNU_SOURCE -I$(top_srcdir)
tests_preload_signals_LDADD =
tests_preload_calls_LDADD =
tests_preload_checked_CPPFLAGS = -D_GNU_SOURCE
tests_preload_checked_LDADD =
tests_preload_become_CPPFLAGS = -D_GNU_SOURCE
tests_preload_become_LDADD =
tests_preload_crime_CPPFLAGS = -D_GNU_SOURCE
tests_preload_crime_LDADD =

check_PROGRAMS += $(preload_subjects)
check_PROGRAMS += $(unit_tests) $(fault_tests) $(fault_subjects)
TESTS += $(unit_tests) $(fault_tests) $(dist_check_SCRIPTS)
EXTRA_DIST += tests/preload/foreign_library.c \
	tests/preload/operators.cc tests/support/child.h tests/support/ending.h \
	tests/support/expect.sh tests/support/failing_os.h tests/support/form.h \
	tests/support/other_root.h tests/support/play.h tests/support/probe.h \
	tests/support/proc.h tests/support/tap.sh tests/support/unit.h \
	tests/support/ways.h \
	tests/fault/crimes.def tests/fault/heap.def \
	tests/checkers/good.c tests/checkers/scenes.c \
	tests/off/conformance.c \
	tests/house/crashpath.allow

test_cppflags = $(LIB_CPPFLAGS) -I$(top_srcdir) $(CHECK_CFLAGS)
test_libs = libmoat-inside.la $(CHECK_LIBS)
tests_unit_test_actor_CPPFLAGS = $(test_cppflags)
tests_unit_test_actor_LDADD = $(test_libs)
tests_unit_test_address_space_CPPFLAGS = $(test_cppflags)
tests_unit_test_address_space_LDADD = $(test_libs)
tests_unit_test_altered_CPPFLAGS = $(test_cppflags)
tests_unit_test_altered_LDADD = $(test_libs)
tests_unit_test_arena_CPPFLAGS = $(test_cppflags)
tests_unit_test_arena_LDADD = $(test_libs)
tests_unit_test_arena_record_CPPFLAGS = $(test_cppflags)
tests_unit_test_arena_record_LDADD = $(test_libs)
tests_unit_test_block_CPPFLAGS = $(test_cppflags)
tests_unit_test_block_LDADD = $(test_libs)
tests_unit_test_budget_CPPFLAGS = $(test_cppflags)
tests_unit_test_budget_SOURCES = tests/unit/test_budget.c \
	tests/support/other_root.c
tests_unit_test_budget_LDADD = $(test_libs)
tests_unit_test_bump_CPPFLAGS = $(test_cppflags)
tests_unit_test_bump_LDADD = $(test_libs)
tests_unit_test_canary_CPPFLAGS = $(test_cppflags)
tests_unit_test_canary_LDADD = $(test_libs)
tests_unit_test_canary_slots_CPPFLAGS = $(test_cppflags)
tests_unit_test_canary_slots_LDADD = $(test_libs)
tests_unit_test_classify_CPPFLAGS = $(test_cppflags)
tests_unit_test_classify_LDADD = $(test_libs)
tests_unit_test_context_CPPFLAGS = $(test_cppflags)
tests_unit_test_context_LDADD = $(test_libs)
tests_unit_test_defect_CPPFLAGS = $(test_cppflags)
tests_unit_test_defect_SOURCES = tests/unit/test_defect.c \
	tools/moat/defect.c tools/moat/sighting.c
tests_unit_test_defect_LDADD = $(test_libs)
tests_unit_test_describe_CPPFLAGS = $(test_cppflags)
tests_unit_test_describe_LDADD = $(test_libs)
tests_unit_test_extent_CPPFLAGS = $(test_cppflags)
tests_unit_test_extent_LDADD = $(test_libs)
tests_unit_test_failing_os_CPPFLAGS = $(test_cppflags)
tests_unit_test_failing_os_SOURCES = tests/unit/test_failing_os.c \
	tests/support/failing_os.c
tests_unit_test_failing_os_LDADD = $(test_libs)
tests_unit_test_fence_CPPFLAGS = $(test_cppflags)
tests_unit_test_fence_LDADD = $(test_libs)
tests_unit_test_heap_walk_CPPFLAGS = $(test_cppflags)
tests_unit_test_heap_walk_LDADD = $(test_libs)
tests_unit_test_inspect_CPPFLAGS = $(test_cppflags)
tests_unit_test_inspect_LDADD = $(test_libs)
tests_unit_test_kind_CPPFLAGS = $(test_cppflags)
tests_unit_test_kind_LDADD = $(test_libs)
tests_unit_test_large_CPPFLAGS = $(test_cppflags)
tests_unit_test_large_LDADD = $(test_libs)
tests_unit_test_leak_gaps_CPPFLAGS = $(test_cppflags)
tests_unit_test_leak_gaps_LDADD = $(test_libs)
tests_unit_test_live_CPPFLAGS = $(test_cppflags)
tests_unit_test_live_LDADD = $(test_libs)
tests_unit_test_lock_CPPFLAGS = $(test_cppflags)
tests_unit_test_lock_LDADD = $(test_libs)
tests_unit_test_maps_CPPFLAGS = $(test_cppflags)
tests_unit_test_maps_LDADD = $(test_libs)
tests_unit_test_memory_CPPFLAGS = $(test_cppflags)
tests_unit_test_memory_SOURCES = tests/unit/test_memory.c \
	tests/support/other_root.c
tests_unit_test_memory_LDADD = $(test_libs)
tests_unit_test_options_CPPFLAGS = $(test_cppflags)
tests_unit_test_options_LDADD = $(test_libs)
tests_unit_test_others_CPPFLAGS = $(test_cppflags)
tests_unit_test_others_LDADD = $(test_libs)
tests_unit_test_numbers_CPPFLAGS = $(test_cppflags)
tests_unit_test_numbers_LDADD = $(test_libs)
tests_unit_test_output_CPPFLAGS = $(test_cppflags)
tests_unit_test_output_LDADD = $(test_libs)
tests_unit_test_own_memory_CPPFLAGS = $(test_cppflags)
tests_unit_test_own_memory_LDADD = $(test_libs)
tests_unit_test_packed_CPPFLAGS = $(test_cppflags)
tests_unit_test_packed_LDADD = $(test_libs)
tests_unit_test_pages_CPPFLAGS = $(test_cppflags)
tests_unit_test_pages_LDADD = $(test_libs)
tests_unit_test_peek_CPPFLAGS = $(test_cppflags)
tests_unit_test_peek_LDADD = $(test_libs)
tests_unit_test_process_CPPFLAGS = $(test_cppflags)
tests_unit_test_process_LDADD = $(test_libs)
tests_unit_test_program_CPPFLAGS = $(test_cppflags)
tests_unit_test_program_LDADD = $(test_libs)
tests_unit_test_range_list_CPPFLAGS = $(test_cppflags)
tests_unit_test_range_list_LDADD = $(test_libs)
tests_unit_test_refusal_CPPFLAGS = $(test_cppflags)
tests_unit_test_refusal_LDADD = $(test_libs)
tests_unit_test_region_CPPFLAGS = $(test_cppflags)
tests_unit_test_region_LDADD = $(test_libs)
tests_unit_test_report_CPPFLAGS = $(test_cppflags)
tests_unit_test_report_LDADD = $(test_libs)
tests_unit_test_report_text_CPPFLAGS = $(test_cppflags)
tests_unit_test_report_text_LDADD = $(test_libs)
tests_unit_test_revoke_CPPFLAGS = $(test_cppflags)
tests_unit_test_revoke_LDADD = $(test_libs)
tests_unit_test_shortfall_CPPFLAGS = $(test_cppflags)
tests_unit_test_shortfall_LDADD = $(test_libs)
tests_unit_test_site_CPPFLAGS = $(test_cppflags)
tests_unit_test_site_LDADD = $(test_libs)
tests_unit_test_size_CPPFLAGS = $(test_cppflags)
tests_unit_test_size_LDADD = $(test_libs)
tests_unit_test_slot_books_CPPFLAGS = $(test_cppflags)
tests_unit_test_slot_books_LDADD = $(test_libs)
tests_unit_test_slot_cache_CPPFLAGS = $(test_cppflags)
tests_unit_test_slot_cache_LDADD = $(test_libs)
tests_unit_test_slot_class_CPPFLAGS = $(test_cppflags)
tests_unit_test_slot_class_LDADD = $(test_libs)
tests_unit_test_slot_queue_CPPFLAGS = $(test_cppflags)
tests_unit_test_slot_queue_LDADD = $(test_libs)
tests_unit_test_slot_revoke_CPPFLAGS = $(test_cppflags)
tests_unit_test_slot_revoke_SOURCES = tests/unit/test_slot_revoke.c \
	tests/support/failing_os.c
tests_unit_test_slot_revoke_LDADD = $(test_libs)
tests_unit_test_slots_CPPFLAGS = $(test_cppflags)
tests_unit_test_slots_LDADD = $(test_libs)
tests_unit_test_sort_CPPFLAGS = $(test_cppflags)
tests_unit_test_sort_LDADD = $(test_libs)
tests_unit_test_text_CPPFLAGS = $(test_cppflags)
tests_unit_test_text_LDADD = $(test_libs)
tests_unit_test_thread_CPPFLAGS = $(test_cppflags)
tests_unit_test_thread_LDADD = $(test_libs)
tests_unit_test_turn_CPPFLAGS = $(test_cppflags)
tests_unit_test_turn_LDADD = $(test_libs)
tests_unit_test_userfault_CPPFLAGS = $(test_cppflags)
tests_unit_test_userfault_LDADD = $(test_libs)
tests_unit_test_userfault_stand_in_CPPFLAGS = $(test_cppflags)
tests_unit_test_userfault_stand_in_SOURCES = tests/unit/test_userfault_stand_in.c \
	tests/support/failing_os.c
tests_unit_test_userfault_stand_in_LDADD = $(test_libs)

fault_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir) -I$(top_srcdir)/lib -D_GNU_SOURCE $(CHECK_CFLAGS)
tests_fault_test_bad_input_CPPFLAGS = $(fault_cppflags)
tests_fault_test_bad_input_LDADD = libmoat.la $(CHECK_LIBS)
tests_fault_test_lifetimes_CPPFLAGS = $(fault_cppflags)
tests_fault_test_lifetimes_LDADD = libmoat.la $(CHECK_LIBS)
tests_fault_test_looking_CPPFLAGS = $(fault_cppflags)
tests_fault_test_looking_LDADD = libmoat.la $(CHECK_LIBS)
tests_fault_test_places_CPPFLAGS = $(fault_cppflags)
tests_fault_test_places_LDADD = libmoat.la $(CHECK_LIBS)
tests_fault_test_crimes_CPPFLAGS = $(fault_cppflags)
tests_fault_test_crimes_SOURCES = tests/fault/test_crimes.c \
	tests/support/ending.c
tests_fault_test_crimes_LDADD = libos.la libbase.la $(CHECK_LIBS)
tests_fault_test_expect_CPPFLAGS = $(fault_cppflags)
tests_fault_test_expect_SOURCES = tests/fault/test_expect.c \
	tests/support/ending.c
tests_fault_test_expect_LDADD = libos.la libbase.la $(CHECK_LIBS)
tests_fault_test_handlers_CPPFLAGS = $(fault_cppflags)
tests_fault_test_handlers_SOURCES = tests/fault/test_handlers.c \
	tests/support/ending.c
tests_fault_test_handlers_LDADD = libos.la libbase.la $(CHECK_LIBS)
tests_fault_test_heap_CPPFLAGS = $(fault_cppflags)
tests_fault_test_heap_SOURCES = tests/fault/test_heap.c \
	tests/support/ending.c
tests_fault_test_heap_LDADD = libos.la libbase.la $(CHECK_LIBS)
tests_fault_test_scenes_CPPFLAGS = $(fault_cppflags)
tests_fault_test_scenes_SOURCES = tests/fault/test_scenes.c \
	tests/support/ending.c
tests_fault_test_scenes_LDADD = libos.la libbase.la $(CHECK_LIBS)
tests_fault_test_surroundings_CPPFLAGS = $(fault_cppflags)
tests_fault_test_surroundings_SOURCES = tests/fault/test_surroundings.c \
	tests/support/ending.c
tests_fault_test_surroundings_LDADD = libos.la libbase.la $(CHECK_LIBS)
# Loads the library itself.
tests_fault_handlers_CPPFLAGS = $(fault_cppflags)
tests_fault_handlers_LDADD =
# Calls the heap itself.
tests_fault_heap_CPPFLAGS = $(fault_cppflags)
tests_fault_heap_LDADD = libmoat-inside.la
tests_fault_heap_refusals_CPPFLAGS = $(fault_cppflags)
tests_fault_heap_refusals_LDADD = libmoat-inside.la
tests_fault_leaks_CPPFLAGS = $(fault_cppflags)
tests_fault_quantity_CPPFLAGS = $(fault_cppflags)
tests_fault_quantity_LDADD = libmoat-inside.la
tests_fault_expect_CPPFLAGS = $(fault_cppflags)
tests_fault_scenes_CPPFLAGS = $(fault_cppflags)
tests_fault_subject_CPPFLAGS = $(fault_cppflags)
tests_fault_surroundings_CPPFLAGS = $(fault_cppflags)
tests_fault_at_once_CPPFLAGS = $(fault_cppflags)
tests_fault_at_once_LDADD = libmoat.la
tests_fault_concurrent_CPPFLAGS = $(fault_cppflags)
tests_fault_concurrent_LDADD = libmoat.la
tests_fault_threads_CPPFLAGS = $(fault_cppflags)
