#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs with signal handlers and masks of their own (signals.c), that close
# what is not theirs and make children in unusual ways (processes.c, lenders.c),
# limit their memory (limits.c), enter a sandbox beside threads (sandboxes.c), or
# end in unusual ways (endings.c), under `moat run`: they work as ever, and cannot
# silence a report. Each is run without Moat first. Prints TAP. To be run at the
# top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat

# Whether the play has said that this machine does not allow it.
is_skipped() {
    [ $status -eq 77 ] &&
        reason=$(sed -n 's/^skipped: //p' "$scratch/error") &&
        [ -n "$reason" ] && skip "$1" "$reason"
}

programs='tests/preload/signals tests/preload/processes tests/preload/limits
    tests/preload/sandboxes tests/preload/lenders tests/preload/endings'

for play in $(for program in $programs; do $program; done); do
    for program in $programs; do
        ! $program | grep -q -x "$play" || break
    done
    case $play in
    # Reported, and then it ends by the signal, as it would without Moat.
    crime_outside*) kind=segv ;;
    crime_without_end*) kind=stack-overflow ;;
    crime_in_a_child_of* | crime_after_raw* | crime_after_close* | \
        crime_after_dup* | \
        crime_in_a_sandbox* | crime_in_another_thread*)
        kind=heap-use-after-free
        ;;
    crime*) kind=heap-buffer-overflow ;;
    *)
        $program "$play" 2>"$scratch/error"
        status=$?
        is_skipped "$play, plain" || result $status "$play, plain"
        ;;
    esac
    for backend in move drop guard mprotect; do
        timeout 60 $moat run --backend=$backend $program "$play" \
            2>"$scratch/error"
        status=$?
        ! is_skipped "$play, backend=$backend" || continue
        case $play in
        crime*)
            [ $status -eq 99 ] &&
                grep -q "ERROR: moat: $kind on address" "$scratch/error" &&
                ! grep -q 'does not hold' "$scratch/error" &&
                case $play-$backend in
                *_after_main-*)
                    # By the maps of the process.
                    grep -q "SUMMARY: moat: $kind .*$program+0x" \
                        "$scratch/error"
                    ;;
                *raw_close_range-move | *raw_close_range-drop)
                    grep -q "closed Moat's userfaultfd" "$scratch/error" &&
                        grep -q '^moat: .*weaker than asked: 1 shortfall' \
                            "$scratch/error"
                    ;;
                esac
            ;;
        raw_close_range*)
            [ $status -eq 0 ] &&
                case $backend in
                move | drop)
                    grep -q "closed Moat's userfaultfd" "$scratch/error" &&
                        grep -q 'weaker than asked: 1 short' "$scratch/error"
                    ;;
                *) grep -q 'nothing was weaker' "$scratch/error" ;;
                esac
            ;;
        goes_on_as_before*)
            [ $status -eq 0 ] && ! grep -q 'next weaker' "$scratch/error" &&
                case $play in
                *refuses_calls) ;;
                *) grep -q 'nothing was weaker' "$scratch/error" ;;
                esac
            ;;
        *)
            [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
            ;;
        esac
        result $? "$play, backend=$backend"
    done
done
echo "1..$number"
