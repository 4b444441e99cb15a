#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# stop_at, fail_at, fail_rate and seed: programs whose allocations are stopped at
# or refused. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat
crime=tests/preload/crime
trial=tests/preload/trial

run() {
    "$moat" run "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

# Whether the error output has so many lines that match.
count() {
    [ "$(grep -c -e "$2" "$scratch/error")" -eq "$1" ]
}

# What a report says of a block is what stop_at takes.
run $crime free_twice_with_thousands_between
block=$(sed -n 's/.* 32-byte block #\([0-9]*\) .*/\1/p' "$scratch/error" |
    head -n 1)
place=$(grep -A 1 '^block #.* was allocated' "$scratch/error" |
    sed -n 's/^ *#0 0x[0-9a-f]* //p')
for backend in move drop guard mprotect; do
    run --backend=$backend --stop_at="$block" $crime \
        free_twice_with_thousands_between
    [ "$status" -eq 99 ] && [ -n "$block" ] && [ -n "$place" ] &&
        count 1 "^moat: stop_at: allocation #$block of 32 bytes, asked for at 0x[0-9a-f]* $place, in process" &&
        count 1 'ERROR: moat: double-free'
    result $? "the number of a report stops there, and the run goes on, backend=$backend"
    run --backend=$backend --fail_at="$block" $crime nothing
    [ "$status" -eq 99 ] &&
        count 1 "^moat: fail_at: allocation #$block of 32 bytes, .*: refused" &&
        count 1 'ERROR: moat: null-dereference' &&
        count 1 "^the last allocation that was refused, #$block of 32 bytes, was asked for by thread T0 .* here:" &&
        count 0 seed=
    result $? "the one that is refused is named by the report, backend=$backend"
done
run --stop_at="$block" --abort_on_error $crime nothing
[ "$status" -eq $((128 + 5)) ] && count 1 '^moat: stop_at: '
result $? 'with abort_on_error the process ends by SIGTRAP'
run --stop_at=1 $trial own_trap
[ "$status" -eq 0 ] && count 1 '^moat: stop_at: allocation #1 of 5 bytes' &&
    [ "$(cat "$scratch/output")" = 'went on' ]
result $? 'the handler and mask of the program for SIGTRAP are left alone'
if command -v gdb >/dev/null &&
    gdb -q -batch -ex run true 2>&1 | grep -q 'exited normally'
then
    gdb -q -batch -ex "set exec-wrapper env LD_PRELOAD=$PWD/.libs/libmoat-preload.so MOAT_OPTIONS=stop_at=$block" \
        -ex run -ex backtrace -ex continue --args $crime nothing \
        >"$scratch/output" 2>"$scratch/error" </dev/null
    status=$?
    grep -q 'received signal SIGTRAP' "$scratch/output" &&
        grep -q '^#[0-9]* .* in nothing' "$scratch/output" &&
        grep -q 'all is well' "$scratch/output" &&
        grep -q 'exited normally' "$scratch/output"
    result $? 'a debugger stops, sees the caller, and goes on'
else
    skip 'a debugger stops, sees the caller, and goes on' 'gdb does not work here'
fi

# Each of the functions, when it is its turn.
for at in 1 2 3 4 5 6 7 8 9 10 11; do
    run --fail_at=$at $trial all_functions
    wanted=$(printf 'xxxxxxxxxxx' | sed "s/x/-/$at")
    [ "$status" -eq 0 ] && [ "$(cat "$scratch/output")" = "$wanted" ] &&
        count 1 "^moat: fail_at: allocation #$at of "
    result $? "number $at is refused, and no other"
done
run --fail_at=2 $trial realloc_keeps
[ "$status" -eq 0 ] && [ "$(cat "$scratch/output")" = kept ]
result $? 'a realloc() that is refused leaves the block'

# Chance.
run --fail_rate=5 --seed=77 --stats $trial say_which
signs=$(cat "$scratch/output")
refused=$(printf '%s' "$signs" | tr -d x | wc -c)
[ "$status" -eq 0 ] && [ "$refused" -gt 4 ] && [ "$refused" -lt 50 ] &&
    count 1 "^moat: stats: refused on purpose: $refused of 100 allocations; fail_rate=5, seed=77\$" &&
    count 1 "^moat: stats: backend [a-z]*: $((100 - refused)) blocks fenced" &&
    count 1 "^moat: $((100 - refused)) blocks fenced in .*; seed=77\$"
result $? 'one in so many is refused, counted, and the seed is said'
run --fail_rate=5 --seed=77 $trial say_which
[ "$(cat "$scratch/output")" = "$signs" ]
result $? 'the same seed refuses the same'
run --fail_rate=5 --seed=78 $trial say_which
[ "$status" -eq 0 ] && [ "$(cat "$scratch/output")" != "$signs" ]
result $? 'another seed refuses others'
run --fail_rate=5 $trial say_which
signs=$(cat "$scratch/output")
seed=$(sed -n 's/.*; seed=\([0-9]*\)$/\1/p' "$scratch/error")
[ "$status" -eq 0 ] && [ -n "$seed" ] && [ "$seed" -ne 0 ]
result $? 'without a seed one is chosen, and said at the end'
run --fail_rate=5 --seed="$seed" $trial say_which
[ "$(cat "$scratch/output")" = "$signs" ]
result $? 'and refuses the same again'
run --fail_rate=5 $trial say_which
[ "$(sed -n 's/.*; seed=\([0-9]*\)$/\1/p' "$scratch/error")" != "$seed" ]
result $? 'another time it is another one'
run --fail_rate=1 --seed=9 $trial ignore_null
[ "$status" -eq 99 ] && count 1 'ERROR: moat: null-dereference' &&
    count 1 '^the last allocation that was refused, #1 of 77 bytes' &&
    count 1 '^chance played a part: seed=9$'
result $? 'a report names the seed, and the allocation that was refused'
run --fail_rate=1000000000 --seed=9 $crime free_twice
[ "$status" -eq 99 ] && count 1 'ERROR: moat: double-free' &&
    count 1 '^chance played a part: seed=9$'
result $? 'any report does'
run --seed=9 $crime free_twice
[ "$status" -eq 99 ] && count 0 seed=
result $? 'but not where chance has no say'
run --fail_rate=7 --seed=5 $trial in_a_child
[ "$status" -eq 0 ] &&
    [ "$(sort -u "$scratch/output" | wc -l)" -eq 1 ] &&
    [ "$(wc -l <"$scratch/output")" -eq 2 ]
result $? 'a child of fork() counts on from its parent, as the parent does'
run --fail_rate=5 sh -c "$trial say_which; $trial say_which"
if [ "$status" -eq 0 ]; then
    [ "$(sort -u "$scratch/output" | wc -l)" -eq 1 ]
    result $? 'the programs of a tree have the same seed'
else
    skip 'the programs of a tree have the same seed' 'the shell was refused'
fi
run --fail_at=2500 --stop_at=2600 $trial in_threads
[ "$status" -eq 0 ] && count 1 '^moat: fail_at: ' && count 1 '^moat: stop_at: '
result $? 'of several threads one meets the number'

# C++.
if ${CXX:-c++} -g -O1 -std=c++17 -o "$scratch/operators" \
    "$srcdir/tests/preload/operators.cc" 2>"$scratch/error"
then
    # libstdc++ allocates for itself, at its start and to throw.
    for at in 1 2 3 4 5 6 7 8 9 10 11 12; do
        run --fail_at=$at "$scratch/operators" refusals
        cat "$scratch/output"
    done >"$scratch/answers"
    [ "$(grep -c '^thrown 1, given 7$' "$scratch/answers")" -eq 4 ] &&
        [ "$(grep -c '^thrown 0, given 7$' "$scratch/answers")" -eq 4 ] &&
        [ "$(grep -c '^thrown 0, given 8$' "$scratch/answers")" -eq 4 ]
    result $? 'operator new throws, or returns NULL where it must not throw'
    for at in 1 2 3 4; do
        run --fail_at=$at "$scratch/operators" handler
        cat "$scratch/output"
    done >"$scratch/answers"
    [ "$(grep -c '^handled 1, given 1$' "$scratch/answers")" -eq 1 ] &&
        [ "$(grep -c '^handled 0, given 1$' "$scratch/answers")" -eq 3 ]
    result $? 'and calls the new-handler'
else
    skip 'operator new' 'there is no C++ compiler'
fi

# Bad input.
for wrong in stop_at=x fail_at=-1 fail_rate=18446744073709551616 seed=0x10; do
    run --$wrong true
    [ "$status" -eq 2 ] && grep -q "${wrong%=*} cannot be" "$scratch/error"
    result $? "$wrong is refused"
done
echo "1..$number"
