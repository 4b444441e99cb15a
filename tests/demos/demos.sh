#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run each demo: its lesson must come out as it should (exit status 0), and
# what it prints must be its .transcript, in which everything that differs from
# run to run is masked. Prints TAP.
#
# To be run at the top of the build tree; $srcdir is the top of the sources.
# With --update, write the transcripts instead, for the diff to be reviewed.

srcdir=${srcdir:-.}
backends="move drop guard mprotect"

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM

mask() {
    sed -e 's/0x[0-9a-f]\{9,\}/0xADDRESS/g' \
        -e 's/==[0-9][0-9]*==/==PID==/' \
        -e 's/(pid [0-9][0-9]*, "[^"]*")/(pid PID, "NAME")/g' \
        -e 's|\(#[0-9]* 0xADDRESS\) .*|\1 MODULE+OFFSET|' \
        -e 's|\(SUMMARY: moat: [a-z-]*\) .*|\1 MODULE+OFFSET|'
}

# Without signs and colours, so that a transcript is plain text.
run_plain() {
    NO_COLOR=1 LC_ALL=C timeout 60 "$1" 2>&1
}

if [ "$1" = --update ]; then
    for transcript in "$srcdir"/demos/*.transcript; do
        name=$(basename "$transcript" .transcript)
        run_plain "demos/$name" | mask >"$transcript"
    done
    exit 0
fi

number=0
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

for transcript in "$srcdir"/demos/*.transcript; do
    name=$(basename "$transcript" .transcript)
    for backend in $backends; do
        MOAT_OPTIONS=backend=$backend
        export MOAT_OPTIONS
        run_plain "demos/$name" >"$scratch/output"
        result $? "$name teaches its lesson, backend=$backend"
        mask <"$scratch/output" >"$scratch/masked"
        diff -u "$transcript" "$scratch/masked" >"$scratch/differences"
        result $? "$name prints its transcript, backend=$backend"
        sed 's/^/# /' "$scratch/differences"
    done
    unset MOAT_OPTIONS

    if locale -a 2>/dev/null | grep -qi '^C\.utf-*8$'; then
        env -u NO_COLOR LC_ALL=C.UTF-8 "demos/$name" >"$scratch/output"
        grep -q '✅' "$scratch/output"
        result $? "$name shows signs where the locale has them"
        escape=$(printf '\033')
        ! grep -q "$escape" "$scratch/output"
        result $? "$name shows no colours in a file"
    fi
done
echo "1..$number"
