#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Programs that become others (become.c), by each call there is: all say what
# they did; and those that are built with a sanitizer, or are valgrind, are run
# without Moat, which is said. Prints TAP. To be run at the top of the build
# tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=$PWD/tools/moat/moat
become=$PWD/tests/preload/become

run() {
    timeout 60 "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

closing='^moat: [0-9]* blocks\{0,1\} fenced in [0-9]* process\(es\)\{0,1\}'
for call in $($become); do
    run $moat run $become $call /bin/echo hello
    [ $status -eq 0 ] && [ "$(cat "$scratch/output")" = hello ] &&
        grep -q "$closing; nothing was weaker than asked\$" "$scratch/error"
    result $? "$call: all processes have said what they did"
    run $moat run $become $call /none/such hello
    said="$status $(grep -v '^moat: ' "$scratch/error")"
    run $become $call /none/such hello
    [ "$said" = "$status $(cat "$scratch/error")" ]
    result $? "$call: a program that is not there"
done

# A program that says what is preloaded into it, and commits a crime that a
# sanitizer would report.
cat >"$scratch/checked.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(int argument_count, char *arguments[])
{
    const char *preload = getenv("LD_PRELOAD");
    free(malloc(100));
    printf("%s %s\n", argument_count > 1 ? arguments[1] : "",
           preload != NULL ? preload : "nothing");
    return 0;
}
END
printf 'int main(void) { return 0; }\n' >"$scratch/plain.c"
aside='run without Moat'
for compiler in gcc clang; do
    for sanitizer in address thread; do
        program=$scratch/$compiler-$sanitizer
        if ! $compiler -fsanitize=$sanitizer -o "$program" \
            "$scratch/checked.c" 2>/dev/null || ! "$program" >/dev/null 2>&1
        then
            skip "$compiler -fsanitize=$sanitizer" 'none can be made here'
            continue
        fi
        run $moat run "$program" word
        [ $status -eq 0 ] &&
            [ "$(cat "$scratch/output")" = 'word nothing' ] &&
            grep -q "^moat: nothing was fenced; 1 program was $aside" \
                "$scratch/error"
        result $? "$compiler -fsanitize=$sanitizer"
        run $moat run --require=strict "$program"
        [ $status -eq 99 ]
        result $? "$compiler -fsanitize=$sanitizer with require=strict"
        # One kind of program is enough to try all calls with.
        calls=execv
        [ $compiler-$sanitizer != gcc-address ] || calls=$($become)
        for call in $calls; do
            run $moat run $become $call "$program" word
            [ $status -eq 0 ] &&
                grep -q '^word *\(nothing\)\{0,1\}$' "$scratch/output" &&
                grep -q "$closing.*; 1 program was $aside" "$scratch/error"
            result $? "$compiler -fsanitize=$sanitizer by $call"
        done
        PATH="/none:$scratch:$PATH" run $moat run $become execvp \
            $compiler-$sanitizer word
        [ $status -eq 0 ] &&
            grep -q "$closing.*; 1 program was $aside" "$scratch/error"
        result $? "$compiler -fsanitize=$sanitizer, found in PATH"
        # Of what is preloaded, only Moat is left out.
        LD_PRELOAD=libm.so.6 run $moat run $become execv "$program" word
        [ "$(cat "$scratch/output")" = 'word libm.so.6' ] ||
            grep -q 'runtime does not come first' "$scratch/error"
        result $? "$compiler -fsanitize=$sanitizer, with another library"
    done
done

# One that only has the name.
cat >"$scratch/valgrind" <<'END'
#! /bin/sh
echo "valgrind ${LD_PRELOAD-nothing}"
END
chmod +x "$scratch/valgrind"
run $moat run "$scratch/valgrind"
[ $status -eq 0 ] && grep -q "1 program was $aside" "$scratch/error" &&
    [ "$(cat "$scratch/output")" = 'valgrind nothing' ]
result $? 'valgrind'
run $moat run sh -c "'$scratch/valgrind'; true"
[ $status -eq 0 ] && grep -q "1 program was $aside" "$scratch/error" &&
    grep -q '^valgrind *\(nothing\)\{0,1\}$' "$scratch/output"
result $? 'valgrind in a shell'
echo "1..$number"
