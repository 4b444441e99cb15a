#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Very many blocks on each way of revoking: 300,000 live ones in a constant
# number of mappings, many pairs in constant memory, arenas whose end takes as
# many system calls however many blocks they have, and with mprotect more blocks
# than there may be mappings. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

program=tests/fault/quantity

# play NAME OPTIONS TITLE [GREP]: GREP is to be found once in what is said.
play() {
    number=$((number + 1))
    MOAT_OPTIONS=$2 "$program" "$1" >"$scratch/output" 2>"$scratch/error"
    status=$?
    if [ $status -eq 0 ] && [ -n "$4" ] \
        && [ "$(grep -c "$4" "$scratch/error")" -ne 1 ]; then
        status="0, but \"$4\" is not said once"
    fi
    case $status in
    0) echo "ok $number - $3" ;;
    77) echo "ok $number # SKIP $3: not on this machine" ;;
    *) echo "not ok $number - $3"; echo "# exit status $status" ;;
    esac
    sed 's/^[^#]/# &/' "$scratch/output" "$scratch/error"
}

# The system calls that destroying the arena of a play takes.
destroying() {
    MOAT_OPTIONS=$2 strace -o "$scratch/trace" "$program" "$1" \
        >"$scratch/output" 2>"$scratch/error" || return
    awk '/^getppid\(/ { inside = !inside; next }
        inside { count++ }
        END { print count + 0 }' "$scratch/trace"
}

destroy() {
    number=$((number + 1))
    if ! strace -o /dev/null true 2>/dev/null; then
        echo "ok $number # SKIP strace cannot trace here"
        return
    fi
    few=$(destroying few "$1")
    many=$(destroying many "$1")
    if [ "${few:-0}" -gt 0 ] && [ "$few" = "$many" ] && [ "$few" -le 4 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
    echo "# calls: ${few:-none} for 10 blocks, ${many:-none} for 3000"
}

kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
for backend in move drop guard mprotect; do
    options=backend=$backend:require=strict:max_memory=2G
    if ! MOAT_OPTIONS=$options "$program" nothing 2>"$scratch/error"; then
        number=$((number + 1))
        echo "ok $number # SKIP $backend: $(tail -n 1 "$scratch/error")"
        continue
    fi
    destroy "$options" "$backend: a fenced arena ends in a few system calls"
    pairs=pairs
    if [ $backend = mprotect ]; then
        pairs=pairs_that_split
    fi
    play $pairs "$options:quarantine=2000" \
        "$backend: many pairs leave nothing behind"
    play large "$options:quarantine=2000" \
        "$backend: so do large blocks and arenas"
    case $backend in
    mprotect)
        play limit "backend=$backend:max_memory=2G" \
            "$backend: more blocks than mappings, and it goes on" \
            "^moat: warning: blocks could not be fenced"
        ;;
    *)
        if [ "${kib:-0}" -lt 2000000 ]; then
            number=$((number + 1))
            echo "ok $number # SKIP $backend: less than 2 GB of memory"
            continue
        fi
        play live "$options" \
            "$backend: 300,000 live blocks, a page each, no further mapping"
        ;;
    esac
done
echo "1..$number"
