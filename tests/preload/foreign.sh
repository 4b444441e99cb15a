#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Blocks that are not from Moat (foreign.c), libraries that would be bound past
# it, and a program with a malloc() of its own (own_malloc.c): given back to
# where they came from, counted and said. Prints TAP. To be run at the top of
# the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=$PWD/tools/moat/moat
foreign=$PWD/tests/preload/foreign
own=$PWD/tests/preload/own_malloc

run() {
    timeout 60 "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

said() {
    grep -q -e "$1" "$scratch/error"
}

closing='^moat: [0-9]* blocks\{0,1\} fenced in 1 process; '
for backend in move drop guard mprotect; do
    for play in small large of_a_thread; do
        run $moat run --backend=$backend --stats "$foreign" $play
        [ $status -eq 0 ] &&
            said "${closing}weaker than asked: [69] blocks passed through to" &&
            said 'stats: weaker.* [69] blocks passed through to libc'
        result $? "blocks of libc's own: $play, backend=$backend"
    done
    run $moat run --backend=$backend "$foreign" crime_with_a_lookalike
    [ $status -eq 99 ] && said 'ERROR: moat: bad-free'
    result $? "what only looks like one, backend=$backend"
done
run $moat run --require=strict "$foreign" small
[ $status -eq 99 ] && said 'require=strict: a block came from libc'
result $? 'a block of libc'"'"'s own with require=strict'
run $moat run --stats "$foreign" texts_are_given_back
peak=$(sed -n 's/.* \([0-9]*\) KiB in live blocks at most.*/\1/p' \
    "$scratch/error")
[ $status -eq 0 ] && [ "${peak:-9999}" -lt 1000 ]
result $? 'texts that libc allocates do not stay'

# The library lies where only the program's RUNPATH leads to.
mkdir "$scratch/place"
if ${CC:-cc} -shared -fPIC -o "$scratch/place/libmoat-foreign-test.so" \
    "$srcdir/tests/preload/foreign_library.c" 2>"$scratch/error" &&
    ${CC:-cc} -D_GNU_SOURCE -O2 -Wl,--enable-new-dtags \
        -Wl,-rpath,"$scratch/place" -o "$scratch/opens" \
        "$srcdir/tests/preload/foreign.c" 2>"$scratch/error"
then
    for play in deepbind space; do
        run "$scratch/opens" $play
        [ $status -eq 0 ]
        result $? "a library by $play, plain"
        run $moat run --require=strict "$scratch/opens" $play
        [ $status -eq 0 ] && said 'nothing was weaker than asked'
        result $? "a library by $play"
    done
    for play in crime_in_deepbind crime_in_base_space; do
        run $moat run "$scratch/opens" $play
        [ $status -eq 99 ] && said 'ERROR: moat: heap-buffer-overflow' &&
            said '0 bytes after the end of 32-byte block'
        result $? "an overflow in a library: $play"
    done
else
    number=$((number + 1))
    echo "ok $number - libraries # SKIP none can be made here"
fi

run $moat run "$own"
[ $status -eq 0 ] && [ "$(cat "$scratch/output")" = 'all is well' ] &&
    said 'brings its own malloc' &&
    said "${closing}weaker than asked: 1 process with a malloc() of its own"
result $? 'a malloc() of the program'"'"'s own'
run $moat run --require=strict "$own"
[ $status -eq 99 ] && said 'require=strict: the program brings its own malloc'
result $? 'the same with require=strict'
echo "1..$number"
