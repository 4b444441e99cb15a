#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A program that protects, locks, drops, unmaps and moves pages of its own blocks
# (own_pages.c), under `moat run`: it works as ever, nothing is weaker for it,
# and what it does to a block after freeing it is reported all the same. Those
# that work without Moat are run so first. Prints TAP. To be run at the top of
# the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat
program=tests/preload/own_pages

if [ "$(getconf PAGESIZE)" -ne 4096 ]; then
    echo "1..0 # SKIP the program counts in pages of 4096 bytes"
    exit 0
fi

run() {
    timeout 60 $moat run "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

for play in $($program); do
    case $play in
    crime_past* | crime_slack*) kind=heap-buffer-overflow ;;
    crime*) kind=heap-use-after-free ;;
    dies*) kind=segv ;;
    moat*) kind= ;;
    *)
        kind=
        $program "$play" 2>"$scratch/error"
        status=$?
        result $status "$play, plain"
        ;;
    esac
    for backend in move drop guard mprotect; do
        run --backend=$backend $program "$play"
        if [ -n "$kind" ]; then
            [ $status -eq 99 ] &&
                grep -q "ERROR: moat: $kind on address" "$scratch/error" &&
                [ "$(grep -c 'ERROR: moat' "$scratch/error")" -eq 1 ] &&
                ! grep -q 'does not hold' "$scratch/error"
        else
            [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error" &&
                grep -q '; nothing was weaker' "$scratch/error"
        fi
        result $? "$play, backend=$backend"
    done
done

# Blocks that share their pages, for want of memory. The program does nothing
# there that would lose other blocks in the same page without Moat.
for play in protected_and_back dropped_with_dontneed dropped_while_protected \
    write_barrier in_threads moat_freed_while_protected \
    moat_exits_while_protected; do
    run --max_memory=8K $program "$play"
    [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
    result $? "$play, with canaries only"
done
echo "1..$number"
