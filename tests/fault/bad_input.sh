#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bad input, one by one, and what is done with arenas in the long run: in both
# layouts, in arenas that are shared and such that are not, on every way of
# revoking. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

for kind in packed fenced 'packed shared' 'fenced shared'; do
    for backend in move drop guard mprotect; do
        for program in test_bad_input test_lifetimes test_looking \
            test_places; do
            # The words of $kind are arguments.
            # shellcheck disable=SC2086
            MOAT_OPTIONS=halt_on_error=0:backend=$backend \
                tests/fault/$program $kind || exit 99
        done >"$scratch/tap"
        # One list of all: numbered through, with one plan at its end.
        sed -n "s/^\(not ok\|ok\) [0-9]* - [^:]*:/\1 - $kind, $backend: /p" \
            "$scratch/tap" | sed 's/: Passed$//'
    done
done >"$scratch/all"
awk '{ sub(/ -/, " " NR " -"); print } END { print "1.." NR }' "$scratch/all"
