# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the scripts that print TAP begin with: they are run at the top of the
# build tree, and read this by `. "${srcdir:-.}/tests/support/tap.sh"`. A folder
# that goes with them is $scratch; what a program under test wrote is best kept
# in $scratch/output and $scratch/error, and its exit status in $status.

srcdir=${srcdir:-.}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM
# Crimes that end by a signal leave no core files.
# shellcheck disable=SC3045
ulimit -c 0

number=0
status=

# result STATUS NAME: a case that came out well if STATUS is 0.
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        [ -z "$status" ] || echo "# exit status $status"
        for written in "$scratch/output" "$scratch/error"; do
            [ ! -s "$written" ] || head -n 40 "$written" | sed 's/^/# /'
        done
    fi
}

# skip NAME WHY
skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}
