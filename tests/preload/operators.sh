#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A C++ program under `moat run`: new and delete in all forms, libstdc++'s and
# the program's own; errors name the program, not the library that allocates for
# it. Prints TAP. To be run at the top of the build tree.

moat=tools/moat/moat
srcdir=${srcdir:-.}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM
# shellcheck disable=SC3045
ulimit -c 0

source=$srcdir/tests/preload/operators.cc
for kind in plain replaced static; do
    option=
    case $kind in
    replaced) option=-DREPLACED ;;
    static) option=-static-libstdc++ ;;
    esac
    if ! ${CXX:-c++} -g -O1 -std=c++17 $option -o "$scratch/$kind" "$source" \
        2>"$scratch/error"
    then
        echo "1..0 # SKIP there is no C++ compiler"
        exit 0
    fi
done

number=0
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        echo "# exit status $status"
        sed 's/^/# /' "$scratch/output" "$scratch/error"
    fi
}

for kind in plain replaced static; do
    "$scratch/$kind" >"$scratch/output" 2>"$scratch/error"
    status=$?
    result $status "all forms, $kind, without Moat"
    for backend in move drop guard mprotect; do
        $moat run --backend=$backend "$scratch/$kind" >"$scratch/output" \
            2>"$scratch/error"
        status=$?
        [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
        result $? "all forms, $kind, backend=$backend"
    done
    for crime in read_past_an_array use_after_delete delete_twice; do
        $moat run "$scratch/$kind" $crime >"$scratch/output" 2>"$scratch/error"
        status=$?
        case $crime in
        read*) pattern='READ .* 0 bytes after the end of 16-byte block' ;;
        use*) pattern='READ .* 5 bytes inside 101-byte block' ;;
        delete*) pattern='ERROR: moat: double-free' ;;
        esac
        # In std::string it is libstdc++ that calls the operator.
        [ $status -eq 99 ] && grep -q "$pattern" "$scratch/error" &&
            grep -A 1 'was allocated by' "$scratch/error" |
            grep -q "$scratch/$kind+\|libstdc++.*+" &&
            ! grep -q 'libmoat-preload' "$scratch/error"
        result $? "$crime, $kind"
    done
done
echo "1..$number"
