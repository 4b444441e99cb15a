#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Calls while another thread is inside one, and by several at once, in both
# layouts, on every way of revoking. Prints TAP. To be run at the top of the
# build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

for layout in packed fenced; do
    for backend in move drop guard mprotect; do
        for program in concurrent at_once; do
            MOAT_OPTIONS=halt_on_error=0:backend=$backend timeout 300 \
                tests/fault/$program $layout >"$scratch/tap" || exit 99
            # One list of all: numbered through, with one plan at its end.
            sed -n -e "s/^\(not ok\|ok\) [0-9]* - /\1 - $layout, $backend: /p" \
                -e '/^#/p' "$scratch/tap"
        done
    done
done >"$scratch/all"
awk '/^#/ { print; next } { sub(/ -/, " " ++n " -"); print }
    END { print "1.." n }' "$scratch/all"
