#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two threads at once in an arena that is not shared are reported, both by
# name; one after the other is not, and a shared arena bears any number. In both
# layouts, on every way of revoking. Prints TAP. To be run at the top of the
# build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

threads=tests/fault/threads

# play SCENE OPTIONS: what it writes is in $scratch/error.
play() {
    MOAT_OPTIONS=backend=$backend$2 timeout 120 "$threads" "$1" $layout \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
}

# Whether there is one report, as it has to be.
is_reported() {
    [ "$(grep -c 'ERROR: moat: ' "$scratch/error")" -eq 1 ] &&
        grep -q 'ERROR: moat: data-race on address 0x.* at pc 0x.*, seen at' \
            "$scratch/error" &&
        sed -n 's/^in thread \(T[0-9]*\) .*/\1/p' "$scratch/error" \
            >"$scratch/one" &&
        sed -n 's/^thread \(T[0-9]*\) .* was in a call on the same arena.*/\1/p' \
            "$scratch/error" >"$scratch/other" &&
        [ -s "$scratch/one" ] && [ -s "$scratch/other" ] &&
        ! cmp -s "$scratch/one" "$scratch/other" &&
        grep -A 1 'was in a call on the same arena here:$' "$scratch/error" |
        grep -q '^    #0 0x.*threads' &&
        grep -q 'arena "letters"' "$scratch/error" &&
        grep -q '^SUMMARY: moat: data-race .*threads' "$scratch/error"
}

for layout in packed fenced; do
    for backend in move drop guard mprotect; do
        for scene in collide change_while_another_walks \
            destroy_while_another_walks; do
            play $scene ''
            [ $status -eq 99 ] && is_reported
            result $? "$scene is reported: $layout, backend=$backend"
            play $scene :halt_on_error=0
            [ $status -eq 0 ] && is_reported
            result $? "$scene, and it goes on: $layout, backend=$backend"
        done
        for scene in look_while_another_looks share join take_turns \
            fork_meanwhile fork_inside expect; do
            play $scene ''
            [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
            result $? "$scene is right: $layout, backend=$backend"
        done
    done
done
echo "1..$number"
