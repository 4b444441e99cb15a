#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What holds for every source file: a licence, 80 columns, no tabs, no blanks at
# the end of a line; and every public header compiles alone, as C and as C++.
# Prints TAP.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

LC_ALL=C
export LC_ALL

result() {
    number=$((number + 1))
    if [ ! -s "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        sed 's/^/# /' "$2"
    fi
}

find "$srcdir/lib" "$srcdir/include" "$srcdir/tools" "$srcdir/demos" \
    "$srcdir/tests" "$srcdir/bench" \
    -name '*.[ch]' -o -name '*.sh' -o -name '*.def' >"$scratch/sources"

xargs awk '
    FNR == 1 { if (file != "" && !is_named) print file
               file = FILENAME
               is_named = 0 }
    FNR <= 3 && /SPDX-License-Identifier: GPL-2.0-or-later/ { is_named = 1 }
    END { if (!is_named) print file }' <"$scratch/sources" >"$scratch/wrong"
result "every source names its licence" "$scratch/wrong"

grep -E '\.[ch]$' "$scratch/sources" | xargs awk '
    # Bytes that continue a character of UTF-8 take no column.
    { gsub(/[\200-\277]/, "") }
    length($0) > 80 { print FILENAME ":" FNR ": " length($0) " columns" }
    /\t/ { print FILENAME ":" FNR ": a tab" }
    / $/ { print FILENAME ":" FNR ": a blank at the end" }' |
    grep -v '/crimes\.def' >"$scratch/wrong"
result "no line of C is wider than 80 columns, none has tabs" "$scratch/wrong"

for header in moat.h moat/arena.h moat/expect.h moat/finding.h \
    moat/guarded.h moat/inspect.h moat/report.h moat/version.h; do
    for form in '' -DMOAT_OFF '-DMOAT_OFF -DMOAT_OFF_NO_VALGRIND'; do
        echo "#include <$header>" >"$scratch/alone.c"
        for standard in c99 c11; do
            ${CC:-cc} -std=$standard -pedantic -Wall -Wextra -Wconversion \
                -Werror -fsyntax-only $form -I"$srcdir/include" \
                "$scratch/alone.c"
        done >"$scratch/wrong" 2>&1
        result "$header compiles alone${form:+, with $form}" "$scratch/wrong"
        cp "$scratch/alone.c" "$scratch/alone.cc"
        # A C compiler without its C++ half is no failure.
        if echo 'class c {};' >"$scratch/probe.cc" &&
            ${CC:-cc} -fsyntax-only -x c++ "$scratch/probe.cc" 2>/dev/null
        then
            ${CC:-cc} -x c++ -std=c++11 -pedantic -Wall -Wextra -Wconversion \
                -Werror -fsyntax-only $form -I"$srcdir/include" \
                "$scratch/alone.cc" >"$scratch/wrong" 2>&1
            result "$header compiles alone as C++${form:+, with $form}" \
                "$scratch/wrong"
        else
            number=$((number + 1))
            echo "ok $number - $header as C++ # SKIP there is no C++ compiler"
        fi
    done
done
echo "1..$number"
