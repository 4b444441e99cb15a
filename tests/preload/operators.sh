#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A C++ program under `moat run`: new and delete in all forms, libstdc++'s and
# the program's own; errors name the program, not the library that allocates for
# it. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat

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

# mismatch CRIME SIZE ALLOCATED FREED: the report names both.
mismatch() {
    for backend in move drop guard mprotect; do
        $moat run --backend=$backend "$scratch/plain" "$1" \
            >"$scratch/output" 2>"$scratch/error"
        status=$?
        [ $status -eq 99 ] &&
            grep -q 'ERROR: moat: alloc-dealloc-mismatch .*, seen at free$' \
                "$scratch/error" &&
            grep -q "^FREE of 0x[0-9a-f]*, 0 bytes inside $2-byte block #" \
                "$scratch/error" &&
            grep -qF "it was allocated by $3, which is for" "$scratch/error" &&
            grep -qF "and given to $4" "$scratch/error" &&
            grep -q "^SUMMARY: moat: alloc-dealloc-mismatch .*plain+" \
                "$scratch/error"
        result $? "$1, backend=$backend"
    done
    # What follows is freed as ever, and nothing else is said.
    MOAT_OPTIONS=halt_on_error=0 $moat run "$scratch/plain" "$1" \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
    [ $status -eq 99 ] &&
        [ "$(grep -c 'ERROR: moat' "$scratch/error")" -eq 1 ]
    result $? "$1, and the program goes on"
    $moat run --alloc_dealloc_mismatch=0 "$scratch/plain" "$1" \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
    [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
    result $? "$1, not asked for"
    # Where the operators are not Moat's there are no two ends to compare.
    for kind in replaced static; do
        $moat run "$scratch/$kind" "$1" >"$scratch/output" 2>"$scratch/error"
        status=$?
        [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
        result $? "$1, $kind"
    done
}

mismatch free_what_new_gave 4 'operator new' 'free() or realloc()'
mismatch resize_what_new_gave 4 'operator new' 'free() or realloc()'
mismatch delete_what_malloc_gave 24 'malloc() or its kin' 'operator delete'
mismatch delete_an_array_as_one 32 'operator new[]' 'operator delete'
mismatch delete_one_as_an_array 4 'operator new' 'operator delete[]'
mismatch free_an_aligned_one 256 'operator new' 'free() or realloc()'

echo "1..$number"
