#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same program sees the same, whatever form of Moat it is compiled with:
# packed or fenced, on every way of revoking and with every alignment, or
# MOAT_OFF, which needs no library; in C and in C++. Objects of the two forms
# cannot be linked together. Prints TAP. To be run at the top of the build
# tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

LC_ALL=C
export LC_ALL

if [ ! -e .libs/libmoat.so ]; then
    echo "1..0 # SKIP built without a shared library"
    exit 0
fi
library="-L.libs -lmoat -Wl,-rpath,$PWD/.libs"
warnings='-Wall -Wextra -Wconversion -Wshadow -Wundef -Wwrite-strings
    -pedantic -Werror'

# compile NAME COMPILER OPTION...: both with MOAT_OFF, NAME-off, and without,
# NAME-on.
compile() {
    name=$1
    shift
    # shellcheck disable=SC2086 # lists
    "$@" $warnings -pthread -DMOAT_OFF -I"$srcdir/include" \
        -o "$scratch/$name-off" "$scratch/source.${name%%-*}" \
        >"$scratch/error" 2>&1
    result $? "MOAT_OFF compiles without a warning and links alone: $*"
    # shellcheck disable=SC2086
    "$@" $warnings -pthread -I"$srcdir/include" -o "$scratch/$name-on" \
        "$scratch/source.${name%%-*}" $library >"$scratch/error" 2>&1
    result $? "so does the full form, with the library: $*"
}

cp "$srcdir/tests/off/conformance.c" "$scratch/source.c"
cp "$srcdir/tests/off/conformance.c" "$scratch/source.cc"
forms=c
compile c "${CC:-cc}" -std=c11 -O2
compile c-c99 "${CC:-cc}" -std=c99 -O1
if command -v clang >/dev/null; then
    compile c-clang clang -std=c11 -O1
else
    skip "compiled with clang" "there is no clang"
fi
if echo 'int main() {}' >"$scratch/probe.cc" &&
    ${CXX:-c++} -o "$scratch/probe" "$scratch/probe.cc" 2>/dev/null; then
    compile cc "${CXX:-c++}" -std=c++11 -O2
    forms="c cc"
else
    skip "compiled as C++" "there is no C++ compiler"
fi

${NM:-nm} -u "$scratch/c-off" | grep -i moat >"$scratch/error"
[ ! -s "$scratch/error" ] && ! ldd "$scratch/c-off" | grep libmoat
result $? "MOAT_OFF leaves nothing of Moat to a library"

"$scratch/c-off" >"$scratch/expected" 2>"$scratch/error"
[ $? -eq 0 ] && [ "$(wc -l <"$scratch/expected")" -gt 100 ] &&
    [ ! -s "$scratch/error" ]
result $? "the program runs with MOAT_OFF"

# compare NAME PROGRAM ARGUMENT...
compare() {
    name=$1
    shift
    "$@" >"$scratch/output" 2>&1
    status=$?
    diff "$scratch/expected" "$scratch/output" >"$scratch/error"
    [ $? -eq 0 ] && [ $status -eq 0 ]
    result $? "the same is seen: $name"
}

if [ "$forms" != c ]; then
    compare "MOAT_OFF in C++" "$scratch/cc-off"
    compare "fenced in C++" "$scratch/cc-on" fenced
fi
for backend in move drop guard mprotect; do
    for kind in packed fenced; do
        MOAT_OPTIONS=backend=$backend compare "$kind, backend=$backend" \
            "$scratch/c-on" $kind
    done
done
for options in alignment=natural alignment=1 alignment=8 placement=before \
    placement=alternate:alignment=natural; do
    MOAT_OPTIONS=$options compare "fenced, $options" "$scratch/c-on" fenced
done

# One object file of each form, between which an arena would pass.
cat >"$scratch/maker.c" <<'END'
#include <moat.h>
struct moat_arena *make(void);
struct moat_arena *make(void) { return moat_arena_create("made", 64); }
END
cat >"$scratch/user.c" <<'END'
#include <moat.h>
struct moat_arena *make(void);
int main(void) { return moat_arena_alloc(make(), 64) == NULL; }
END
for name in maker user; do
    cp "$scratch/$name.c" "$scratch/$name.cc"
    for source in $forms; do
        compiler=${CC:-cc}
        [ "$source" = c ] || compiler=${CXX:-c++}
        for form in on off; do
            option=
            [ $form = on ] || option=-DMOAT_OFF
            # shellcheck disable=SC2086
            $compiler $option -I"$srcdir/include" -c \
                -o "$scratch/$name-$source-$form.o" "$scratch/$name.$source"
        done
    done
done
link() {
    # shellcheck disable=SC2086
    $compiler -o "$scratch/mixed" "$scratch/maker-$source-$1.o" \
        "$scratch/user-$source-$2.o" $library >"$scratch/error" 2>&1 &&
        "$scratch/mixed" >"$scratch/error" 2>&1
}
for source in $forms; do
    compiler=${CC:-cc}
    [ "$source" = c ] || compiler=${CXX:-c++}
    link on on && link off off
    result $? "two objects of one form are linked, .$source"
    ! link on off && grep -q 'do_not_mix\|undefined' "$scratch/error" &&
        ! link off on && grep -q 'do_not_mix\|undefined' "$scratch/error"
    result $? "two objects of different forms are not, .$source"
done
echo "1..$number"
