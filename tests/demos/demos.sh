#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run each demo: its lesson must come out as it should (exit status 0), and
# what it prints must be its .transcript, in which everything that differs from
# run to run is masked. Prints TAP.
#
# To be run at the top of the build tree; $srcdir is the top of the sources.
# With --update, write the transcripts instead, for the diff to be reviewed.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

backends="move drop guard mprotect"

mask() {
    sed -e 's/0x[0-9a-f]\{9,\}/0xADDRESS/g' \
        -e 's/==[0-9][0-9]*==/==PID==/' \
        -e 's/(pid [0-9][0-9]*, "[^"]*")/(pid PID, "NAME")/g' \
        -e 's/process [0-9][0-9]* is/process PID is/' \
        -e 's|\(#[0-9]* 0xADDRESS\) .*|\1 MODULE+OFFSET|' \
        -e 's|\(, allocated at\) .*|\1 MODULE+OFFSET|' \
        -e 's|\(SUMMARY: moat: [a-z-]*\) .*|\1 MODULE+OFFSET|'
}

# Without signs and colours, so that a transcript is plain text.
run_plain() {
    NO_COLOR=1 LC_ALL=C timeout 60 "demos/$1" 2>&1
}

if [ "$1" = --update ]; then
    for source in "$srcdir"/demos/[0-9]*.c; do
        name=$(basename "$source" .c)
        run_plain "$name" | mask >"$srcdir/demos/$name.transcript"
    done
    exit 0
fi

# Moat says so when it has to run with a weaker way than it was asked for.
complaint_about() {
    MOAT_OPTIONS=backend=$1 demos/09a_scope 2>&1 | grep -i backend
}

for backend in $backends; do
    reason=$(complaint_about "$backend")
    if [ -n "$reason" ]; then
        skip "all lessons, backend=$backend" "$reason"
        continue
    fi
    MOAT_OPTIONS=backend=$backend
    export MOAT_OPTIONS
    for source in "$srcdir"/demos/[0-9]*.c; do
        name=$(basename "$source" .c)
        run_plain "$name" >"$scratch/output"
        result $? "$name teaches its lesson, backend=$backend"
        mask <"$scratch/output" >"$scratch/masked"
        diff -u "$srcdir/demos/$name.transcript" "$scratch/masked" \
            >"$scratch/differences"
        result $? "$name prints its transcript, backend=$backend"
        sed 's/^/# /' "$scratch/differences"
    done
    unset MOAT_OPTIONS
done

escape=$(printf '\033')
for source in "$srcdir"/demos/[0-9]*.c; do
    name=$(basename "$source" .c)
    if locale -a 2>/dev/null | grep -qi '^C\.utf-*8$'; then
        env -u NO_COLOR LC_ALL=C.UTF-8 "demos/$name" >"$scratch/output"
        grep -q '✅' "$scratch/output" && ! grep -q '\[ok\]' "$scratch/output"
        result $? "$name shows signs where the locale has them"
        ! grep -q "$escape" "$scratch/output"
        result $? "$name shows no colours in a file"
    fi
done

# On a terminal, which script(1) makes.
if command -v script >/dev/null; then
    TERM=xterm
    export TERM
    env -u NO_COLOR LC_ALL=C script -qec demos/09a_scope /dev/null \
        </dev/null >"$scratch/output"
    result $? "09a_scope teaches its lesson on a terminal"
    grep -q "$escape\[32m\[ok\]$escape\[0m 64-byte block" "$scratch/output"
    result $? "where its words have colours"
    NO_COLOR=1 LC_ALL=C.UTF-8 script -qec demos/09a_scope /dev/null \
        </dev/null >"$scratch/output"
    grep -q '^\[ok\] 64-byte block' "$scratch/output" &&
        ! grep -q "$escape" "$scratch/output"
    result $? "with NO_COLOR neither colours nor signs"
    env -u NO_COLOR TERM=dumb LC_ALL=C script -qec demos/09a_scope /dev/null \
        </dev/null >"$scratch/output"
    grep -q '^\[ok\] 64-byte block' "$scratch/output" &&
        ! grep -q "$escape" "$scratch/output"
    result $? "on a dumb one no colours"
else
    skip "09a_scope on a terminal" "there is no script(1)"
fi
echo "1..$number"
