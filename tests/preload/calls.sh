#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The functions of malloc(3), on each way of revoking; see calls.c. Prints TAP.
# To be run at the top of the build tree.

for backend in move drop guard mprotect; do
    tools/moat/moat run --backend=$backend --require=strict \
        tests/preload/calls 2>/dev/null || echo "not ok - exit status $?"
done | awk '
    /^(not )?ok / {
        number++
        sub(/ok [0-9]*/, "ok " number)
        print
    }
    END { print "1.." number }'
