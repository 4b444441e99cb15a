#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command moat: what it answers to good and to bad command lines, and how
# it ends. Prints TAP.
#
# To be run at the top of the build tree; $srcdir is the top of the sources.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat
unset MOAT_OPTIONS

# check NAME STATUS OUT ERROR ARGUMENT...
# moat with the ARGUMENTs ends with STATUS, and each of the regular expressions
# OUT and ERROR is found in what it writes; an empty one: writes nothing.
check() {
    name=$1
    wanted=$2
    out=$3
    error=$4
    shift 4
    number=$((number + 1))
    timeout 60 "$moat" "$@" >"$scratch/out" 2>"$scratch/error"
    status=$?
    if [ "$status" -eq "$wanted" ] && holds "$out" "$scratch/out" &&
        holds "$error" "$scratch/error"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        echo "# exit status $status, expected $wanted"
        sed 's/^/# out: /' "$scratch/out"
        sed 's/^/# error: /' "$scratch/error"
    fi
}

holds() {
    if [ -z "$1" ]; then
        [ ! -s "$2" ]
    else
        grep -q -- "$1" "$2"
    fi
}

check "without arguments it shows how to use it" 2 '' 'usage: moat '
check "--help shows the commands" 0 '^  moat demo ' '' --help
check "help shows them too" 0 '^  moat demo ' '' help
check "--version" 0 '^moat [0-9]*\.[0-9]*\.[0-9]*$' '' --version
check "help options shows the options" 0 'halt_on_error' '' help options
check "help of anything else is refused" 2 '' "'nothing'" help nothing
check "help of a command" 0 '^usage: moat run ' '' help run
check "is what its --help shows" 0 '^usage: moat doctor' '' doctor --help
check "an unknown command is refused" 2 '' "command 'sail'" sail
check "an unknown option is refused" 2 '' "option '--sail'" --sail
check "doctor says which ways there are" 0 '^  mprotect  *yes' '' doctor
check "and which is taken" 0 '^backend=auto takes [a-z]*\.$' '' doctor
check "doctor takes nothing else" 2 '' "'cold'" doctor cold
for source in "$srcdir"/demos/[0-9]*.c; do
    name=$(basename "$source" .c)
    check "demo lists $name" 0 "^  $name  *[a-z]" '' demo
done
check "the start of a name is enough" 0 'leak tracer' '' demo 09b
check "the whole name as well" 0 'Hello arena' '' demo 09a_scope
check "the start of two names is refused" 2 '' '09a_scope' demo 09
check "with these two" 2 '' '09b_leak_tracer' demo 09
number=$((number + 1))
if grep -q '10_overlap' "$scratch/error"; then
    echo "not ok $number - and no others"
else
    echo "ok $number - and no others"
fi
check "an unknown demo is refused" 2 '' '09b_leak_tracer' demo 99
check "two names are refused" 2 '' 'one name' demo 09a 09b
demos=$(find "$srcdir/demos" -name '[0-9]*.c' | wc -l)
check "demo all runs all" 0 "^All $demos demos came out" '' demo all
check "under their names" 0 '^== 09b_leak_tracer: [a-z]' '' demo all

MOAT_OPTIONS=no_such_option=1
export MOAT_OPTIONS
check "an unknown key in MOAT_OPTIONS is named" 2 '' 'no_such_option' demo
check "help is given all the same" 0 'usage: moat ' '' --help
MOAT_OPTIONS=backend=sieve
check "a bad value is named" 2 '' 'sieve' demo
check "with what is accepted" 2 '' 'mprotect' demo
MOAT_OPTIONS=halt_on_error=0
check "a demo that did not come out right is a failure" 1 \
    'the lesson failed' '' demo 09b
check "also among all" 1 'the lesson failed' '09b_leak_tracer failed' demo all
check "which are counted" 1 'the lesson failed' \
    "^moat: [1-9][0-9]* of $demos demos failed" demo all

echo "1..$number"
