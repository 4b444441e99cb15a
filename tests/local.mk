# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests; all print TAP. A new unit test is a name in unit_tests and one
# _LDADD line; a new script a name in dist_check_SCRIPTS.

AM_TESTS_ENVIRONMENT = \
	ulimit -c 0; \
	srcdir='$(srcdir)'; top_srcdir='$(top_srcdir)'; \
	CK_TAP_LOG_FILE_NAME=-; \
	CC='$(CC)'; NM='$(NM)'; \
	export srcdir top_srcdir CK_TAP_LOG_FILE_NAME CC NM; \
	unset MOAT_OPTIONS;
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)

dist_check_SCRIPTS += \
	tests/demos/command.sh \
	tests/demos/demos.sh \
	tests/demos/faults.sh

EXTRA_DIST += tests/support/expect.sh

TESTS += $(dist_check_SCRIPTS)
