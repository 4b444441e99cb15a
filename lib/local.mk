# SPDX-License-Identifier: GPL-2.0-or-later
#
# The library: one convenience library a layer, lowest first. A new source file
# is one line in its layer's list.

LIB_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/lib -D_GNU_SOURCE
# Only what the public headers mark as MOAT_API leaves the library.
LIB_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden

noinst_LTLIBRARIES += libbase.la libos.la librecord.la liballoc.la \
	libdiagnose.la libapi.la

libbase_la_CPPFLAGS = $(LIB_CPPFLAGS)
libbase_la_CFLAGS = $(LIB_CFLAGS)
libbase_la_SOURCES = \
	lib/base/canary.c lib/base/canary.h \
	lib/base/random.h \
	lib/base/size.h \
	lib/base/sort.c lib/base/sort.h \
	lib/base/text.c lib/base/text.h

libos_la_CPPFLAGS = $(LIB_CPPFLAGS)
libos_la_CFLAGS = $(LIB_CFLAGS)
libos_la_SOURCES = \
	lib/os/address_space.c lib/os/address_space.h \
	lib/os/books.c lib/os/books.h \
	lib/os/checkers.c lib/os/checkers.h \
	lib/os/context.h \
	lib/os/lock.h \
	lib/os/maps.c lib/os/maps.h \
	lib/os/memory.c lib/os/memory.h \
	lib/os/others.c lib/os/others.h \
	lib/os/output.c lib/os/output.h \
	lib/os/own_memory.c lib/os/own_memory.h \
	lib/os/pagemap.c lib/os/pagemap.h \
	lib/os/pages.c lib/os/pages.h \
	lib/os/peek.c lib/os/peek.h \
	lib/os/process.c lib/os/process.h \
	lib/os/program.c lib/os/program.h \
	lib/os/range_list.c lib/os/range_list.h \
	lib/os/revoke.c lib/os/revoke.h \
	lib/os/revoke_drop.c \
	lib/os/revoke_guard.c \
	lib/os/revoke_move.c \
	lib/os/revoke_mprotect.c \
	lib/os/shared.c lib/os/shared.h \
	lib/os/tasks.c lib/os/tasks.h \
	lib/os/thread.c lib/os/thread.h \
	lib/os/streams.c lib/os/streams.h \
	lib/os/turn.c lib/os/turn.h \
	lib/os/userfault.c lib/os/userfault.h \
	lib/os/userfault_stand_in.c lib/os/userfault_stand_in.h
if CPU_X86_64
libos_la_SOURCES += lib/os/context_x86_64.c
EXTRA_DIST += lib/os/context_aarch64.c
else
libos_la_SOURCES += lib/os/context_aarch64.c
EXTRA_DIST += lib/os/context_x86_64.c
endif

librecord_la_CPPFLAGS = $(LIB_CPPFLAGS)
librecord_la_CFLAGS = $(LIB_CFLAGS)
librecord_la_SOURCES = \
	lib/record/actor.c lib/record/actor.h \
	lib/record/arena_record.c lib/record/arena_record.h \
	lib/record/block.h \
	lib/record/describe.c lib/record/describe.h \
	lib/record/heap_walk.c lib/record/heap_walk.h \
	lib/record/hole.h \
	lib/record/kind.c \
	lib/record/live.c lib/record/live.h \
	lib/record/refusal.c lib/record/refusal.h \
	lib/record/region.c lib/record/region.h \
	lib/record/site.c lib/record/site.h \
	lib/record/state.c lib/record/state.h \
	lib/record/tally.h

liballoc_la_CPPFLAGS = $(LIB_CPPFLAGS)
liballoc_la_CFLAGS = $(LIB_CFLAGS)
liballoc_la_SOURCES = \
	lib/alloc/altered.c lib/alloc/altered.h \
	lib/alloc/arena.c lib/alloc/arena.h \
	lib/alloc/arena_annotate.c lib/alloc/arena_annotate.h \
	lib/alloc/arena_damage.c lib/alloc/arena_damage.h \
	lib/alloc/arena_dump.c \
	lib/alloc/arena_inspect.c lib/alloc/arena_inspect.h \
	lib/alloc/arena_map.c \
	lib/alloc/arena_mark.c lib/alloc/arena_mark.h \
	lib/alloc/arena_pages.c lib/alloc/arena_pages.h \
	lib/alloc/arena_realloc.c lib/alloc/arena_realloc.h \
	lib/alloc/arena_reset.c lib/alloc/arena_reset.h \
	lib/alloc/arena_snapshot.c lib/alloc/arena_snapshot.h \
	lib/alloc/arena_user.c lib/alloc/arena_user.h \
	lib/alloc/budget.c lib/alloc/budget.h \
	lib/alloc/bump.h \
	lib/alloc/canary_slots.c lib/alloc/canary_slots.h \
	lib/alloc/extent.c lib/alloc/extent.h \
	lib/alloc/fence.c lib/alloc/fence.h \
	lib/alloc/large.c lib/alloc/large.h \
	lib/alloc/numbers.c lib/alloc/numbers.h \
	lib/alloc/packed.c lib/alloc/packed.h \
	lib/alloc/shortfall.c lib/alloc/shortfall.h \
	lib/alloc/slot_books.c lib/alloc/slot_books.h \
	lib/alloc/slot_cache.c lib/alloc/slot_cache.h \
	lib/alloc/slot_class.c lib/alloc/slot_class.h \
	lib/alloc/slot_queue.h \
	lib/alloc/slot_revoke.c lib/alloc/slot_revoke.h \
	lib/alloc/slots.c lib/alloc/slots.h

