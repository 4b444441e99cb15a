#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The first line of a report, its relation and its SUMMARY are a contract, which
# other people's scripts parse: all reports that are kept as expected, and are
# compared with real ones elsewhere, hold to it. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

cat >"$scratch/contract.awk" <<'AWK'
function wrong(what) { print FILENAME ":" FNR ": " what ": " $0 }
BEGIN {
    number = "[0-9]+"
    address = "0x([0-9a-f]+|\\*|ADDRESS)"
    range = "\\[" address "," address "\\)"
    name = "arena \"[^\"]*\""
    offset = " \\(arena offset -?0x[0-9a-f]+ of 0x[0-9a-f]+\\)"
    first = "==.*==ERROR: moat: [a-z-]+ on (address " address \
        "|unknown address)( at pc " address ")?, seen at " \
        "(access|free|check|reset|destroy|exit)$"
    verb = "^(READ at|WRITE at|ACCESS at|FREE of|CREATE at|ALLOC from|LEAK of) "
    place = number " bytes (after the end of|before the start of|inside) (" \
        number "-byte block #" number " " range "( in " name offset ")?|" \
        name " " range offset ")"
    relation = verb "(" address ", (" place \
        "|at the end of the stack of thread .*|" number " bytes from NULL" \
        "|which no arena holds)|an address that the processor does not tell)$"
}
FNR == 1 && is_open { print file ": a report has no SUMMARY" }
FNR == 1 { is_open = 0; file = FILENAME }
{ sub(/^    \| /, "") }
/ERROR: moat: / {
    if (is_open) wrong("no SUMMARY before this")
    if ($0 !~ "^" first) wrong("no first line")
    kind = $0
    sub(/.*ERROR: moat: /, "", kind)
    sub(/ .*/, "", kind)
    is_open = 1
    line = FNR
}
is_open && FNR == line + 1 && $0 !~ relation { wrong("no relation") }
/^SUMMARY: / {
    if ($0 !~ "^SUMMARY: moat: " kind " [^ ]") wrong("no SUMMARY of " kind)
    is_open = 0
    print kind >kinds
}
END { if (is_open) print file ": a report has no SUMMARY" }
AWK

: >"$scratch/kinds"
awk -v kinds="$scratch/kinds" -f "$scratch/contract.awk" \
    "$srcdir"/demos/faults/*.expected "$srcdir"/demos/*.transcript \
    >"$scratch/output"
[ ! -s "$scratch/output" ]
result $? "all $(wc -l <"$scratch/kinds" | tr -d ' ') reports hold to it"

# A mismatch has no program there: it needs C++.
# shellcheck disable=SC2013 # they are words
for kind in $(sed -n 's/^        return "\([a-z-]*\)";$/\1/p' \
    "$srcdir/include/moat/finding.h"); do
    case $kind in
        none | alloc-dealloc-mismatch) ;;
        *)
            grep -qx "$kind" "$scratch/kinds"
            result $? "there is a report of $kind"
            ;;
    esac
done
echo "1..$number"
