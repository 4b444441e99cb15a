#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Resetting an arena takes as many system calls for 3000 blocks as for 10, in
# both layouts and with each way of revoking. A way that this machine does not
# have is skipped. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

program=tests/fault/scenes

if ! command -v strace >/dev/null; then
    echo "1..0 # SKIP there is no strace"
    exit 0
fi
# The program itself, not libtool's script around it.
if [ -x tests/fault/.libs/scenes ]; then
    program=tests/fault/.libs/scenes
    LD_LIBRARY_PATH=$PWD/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
fi
if ! strace -o /dev/null "$program" nothing_wrong >/dev/null 2>&1; then
    echo "1..0 # SKIP strace cannot trace here"
    exit 0
fi

# Print the calls between the two of getppid.
calls_of() {
    MOAT_OPTIONS=backend=$backend strace -o "$scratch/trace" "$program" \
        "$layout"_reset_of_"$1"_blocks 2>"$scratch/error"
    awk '/^getppid/ { inside = !inside; next } inside' "$scratch/trace"
}

echo "1..8"
for backend in move drop guard mprotect; do
    for layout in packed fenced; do
        number=$((number + 1))
        line="$number - $layout, backend=$backend"
        calls_of 10 >"$scratch/few"
        if grep -q backend "$scratch/error"; then
            echo "ok $line # SKIP $(head -n 1 "$scratch/error")"
            continue
        fi
        calls_of 3000 >"$scratch/many"
        few=$(wc -l <"$scratch/few")
        many=$(wc -l <"$scratch/many")
        if [ "$few" -eq "$many" ] && [ "$few" -gt 0 ] &&
            [ ! -s "$scratch/error" ]; then
            echo "ok $line"
        else
            echo "not ok $line"
            echo "# $few calls for 10 blocks, $many for 3000"
            sed 's/^/# /' "$scratch/error" "$scratch/many" | head -n 20
        fi
    done
done
