#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A program that is compiled with AddressSanitizer: it sees in arenas what is
# not live, at once, and nothing in a program that does nothing wrong. In the
# packed and the fenced layout, on every way of revoking, and with MOAT_OFF.
# Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

CC=${CC:-cc}
if [ ! -e .libs/libmoat.so ]; then
    echo "1..0 # SKIP built without a shared library"
    exit 0
fi
cat >"$scratch/probe.c" <<'END'
#include <stdlib.h>
int main(void) { return malloc(1) == NULL; }
END
# shellcheck disable=SC2086 # the compiler may have options
if ! $CC -fsanitize=address -o "$scratch/probe" "$scratch/probe.c" \
    2>/dev/null || ! ASAN_OPTIONS=detect_leaks=0 "$scratch/probe" 2>/dev/null
then
    echo "1..0 # SKIP $CC makes no programs with AddressSanitizer here"
    exit 0
fi
# The search for leaks does not work under ptrace(), for one.
leaks=0
! "$scratch/probe" 2>&1 | grep -q 'LeakSanitizer.*fatal error' || leaks=
[ -z "$leaks" ] || leaks=1

unset ASAN_OPTIONS LSAN_OPTIONS MOAT_OPTIONS
flags="-fsanitize=address -g -O1 -pthread -I$srcdir/include"
library="-L.libs -lmoat -Wl,-rpath,$PWD/.libs"
for name in checkers/scenes checkers/good off/conformance; do
    cp "$srcdir/tests/$name.c" "$scratch/"
    cp "$srcdir/tests/$name.c" "$scratch/${name#*/}.cc"
done

# build NAME COMPILER OPTION...: NAME-on.. and NAME-off.., of a source.
build() {
    name=$1
    source=$scratch/$2
    shift 2
    # shellcheck disable=SC2086 # lists
    "$@" $flags -o "$scratch/$name-on" "$source" $library \
        >"$scratch/error" 2>&1 &&
        "$@" $flags -DMOAT_OFF -o "$scratch/$name-off" "$source" \
            >"$scratch/error" 2>&1
    result $? "it is compiled: $name, $*"
}

# shellcheck disable=SC2086
{
    build scenes scenes.c $CC
    build good good.c $CC
    build conformance conformance.c $CC
}
more=
if echo 'int main() {}' >"$scratch/probe.cc" &&
    ${CXX:-c++} -fsanitize=address -o "$scratch/probe" "$scratch/probe.cc" \
        2>/dev/null; then
    # shellcheck disable=SC2086
    build good-cc good.cc ${CXX:-c++}
    more=good-cc
else
    skip "compiled as C++" "there is no C++ compiler with AddressSanitizer"
fi
# clang links its runtime into the program.
clang=
if clang -fsanitize=address -o "$scratch/probe" "$scratch/probe.c" \
    2>/dev/null; then
    build good-clang good.c clang
    build scenes-clang scenes.c clang
    more="$more good-clang"
    clang=scenes-clang
else
    skip "compiled with clang" "there is no clang with AddressSanitizer"
fi

# run PROGRAM ARGUMENT...
run() {
    timeout 120 "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

# Whether there is one report of an error of KIND, in the function SCENE, and
# none of Moat's.
is_seen() {
    [ $status -eq 1 ] &&
        [ "$(grep -c 'ERROR: ' "$scratch/error")" -eq 1 ] &&
        grep -q "ERROR: AddressSanitizer: $1 " "$scratch/error" &&
        grep -q "^    #[01] 0x.* in $2 " "$scratch/error"
}

# play SCENE PROGRAM LAYOUT NAME
play() {
    kind=use-after-poison
    case $2:$1 in
    *-off:*_copy) kind='heap-.*' ;;
    *-off:read_a_destroyed_arena) kind=SEGV ;;
    esac
    ASAN_OPTIONS=detect_leaks=0 run "$scratch/$2" "$3" "$1"
    is_seen "$kind" "$1"
    result $? "$1 is seen: $4"
}

scenes=$(sed -n 's/^    SCENE(\(.*\)),/\1/p' "$srcdir/tests/checkers/scenes.c" |
    grep -v -e ^decide -e ^lose)
for scene in $scenes; do
    for backend in move drop guard mprotect; do
        for layout in packed fenced; do
            # There it is the guard page, and Moat's own.
            [ $layout-$scene != fenced-read_behind_the_last_block ] || continue
            MOAT_OPTIONS=backend=$backend play "$scene" scenes-on $layout \
                "$layout, backend=$backend"
        done
    done
    play "$scene" scenes-off packed MOAT_OFF
    if [ -n "$clang" ]; then
        play "$scene" $clang-on packed "packed, clang"
        play "$scene" $clang-off packed "MOAT_OFF, clang"
    fi
