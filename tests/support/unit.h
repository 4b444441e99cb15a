/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the tests of one file: TAP on standard output, exit status 0 unless
 * the tests could not be run at all.
 */
#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Run the tests that ADD puts into the test case, which is called NAME. */
static inline int unit_run(const char *name, void (*add)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 60);
    add(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    /* "-" is standard output, also when a test is run by hand. */
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int run = srunner_ntests_run(runner);
    srunner_free(runner);
    return run > 0 ? EXIT_SUCCESS : 99;
}

/* Say why the whole program is skipped; returns its exit status. */
static inline int unit_skip(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    return EXIT_SUCCESS;
}

#endif