libdiagnose_la_CPPFLAGS = $(LIB_CPPFLAGS)
libdiagnose_la_CFLAGS = $(LIB_CFLAGS)
libdiagnose_la_SOURCES = \
	lib/diagnose/classify.c lib/diagnose/classify.h \
	lib/diagnose/expect.c lib/diagnose/expect.h \
	lib/diagnose/fault.c lib/diagnose/fault.h \
	lib/diagnose/leak.c lib/diagnose/leak.h \
	lib/diagnose/leak_gaps.c lib/diagnose/leak_gaps.h \
	lib/diagnose/leak_roots.c lib/diagnose/leak_roots.h \
	lib/diagnose/report.c lib/diagnose/report.h \
	lib/diagnose/report_text.c lib/diagnose/report_text.h \
	lib/diagnose/symbol.c lib/diagnose/symbol.h

libapi_la_CPPFLAGS = $(LIB_CPPFLAGS)
libapi_la_CFLAGS = $(LIB_CFLAGS)
libapi_la_SOURCES = \
	lib/api/arena_api.c \
	lib/api/faults.c lib/api/faults.h \
	lib/api/arena_use.c lib/api/arena_use.h \
	lib/api/expect_api.c \
	lib/api/guarded_api.c \
	lib/api/heap.c lib/api/heap.h \
	lib/api/inspect_api.c \
	lib/api/leaks.c lib/api/leaks.h \
	lib/api/options.c lib/api/options.h lib/api/options.def \
	lib/api/report_api.c \
	lib/api/roots.c lib/api/roots.h \
	lib/api/runtime.c lib/api/runtime.h \
	lib/api/stats.c lib/api/stats.h \
	lib/api/tally.c lib/api/tally.h \
	lib/api/trials.c lib/api/trials.h \
	lib/api/version_api.c

# libdiagnose last: its large buffers, which only a report touches, are then
# behind the variables that each start does.
moat_layers = libapi.la liballoc.la librecord.la libos.la libbase.la \
	libdiagnose.la

lib_LTLIBRARIES += libmoat.la
libmoat_la_SOURCES =
libmoat_la_LIBADD = $(moat_layers) $(SIGSEGV_LIBS)
# Signal handlers point into the library, so it must never be unloaded.
libmoat_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info 0:0:0 \
	-Wl,-z,nodelete

# The same objects with nothing hidden, for tests that look inside.
noinst_LTLIBRARIES += libmoat-inside.la
libmoat_inside_la_SOURCES =
libmoat_inside_la_LIBADD = $(moat_layers) $(SIGSEGV_LIBS)

# What is preloaded: the same layers, and functions that take the place of
# libc's. The layers' own calls of these go to lib/preload/next.c instead.
# libsigsegv is linked in and hidden, for programs that have their own copy;
# it and the loader's flag come by way of -Wl, past libtool.
pkglib_LTLIBRARIES = libmoat-preload.la
libmoat_preload_la_CPPFLAGS = $(LIB_CPPFLAGS)
# GCC would make calloc() of what calloc() does.
libmoat_preload_la_CFLAGS = $(LIB_CFLAGS) -fno-builtin
libmoat_preload_la_SOURCES = \
	lib/preload/descriptors.c \
	lib/preload/early.c lib/preload/early.h \
	lib/preload/foreign.c lib/preload/foreign.h \
	lib/preload/forks.c \
	lib/preload/introspect.c \
	lib/preload/kernel.c lib/preload/kernel.h \
	lib/preload/limits.c \
	lib/preload/loader.c \
	lib/preload/malloc.c lib/preload/malloc.h \
	lib/preload/lock_all.c \
	lib/preload/mask.c lib/preload/mask.h \
	lib/preload/next.c lib/preload/next.h \
	lib/preload/old_signals.c \
	lib/preload/operators.c lib/preload/operators.h \
	lib/preload/preload.h \
	lib/preload/process.c \
	lib/preload/own_pages.c \
	lib/preload/programs.c \
	lib/preload/replaced.c lib/preload/replaced.h \
	lib/preload/sandbox.c lib/preload/by_number.c \
	lib/preload/signals.c lib/preload/signals.h \
	lib/preload/strings.c \
	lib/preload/threads.c
libmoat_preload_la_LIBADD = $(moat_layers)
libmoat_preload_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,-z,noseparate-code -no-undefined -Wl,-z,nodelete -Wl,-z,initfirst \
	-Wl,--wrap=malloc -Wl,--wrap=free -Wl,--wrap=sigaction \
	-Wl,--wrap=signal -Wl,--wrap=sigprocmask -Wl,--wrap=close \
	-Wl,--wrap=getrlimit -Wl,--wrap=syscall \
	-Wl,--wrap=mmap -Wl,--wrap=munmap -Wl,--wrap=mremap \
	-Wl,--wrap=mprotect -Wl,--wrap=madvise -Wl,--wrap=munlock \
	-Wl,--wrap=stackoverflow_install_handler \
	-Wl,$(SIGSEGV_ARCHIVE) -Wl,--exclude-libs,libsigsegv.a
