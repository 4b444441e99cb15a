#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The second half of `./bootstrap demo`: its lessons come out as they should on
# each way of revoking, and it fails where they do not. Prints TAP. To be run at
# the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

export srcdir

for backend in move drop guard mprotect; do
    MOAT_OPTIONS=backend=$backend
    export MOAT_OPTIONS
    sh "$srcdir/demos/fence.sh" >"$scratch/output" 2>&1 &&
        [ "$(grep -c '^=> ' "$scratch/output")" -eq 3 ] &&
        [ "$(grep -c 'ERROR: moat: heap-buffer-overflow' \
            "$scratch/output")" -eq 1 ] &&
        grep -q '^Hello, everybody$' "$scratch/output" &&
        ! grep -q 'failed' "$scratch/output"
    result $? "the lessons come out, backend=$backend"
done
MOAT_OPTIONS=exitcode=7
! sh "$srcdir/demos/fence.sh" >"$scratch/output" 2>&1 &&
    [ "$(grep -c 'the lesson failed' "$scratch/output")" -eq 1 ]
result $? 'one that did not come out is a failure'
echo "1..$number"
