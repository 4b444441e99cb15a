#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run each program of demos/faults with each way of revoking, and compare what
# it reports with its .expected file. A way that this machine does not have is
# skipped. Prints TAP.
#
# To be run at the top of the build tree; $srcdir is the top of the sources.
# With --update, write the .expected files instead, for the diff to be reviewed.

srcdir=${srcdir:-.}
expect=$srcdir/tests/support/expect.sh
faults=demos/faults
backends="guard mprotect"

if [ "$1" = --update ]; then
    for source in "$srcdir"/demos/faults/*.c; do
        name=$(basename "$source" .c)
        "$expect" --update "$srcdir/demos/faults/$name.expected" \
            "$faults/$name"
    done
    exit
fi

# A good program says nothing, unless Moat has to say that it runs with a
# weaker way than it was asked for. Print what it says.
complaint_about() {
    MOAT_OPTIONS=backend=$1 "$faults/own_handler_keeps_working" 2>&1 |
        grep -i backend
}

programs=0
for expected in "$srcdir"/demos/faults/*.expected; do
    programs=$((programs + 1))
done
count=0
for backend in $backends; do
    count=$((count + programs))
done
echo "1..$count"

number=0
for backend in $backends; do
    reason=$(complaint_about "$backend")
    for expected in "$srcdir"/demos/faults/*.expected; do
        name=$(basename "$expected" .expected)
        number=$((number + 1))
        line="$number - $name, backend=$backend"
        if [ -n "$reason" ]; then
            echo "ok $line # SKIP $reason"
        elif explanation=$(MOAT_OPTIONS=backend=$backend \
            "$expect" "$expected" "$faults/$name"); then
            echo "ok $line"
        else
            echo "not ok $line"
            echo "$explanation"
        fi
    done
done
