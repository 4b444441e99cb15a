#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A program in Valgrind, which sees in arenas what is not live, what is not
# initialized, and what is lost; and nothing in a program that does nothing
# wrong. In the packed and the fenced layout, on the ways of revoking that work
# in there, and with MOAT_OFF. Prints TAP. To be run at the top of the build
# tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

CC=${CC:-cc}
unset MOAT_OPTIONS VALGRIND_OPTS
if ! valgrind -q true 2>/dev/null; then
    echo "1..0 # SKIP there is no valgrind that works"
    exit 0
fi
if ! grep -q HAVE_VALGRIND_MEMCHECK_H Makefile; then
    echo "1..0 # SKIP Moat was configured without valgrind/memcheck.h"
    exit 0
fi
if [ ! -e .libs/libmoat.so ]; then
    echo "1..0 # SKIP built without a shared library"
    exit 0
fi

# Valgrind may not know what clang writes by default.
flags="-gdwarf-4 -O1 -pthread -I$srcdir/include"
library="-L.libs -lmoat -Wl,-rpath,$PWD/.libs"
cp "$srcdir/tests/checkers/scenes.c" "$srcdir/tests/checkers/good.c" \
    "$srcdir/tests/off/conformance.c" "$scratch/"
cp "$scratch/good.c" "$scratch/good.cc"

# build NAME SOURCE COMPILER OPTION...
build() {
    name=$1
    source=$scratch/$2
    shift 2
    # shellcheck disable=SC2086 # lists
    "$@" $flags -o "$scratch/$name" "$source" $linked >"$scratch/error" 2>&1
    result $? "it is compiled: $name, $*"
}

# shellcheck disable=SC2086
for program in scenes good conformance; do
    linked=$library
    build $program-on $program.c $CC
    linked=
    build $program-off $program.c $CC -DMOAT_OFF
done
# shellcheck disable=SC2086
build scenes-silent scenes.c $CC -DMOAT_OFF -DMOAT_OFF_NO_VALGRIND
if echo 'int main() {}' >"$scratch/probe.cc" &&
    ${CXX:-c++} -o "$scratch/probe" "$scratch/probe.cc" 2>/dev/null; then
    build good-off-cc good.cc "${CXX:-c++}" -DMOAT_OFF
else
    skip "compiled as C++" "there is no C++ compiler"
fi

# run PROGRAM ARGUMENT...
run() {
    timeout 300 valgrind -q --error-exitcode=9 --leak-check=full \
        --num-callers=12 "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

# The part of what was written that is about SCENE.
part() {
    awk -v scene="$1" '/^scene / { is_in = $2 == scene; next }
        is_in' "$scratch/all"
}

# How many errors are in what was written.
errors() {
    grep -c -e 'Invalid ' -e 'depends on uninit' -e 'Use of uninit' \
        -e 'uninitialised byte' -e 'unaddressable byte' -e 'overlap' "$1"
}

# Whether the errors of SCENE are in it.
is_seen() {
    part "$1" >"$scratch/error"
    count=$(errors "$scratch/error")
    case $1 in
    # By how many instructions is the compiler's choice.
    copy_too_much) [ "$count" -ge 1 ] ;;
    *) [ "$count" -eq 1 ] ;;
    esac &&
        grep -A 4 -e 'Invalid ' -e 'depends on uninit' "$scratch/error" |
        grep -q "at 0x.*: $1 \|by 0x.*: $1 " &&
        ! grep -q 'ERROR: moat' "$scratch/error"
}

all=$(sed -n 's/^    SCENE(\(.*\)),/\1/p' "$srcdir/tests/checkers/scenes.c" |
    grep -v ^lose)

# play PROGRAM LAYOUT NAME
play() {
    scenes=$all
    case $1:$2 in
    # There it is the guard page; seen, and Moat's own as well.
    *:fenced) scenes=$(echo "$all" | grep -v read_behind_the_last_block) ;;
    # What is unmapped ends the program.
    *off:*) scenes=$(echo "$all" | grep -v read_a_destroyed) ;;
    esac
    # shellcheck disable=SC2086 # a list
    run "$scratch/$1" "$2" $scenes
    mv "$scratch/error" "$scratch/all"
    [ "$status" -eq 9 ] && grep -q '^the end' "$scratch/all"
    result $? "the errors are seen, and it goes on: $3"
    for scene in $scenes; do
        is_seen "$scene"
        result $? "$scene is seen: $3"
    done
}

# name SCENE WORDS LAYOUT: the block is known.
name() {
    part "$1" >"$scratch/error"
    grep -q "$2" "$scratch/error"
    result $? "$1, and near which block: $3"
}

for backend in guard mprotect; do
    for layout in packed fenced; do
        MOAT_OPTIONS=backend=$backend
        export MOAT_OPTIONS
        play scenes-on $layout "$layout, backend=$backend"
        name write_behind_a_block '0 bytes after a block of size 20' $layout
        name read_a_freed_block "inside a block of size 32 free'd" $layout
        name read_in_front_of_a_copy \
            "1 bytes before a block of size 8 alloc'd" $layout
        name read_a_freed_copy "inside a block of size 5 free'd" $layout
        run "$scratch/scenes-on" $layout lose_a_block
        [ $status -eq 9 ] &&
            [ "$(grep -c 'are definitely lost' "$scratch/error")" -eq 1 ] &&
            grep -q '48 bytes in 1 blocks are def' "$scratch/error" &&
            grep -q 'by 0x.*: lose_a_block ' "$scratch/error"
        result $? "one block is lost: $layout, backend=$backend"
        unset MOAT_OPTIONS
    done
done
play scenes-off packed MOAT_OFF
name read_a_freed_block "inside a block of size 32 free'd" MOAT_OFF
run "$scratch/scenes-off" packed read_a_destroyed_arena
grep -q 'Invalid read' "$scratch/error" &&
    grep -q 'at 0x.*: read_a_destroyed_arena ' "$scratch/error"
result $? "read_a_destroyed_arena is seen: MOAT_OFF"
run "$scratch/scenes-off" packed lose_a_block
[ $status -eq 9 ] && grep -q '48 bytes in 1 blocks are def' "$scratch/error"
result $? "one block is lost: MOAT_OFF"
run "$scratch/scenes-silent" packed write_behind_a_block read_a_freed_block
[ $status -eq 0 ] && [ "$(errors "$scratch/error")" -eq 0 ]
result $? "MOAT_OFF_NO_VALGRIND leaves the requests out"

# good NAME PROGRAM ARGUMENT...
good() {
    name=$1
    shift
    run "$@"
    [ $status -eq 0 ] && [ ! -s "$scratch/error" ]
    result $? "nothing is seen in a good program: $name"
}
for layout in packed fenced; do
    MOAT_OPTIONS=backend=guard:quarantine=0 \
        good "$layout, backend=guard:quarantine=0" "$scratch/good-on" $layout
    MOAT_OPTIONS=backend=mprotect \
        good "$layout, backend=mprotect" "$scratch/good-on" $layout
    good "conformance, $layout" "$scratch/conformance-on" $layout
done
good MOAT_OFF "$scratch/good-off" packed
good "conformance, MOAT_OFF" "$scratch/conformance-off" packed
[ ! -e "$scratch/good-off-cc" ] ||
    good "MOAT_OFF, C++" "$scratch/good-off-cc" packed
echo "1..$number"