done

# What the processor stops: at guard pages Moat says what it was, elsewhere
# AddressSanitizer does, unless options say otherwise.
cat >"$scratch/fault.c" <<'END'
#include <moat.h>
int main(int count, char **arguments)
{
    struct moat_arena *arena = moat_arena_create("fault", 4096);
    char *volatile place = moat_arena_alloc(arena, 4096);
    place = count > 1 ? NULL : place + 4096;
    *place = 'x';
    (void)arguments;
    return 0;
}
END
# shellcheck disable=SC2086
$CC $flags -o "$scratch/fault" "$scratch/fault.c" $library
# fault STATUS WORDS NAME ARGUMENT...
fault() {
    expected=$1
    words=$2
    name=$3
    shift 3
    run "$scratch/fault" "$@"
    [ $status -eq "$expected" ] &&
        [ "$(grep -c 'ERROR: ' "$scratch/error")" -eq 1 ] &&
        grep -q "ERROR: $words" "$scratch/error"
    result $? "$name"
}
fault 99 'moat: heap-buffer-overflow ' "a guard page is Moat's"
ASAN_OPTIONS=handle_segv=2 fault 1 'AddressSanitizer: SEGV ' \
    "not with handle_segv=2"
fault 1 'AddressSanitizer: SEGV ' "NULL is AddressSanitizer's" NULL
MOAT_OPTIONS=allow_user_segv_handler=0 fault 99 'moat: null-dereference ' \
    "not with allow_user_segv_handler=0" NULL

# good PROGRAM LAYOUT NAME
good() {
    ASAN_OPTIONS=detect_leaks=${leaks:-0} run "$scratch/$1" "$2"
    [ $status -eq 0 ] && [ ! -s "$scratch/error" ] &&
        [ "$(cat "$scratch/output")" = good ]
    result $? "nothing is seen in a good program: $3"
}
[ -n "$leaks" ] || skip "searching for leaks" "it does not work here"
for program in good $more; do
    for layout in packed fenced; do
        for backend in move drop guard mprotect; do
            for quarantine in 0 1000; do
                MOAT_OPTIONS=backend=$backend:quarantine=$quarantine
                export MOAT_OPTIONS
                good "$program-on" $layout "$program, $layout, $MOAT_OPTIONS"
                unset MOAT_OPTIONS
            done
        done
    done
    good "$program-off" packed "$program, MOAT_OFF"
done
for options in alignment=natural placement=before placement=alternate; do
    MOAT_OPTIONS=$options good good-on fenced "fenced, $options"
done

"$scratch/conformance-off" >"$scratch/expected" 2>"$scratch/error"
[ $? -eq 0 ] && [ ! -s "$scratch/error" ]
result $? "nothing is seen in the conformance test: MOAT_OFF"
for layout in packed fenced; do
    run "$scratch/conformance-on" $layout
    [ $status -eq 0 ] && [ ! -s "$scratch/error" ] &&
        cmp -s "$scratch/expected" "$scratch/output"
    result $? "nothing is seen in the conformance test: $layout"

    for backend in move drop guard mprotect; do
        for option in 0 1; do
            ASAN_OPTIONS=detect_stack_use_after_return=$option
            export ASAN_OPTIONS
            MOAT_OPTIONS=backend=$backend \
                run "$scratch/good-on" $layout expect
            # It does not know the stack of the handler, and says so once.
            [ $status -eq 0 ] &&
                ! grep -v -e 'ignoring requested __asan_handle_no_return' \
                    -e 'False positive error' -e 'For details see' \
                    "$scratch/error"
            result $? "a guard page is Moat's to see: \
$layout, backend=$backend, $ASAN_OPTIONS"
            unset ASAN_OPTIONS
        done

        # What nobody checks has spilled; Moat looks at it, and says so.
        MOAT_OPTIONS=backend=$backend:halt_on_error=0 \
            run "$scratch/good-on" $layout damage
        grep -o 'ERROR: .*, seen at .*' "$scratch/error" |
            sed 's/ on address.*,/,/' >"$scratch/seen"
        [ $status -eq 0 ] && ! grep -q AddressSanitizer "$scratch/error" &&
            cmp -s - "$scratch/seen" <<'END'
ERROR: moat: heap-buffer-overflow, seen at free
ERROR: moat: heap-buffer-overflow, seen at check
ERROR: moat: heap-buffer-overflow, seen at destroy
END
        result $? "damaged canaries are Moat's: $layout, backend=$backend"
    done
done
echo "1..$number"
