#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The heap while the kernel refuses: each system call that gives, moves or takes
# pages fails, one by one and all from one on, with each errno value that it can
# give, on each way of revoking. The program looks at its blocks itself: what
# was freed is out of reach and what lives is guarded, or Moat has said that it
# is not so, or the allocation was refused with ENOMEM (exit status 42). Prints
# TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

program=tests/fault/heap_refusals

if ! command -v strace >/dev/null; then
    echo "1..0 # SKIP there is no strace"
    exit 0
fi
if ! strace -o /dev/null "$program" >/dev/null 2>&1; then
    echo "1..0 # SKIP strace cannot trace here"
    exit 0
fi
# As in revocations.sh: calls are counted in one run and fail in another.
fixed=
if setarch -R true 2>/dev/null; then
    fixed="setarch -R"
fi

# Of calls of a kind, how many come before Moat's own, and how many in all.
count_calls() {
    MOAT_OPTIONS=backend=$backend $fixed strace -o "$scratch/trace" \
        -e trace="$call,getrandom" "$program" >/dev/null 2>&1
    first=$(awk -v call="$call" '
        /^getrandom\(/ { last = count }
        $0 ~ "^" call "\\(" { count++ }
        END { print last + 1 }' "$scratch/trace")
    last=$(grep -c "^$call(" "$scratch/trace")
}

inject() {
    MOAT_OPTIONS=backend=$backend timeout 60 $fixed strace -o /dev/null \
        -e "inject=$call:error=$error:when=$1" \
        "$program" >/dev/null 2>"$scratch/error"
    status=$?
    case $status in
    0 | 42) ! grep -q "ERROR: moat" "$scratch/error" ;;
    *) false ;;
    esac
    result $? "backend=$backend: $call number $1 fails with $error"
}

errors_of() {
    case $1 in
    userfaultfd) echo ENOSYS EPERM EMFILE ENOMEM ;;
    fcntl) echo EMFILE EINVAL ;;
    ioctl) echo EPERM EINVAL ENOMEM EAGAIN EBUSY ENOENT EEXIST EBADF ESRCH ;;
    madvise) echo EINVAL ENOMEM EPERM EAGAIN ;;
    mprotect) echo ENOMEM EACCES ;;
    mremap) echo ENOMEM EFAULT EINVAL ;;
    munlock) echo ENOMEM EPERM EAGAIN ;;
    mmap) echo ENOMEM ;;
    esac
}

# All of them take six minutes. In every run of the tests it is one call in so
# many, another one for each errno value; MOAT_INJECTION_STEP=1 is all.
step=${MOAT_INJECTION_STEP:-16}
turn=0

for backend in ${MOAT_INJECTION_WAYS:-move drop guard mprotect}; do
    calls="mmap mprotect madvise mremap munlock"
    case $backend in
    move | drop) calls="$calls userfaultfd fcntl ioctl" ;;
    esac
    for call in $calls; do
        count_calls
        for error in $(errors_of $call); do
            turn=$((turn + 1))
            when=$((first + turn % step))
            while [ "$when" -le "$last" ]; do
                inject "$when+"
                # Once is enough for one errno value, and for ioctl each has
                # a meaning of its own.
                case $call:$error in
                ioctl:* | *:ENOMEM | *:ENOSYS) inject "$when" ;;
                esac
                when=$((when + step))
            done
        done
    done
done
echo "1..$number"
