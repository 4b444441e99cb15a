#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Guards that cannot be put up or put back: each system call that makes pages
# accessible or inaccessible fails, one by one and all from one on. An access
# past the end of an arena, to a destroyed arena and to a freed fenced block is
# then still found, or the allocation was refused with ENOMEM (exit status 42).
# When all of them fail from the end of the arena or the block on, Moat says
# what it cannot do. Never a crash, never silence. Prints TAP. To be run at the
# top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

program=tests/fault/surroundings

if ! command -v strace >/dev/null; then
    echo "1..0 # SKIP there is no strace"
    exit 0
fi
# The program itself, not libtool's script around it.
if [ -x tests/fault/.libs/surroundings ]; then
    program=tests/fault/.libs/surroundings
    LD_LIBRARY_PATH=$PWD/.libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
fi
if ! strace -o /dev/null "$program" good_work >/dev/null 2>&1; then
    echo "1..0 # SKIP strace cannot trace here"
    exit 0
fi

# Calls are counted in one run and made to fail in another. libsigsegv reads
# the list of mappings with a number of mmap calls that grows with its length,
# and that depends on which mappings happen to touch: every run must find the
# same addresses.
fixed=
if setarch -R true 2>/dev/null; then
    fixed="setarch -R"
fi

# Of calls of a kind, how many come before Moat's own, and how many in all.
# The secret, by getrandom, is the first thing that Moat asks for.
count_calls() {
    MOAT_OPTIONS=backend=$backend $fixed strace -o "$scratch/trace" \
        -e trace="$call,getrandom" "$program" "$play" >/dev/null 2>&1
    first=$(awk -v call="$call" '
        /^getrandom\(/ { last = count }
        $0 ~ "^" call "\\(" { count++ }
        END { print last + 1 }' "$scratch/trace")
    last=$(grep -c "^$call(" "$scratch/trace")
}

inject() {
    MOAT_OPTIONS=backend=$backend timeout 60 $fixed strace -o /dev/null \
        -e "inject=$call:error=$error:when=$1" \
        "$program" "$play" >/dev/null 2>"$scratch/error"
    status=$?
    case $status in
    99) grep -q "ERROR: moat: $kind on address" "$scratch/error" ;;
    42) true ;;
    *) false ;;
    esac
    result $? "$play, backend=$backend: $call number $1 fails with $error"
}

# All kinds at once, from where the arena or the block ends: an arena ends with
# its last mmap, a block with its last madvise, and with "mprotect" its last
# mprotect.
inject_all() {
    call=mmap
    count_calls
    mmap_when=$((last + 1))
    if [ $play = stale_or_refusal ]; then
        mmap_when=$last
    fi
    call=mprotect
    count_calls
    mprotect_when=$((last + 1))
    if [ $backend:$play = mprotect:fenced_or_refusal ]; then
        mprotect_when=$last
    fi
    call=madvise
    count_calls
    MOAT_OPTIONS=backend=$backend timeout 60 $fixed strace -o /dev/null \
        -e "inject=mmap:error=ENOMEM:when=$mmap_when+" \
        -e "inject=mprotect:error=ENOMEM:when=$mprotect_when+" \
        -e "inject=madvise:error=EINVAL:when=$last+" \
        "$program" "$play" >/dev/null 2>"$scratch/error"
    status=$?
    case $status in
    0 | 99) grep -q "^moat: warning: .* could not be made inaccessible" \
        "$scratch/error" ;;
    *) false ;;
    esac
    result $? "$play, backend=$backend: nothing can be revoked, which is said"
}

for backend in move drop guard mprotect; do
    for play in fault_or_refusal stale_or_refusal fenced_or_refusal; do
        case $play in
        fault*) kind=heap-buffer-overflow ;;
        stale*) kind=use-after-unmap ;;
        fenced*) kind=heap-use-after-free ;;
        esac
        for call in mmap mprotect madvise userfaultfd ioctl; do
            case $call:$backend in
            userfaultfd:guard | userfaultfd:mprotect) continue ;;
            ioctl:guard | ioctl:mprotect) continue ;;
            esac
            case $call in
            mmap | mprotect) error=ENOMEM ;;
            madvise | ioctl) error=EINVAL ;;
            userfaultfd) error=EPERM ;;
            esac
            count_calls
            when=$first
            while [ "$when" -le "$last" ]; do
                inject "$when"
                inject "$when+"
                when=$((when + 1))
            done
        done
    done
    for play in stale_or_refusal fenced_or_refusal; do
        inject_all
    done
done
echo "1..$number"
