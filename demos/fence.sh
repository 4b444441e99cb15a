#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A real program with every block of its malloc() fenced, from start to end; and
# an overflow in a small one. Exit status 0 when both came out as they should.
# To be run at the top of the build tree; $srcdir is the top of the sources.

srcdir=${srcdir:-.}
moat=tools/moat/moat
greeting=demos/greeting
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
# What perl and the C library say does not depend on the place.
LC_ALL=C
export LC_ALL

failures=0

# lesson STATUS WORDS: say WORDS if STATUS is 0, else that it failed.
lesson() {
    if [ "$1" -eq 0 ]; then
        echo "=> $2"
    else
        echo "=> the lesson failed: it is not so that $2"
        failures=$((failures + 1))
    fi
}

echo '== fencing a real program: perl counts the words of README.md'
echo
# shellcheck disable=SC2016 # perl expands it
count='$n{lc $_}++ for /\w+/g;
    END { print "$n{$_} $_\n" for sort { $n{$b} <=> $n{$a} || $a cmp $b } keys %n }'
perl -ne "$count" "$srcdir/README.md" >"$scratch/plain"
printf "\$ moat run perl -ne '%s' README.md\n" "$count"
"$moat" run perl -ne "$count" "$srcdir/README.md" \
    >"$scratch/fenced" 2>"$scratch/said"
status=$?
head -n 3 "$scratch/fenced"
echo ...
cat "$scratch/said"
[ $status -eq 0 ] && cmp -s "$scratch/plain" "$scratch/fenced" &&
    grep -q '^moat: [1-9][0-9]* blocks fenced in 1 process' "$scratch/said"
lesson $? 'the output is what it is without Moat, and no error was found'

echo
echo '== an overflow in a small program: demos/greeting.c'
echo
sed -n '/^static char \*greet/,/^}/p' "$srcdir/demos/greeting.c"
echo
echo '$ demos/greeting'
"$greeting"
lesson $? 'without Moat nobody notices: the exit status is 0'
echo
echo '$ moat run demos/greeting'
color=auto
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    color=always
fi
"$moat" run --color=$color "$greeting" >"$scratch/fenced" 2>"$scratch/said"
status=$?
cat "$scratch/fenced" "$scratch/said"
[ $status -eq 99 ] && [ ! -s "$scratch/fenced" ] &&
    grep -q '==ERROR: moat: heap-buffer-overflow .*, seen at access' \
        "$scratch/said" &&
    grep -q '^WRITE at .*, 0 bytes after the end of 16-byte block ' \
        "$scratch/said"
lesson $? 'stopped at the very write, with exit status 99'
[ $failures -eq 0 ]
