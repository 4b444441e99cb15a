# SPDX-License-Identifier: GPL-2.0-or-later
#
# Benchmarks: run by `make bench`, and built by `make check`, which does not run
# them, so that each compiles with what it calls. A new one is a name in this
# list.

bench_programs = \
	bench/fork \
	bench/growth \
	bench/memory \
	bench/packed \
	bench/pair \
	bench/reuse \
	bench/startup \
	bench/sweep
check_PROGRAMS += $(bench_programs)
EXTRA_DIST += bench/README.md bench/bare.h bench/measure.h \
	bench/programs.sh bench/ways.h
bench_fork_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
# Calls the heap itself.
bench_growth_CPPFLAGS = $(LIB_CPPFLAGS) -I$(top_srcdir)
bench_growth_LDADD = libmoat-inside.la
bench_memory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_packed_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_pair_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_reuse_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_startup_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_sweep_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE

.PHONY: bench
bench: $(bench_programs)
	@for program in $(bench_programs); do ./$$program || exit; echo; done
	@$(SHELL) $(srcdir)/bench/programs.sh
