#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# test_bad_input, test_lifetimes and test_looking in both layouts, on every way
# of revoking. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

for layout in packed fenced; do
    for backend in move drop guard mprotect; do
        for program in test_bad_input test_lifetimes test_looking; do
            MOAT_OPTIONS=halt_on_error=0:backend=$backend \
                tests/fault/$program $layout || exit 99
        done >"$scratch/tap"
        # One list of all: numbered through, with one plan at its end.
        sed -n "s/^\(not ok\|ok\) [0-9]* - [^:]*:/\1 - $layout, $backend: /p" \
            "$scratch/tap" | sed 's/: Passed$//'
    done
done >"$scratch/all"
awk '{ sub(/ -/, " " NR " -"); print } END { print "1.." NR }' "$scratch/all"
