#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each system call of Moat's failing, one by one, with each errno that it can
# give: the overflow is found all the same, or the arena is refused with ENOMEM
# (exit status 42 of the scene); never a crash, never silence. Prints TAP. To be
# run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

program=tests/fault/scenes
scene=one_overflow_or_refusal

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

# Which calls of a kind come before Moat's own: the loader and the C library
# have theirs, and a program that they fail for never starts. The first that is
# Moat's is the one behind it has opened nothing but asked for its options.
count_calls() {
    strace -o "$scratch/trace" -e trace="$1" "$program" $scene \
        >/dev/null 2>&1
    grep -c "^$1(" "$scratch/trace"
}
count_before() {
    # getrandom is the first thing that starting asks for by name; the secret.
    strace -o "$scratch/trace" -e trace="$1,getrandom" "$program" $scene \
        >/dev/null 2>&1
    awk -v call="$1" '
        /^getrandom\(/ { last = count }
        $0 ~ "^" call "\\(" { count++ }
        END { print last + 0 }' "$scratch/trace"
}

inject() {
    call=$1
    error=$2
    when=$3
    backend=$4
    MOAT_OPTIONS=backend=$backend timeout 60 strace -o /dev/null \
        -e "inject=$call:error=$error:when=$when" \
        "$program" $scene >/dev/null 2>"$scratch/error"
    status=$?
    case $status in
    99) grep -q 'ERROR: moat: heap-buffer-overflow' "$scratch/error" ;;
    42) true ;;
    *) false ;;
    esac
    result $? "$call number $when fails with $error, backend=$backend"
}

for backend in guard mprotect auto; do
    for call in mmap mprotect madvise; do
        first=$(($(count_before "$call") + 1))
        last=$(count_calls "$call")
        case $call in
        mmap) errors=ENOMEM ;;
        mprotect) errors="ENOMEM EACCES" ;;
        madvise) errors="EINVAL ENOMEM EPERM" ;;
        esac
        for error in $errors; do
            when=$first
            while [ "$when" -le "$last" ]; do
                inject "$call" "$error" "$when" "$backend"
                when=$((when + 1))
            done
            # And from each on all that follow.
            inject "$call" "$error" "$first+" "$backend"
        done
    done
done

# Calls without which reports are poorer, but not missing.
for call in getrandom prctl rt_sigaction sigaltstack fcntl newfstatat \
    prlimit64; do
    strace -o "$scratch/trace" -e trace=$call "$program" $scene \
        >/dev/null 2>&1
    last=$(grep -c "^$call(" "$scratch/trace")
    [ "$last" -gt 0 ] || continue
    inject "$call" EPERM "$last" auto
done

echo "1..$number"
