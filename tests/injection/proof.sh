#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guard page that is tried at start does not hold, or the first freed block:
# the system call that is to find it out of reach says that it could read it. The
# next weaker way is taken, or it is said that there is none; it is counted, and
# an error under require=strict. Prints TAP. To be run at the top of the build
# tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat
program=tests/preload/crime

if ! command -v strace >/dev/null; then
    echo "1..0 # SKIP there is no strace"
    exit 0
fi
if ! strace -o /dev/null "$program" nothing >/dev/null 2>&1; then
    echo "1..0 # SKIP strace cannot trace here"
    exit 0
fi

# lie WHAT OPTIONS [CRIME]: with the kernel's answers replaced.
lie() {
    strace -o /dev/null -E LD_PRELOAD="$PWD/.libs/libmoat-preload.so" \
        -E MOAT_OPTIONS="$2" -e "inject=rt_sigprocmask:$1" "$program" "${3:-nothing}" \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
}

says() {
    [ "$(grep -c "$1" "$scratch/error")" -eq 1 ]
}

# Which of the process's calls are Moat's two: they name no operation.
strace -o "$scratch/trace" -e trace=rt_sigprocmask \
    -E LD_PRELOAD="$PWD/.libs/libmoat-preload.so" "$program" nothing >/dev/null
first=$(awk '/^rt_sigprocmask\(/ { calls++ }
    /^rt_sigprocmask\(0xffffffff/ { print calls; exit }' "$scratch/trace")
status=$first
[ "$(grep -c '^rt_sigprocmask(0xffffffff.* EFAULT' "$scratch/trace")" -eq 2 ]
result $? 'a guard page is tried at start, and the first block that is freed'
[ -n "$first" ] || first=1

for backend in move drop guard mprotect; do
    options=stats=1:backend=$backend
    lie "error=EINVAL:when=$first" "$options"
    case $backend in
    mprotect)
        # Asked once more, the kernel tells the truth.
        pattern='warning: a guard page was tried at start'
        ;;
    *) pattern='warning: a guard page was tried at start and did not hold' ;;
    esac
    [ "$status" -eq 0 ] && grep -q 'all is well' "$scratch/output" &&
        says "$pattern" && says 'weaker than asked: 1 guards that did not' &&
        ! grep -q "stats: backend ${backend%mprotect}:" "$scratch/error"
    result $? "a guard that does not hold, backend=$backend"
    lie "error=EINVAL:when=$((first + 1))" "$options"
    [ "$status" -eq 0 ] && grep -q 'all is well' "$scratch/output" &&
        says 'warning: a freed block was tried and found accessible' &&
        says 'weaker than asked: 1 freed blocks found accessible' &&
        grep -q "stats: backend $backend:" "$scratch/error"
    result $? "a block that is not revoked, backend=$backend"
    lie "error=EINVAL:when=$((first + 1))" "$options:require=strict"
    [ "$status" -eq 99 ] && says 'error: require=strict: a freed block'
    result $? "and an error under require=strict, backend=$backend"
    lie "error=EINVAL:when=$first" "$options:require=strict"
    [ "$status" -eq 99 ] && [ ! -s "$scratch/output" ] &&
        says 'error: require=strict: a guard page'
    result $? "a guard is, too, backend=$backend"
done
lie error=EINVAL stats=1
[ "$status" -eq 0 ] && grep -q 'all is well' "$scratch/output" &&
    says 'warning: guard pages were tried at start and none holds' &&
    says 'weaker than asked: 1 freed blocks found accessible, 1 no guards that'
result $? 'no guard holds, and the program runs'
lie error=EINVAL require=strict
[ "$status" -eq 99 ] && says 'error: require=strict: guard pages'
result $? 'and does not under require=strict'
strace -f -o /dev/null -e inject=rt_sigprocmask:error=EINVAL "$moat" run \
    "$program" nothing >"$scratch/output" 2>"$scratch/error"
status=$?
[ "$status" -eq 0 ] && says 'weaker than asked: 2 shortfalls'
result $? 'the line at the end counts it'
echo "1..$number"
