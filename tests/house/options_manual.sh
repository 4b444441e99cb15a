#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual page has the options that there are, with the values that they
# accept, and no others. Prints TAP.

srcdir=${srcdir:-.}
manual=$srcdir/man/moat.1
table=$srcdir/lib/api/options.def

names=$(sed -n 's/^OPTION_[A-Z]*(\([a-z_]*\),.*/\1/p' "$table" | grep -v '^name$')
documented=$(sed -n 's/^\.It Cm \([a-z_]*\) Ns = .*/\1/p' "$manual")

number=0
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

for name in $names; do
    echo "$documented" | grep -qx "$name"
    result $? "$name is in the manual page"
    # Each choice is a word of its paragraph.
    choices=$(sed -n "s/^OPTION_CHOICE($name, [0-9]*, \"\([^\"]*\)\".*/\1/p" \
        "$table" | tr '|' ' ')
    for choice in $choices; do
        sed -n "/^\.It Cm $name Ns/,/^\.It Cm\|^\.El/p" "$manual" |
            grep -qw -- "$choice"
        result $? "$name=$choice is explained"
    done
done
for name in $documented; do
    echo "$names" | grep -qx "$name"
    result $? "$name in the manual page exists"
done
echo "1..$number"
