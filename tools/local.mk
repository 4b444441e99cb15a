# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command moat: one file for each of its commands.

bin_PROGRAMS += tools/moat/moat
tools_moat_moat_CPPFLAGS = $(LIB_CPPFLAGS) \
	-DMOAT_DEMO_DIR='"$(pkglibexecdir)/demos"' \
	-DMOAT_PRELOAD_DIR='"$(pkglibdir)"'
tools_moat_moat_SOURCES = \
	tools/moat/check.c \
	tools/moat/command.h \
	tools/moat/defect.c \
	tools/moat/defect.h \
	tools/moat/demo.c \
	tools/moat/doctor.c \
	tools/moat/environment.c \
	tools/moat/help.c \
	tools/moat/input.c \
	tools/moat/input.h \
	tools/moat/launch.c \
	tools/moat/launch.h \
	tools/moat/main.c \
	tools/moat/pass.c \
	tools/moat/pass.h \
	tools/moat/place.c \
	tools/moat/program.c \
	tools/moat/proof.c \
	tools/moat/proof.h \
	tools/moat/run.c \
	tools/moat/sighting.c \
	tools/moat/sighting.h
# Only the parser of options, the text it writes to, and the ways to revoke; a
# convenience library gives a program no more than it asks for.
tools_moat_moat_LDADD = libapi.la libos.la libbase.la
