#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The search for leaks in arenas: what counts as a pointer and what does not,
# in both layouts, on every way of revoking; and what it means to other threads.
# Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

leaks=tests/fault/leaks

for layout in packed fenced; do
    for backend in move drop guard mprotect; do
        for scene in $("$leaks"); do
            MOAT_OPTIONS=backend=$backend LC_ALL=C timeout -k 5 120 "$leaks" \
                "$scene" $layout >"$scratch/output" 2>"$scratch/error"
            status=$?
            [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
            result $? "$scene: $layout, backend=$backend"
        done
    done
done
for scene in look_in_all_places judge_lost_blocks; do
    MOAT_OPTIONS=alignment=natural timeout -k 5 120 "$leaks" "$scene" fenced \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
    result $status "$scene: fenced, alignment=natural"
done
echo "1..$number"
