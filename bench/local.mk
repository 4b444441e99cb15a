# SPDX-License-Identifier: GPL-2.0-or-later
#
# Benchmarks: built and run by `make bench`, never by `make check`. A new one
# is a name in this list.

bench_programs = bench/packed bench/pair bench/sweep
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += bench/README.md bench/measure.h
bench_packed_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_pair_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE
bench_sweep_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -D_GNU_SOURCE

.PHONY: bench
bench: $(bench_programs)
	@for program in $(bench_programs); do ./$$program || exit; echo; done
