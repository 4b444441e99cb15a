#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the fault path calls outside the library: everything that can be reached
# from the signal handler must be in crashpath.allow, where each name has the
# reason why it may be called there. Read off the disassembly: an edge for each
# call, jump, and function whose address is taken. Prints TAP. To be run at the
# top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

LC_ALL=C
export LC_ALL

if ! command -v objdump >/dev/null; then
    echo "1..0 # SKIP there is no objdump"
    exit 0
fi

# Names of static functions may occur in two files: the file goes in front.
{
    ${NM:-nm} -A -P lib/base/*.o lib/os/*.o lib/record/*.o lib/diagnose/*.o |
        awk '$3 ~ /^[Tt]$/ { print "function", $3 == "T" ? $2 : $1 $2 }'
    objdump -dr --no-show-raw-insn lib/base/*.o lib/os/*.o lib/record/*.o \
        lib/diagnose/*.o | awk '
        match($0, /: +file format /) {
            file = substr($0, 1, RSTART - 1)
            next
        }
        /^[0-9a-f]+ <.*>:$/ {
            name = $2
            gsub(/[<>:]/, "", name)
            next
        }
        # A target in the same section.
        match($0, /<[^>+]*(\+0x[0-9a-f]+)?>$/) {
            target = substr($0, RSTART + 1, RLENGTH - 2)
            sub(/\+0x.*/, "", target)
            print "edge", file, name, target
        }
        # A relocation: another file, or the address of a function.
        $2 ~ /^R_/ {
            target = $3
            sub(/[-+]0x.*/, "", target)
            if (target !~ /^\./) {
                print "edge", file, name, target
            }
        }'
} >"$scratch/graph"

awk '
    $1 == "function" { is_function[$2] = 1 }
    # The unique name of a symbol as FILE sees it.
    function unique(file, symbol) {
        return (file ":" symbol) in is_function ? file ":" symbol : symbol
    }
    $1 == "edge" { edge[++edges] = $0 }
    END {
        for (i = 1; i <= edges; i++) {
            split(edge[i], part, " ")
            from = unique(part[2], part[3])
            to = unique(part[2], part[4])
            next_of[from] = next_of[from] " " to
        }
        for (name in is_function) {
            if (name ~ /:on_signal$/) {
                todo[++waiting] = name
                seen[name] = 1
            }
        }
        while (waiting > 0) {
            name = todo[waiting--]
            count = split(next_of[name], targets, " ")
            for (i = 1; i <= count; i++) {
                if (!(targets[i] in seen)) {
                    seen[targets[i]] = 1
                    todo[++waiting] = targets[i]
                }
            }
        }
        for (name in seen) {
            print (name in is_function ? "inside" : "outside"), name
        }
    }' "$scratch/graph" >"$scratch/reached"

# The library's own data, and what the compiler adds, have no say here.
for object in lib/base/*.o lib/os/*.o lib/record/*.o lib/diagnose/*.o; do
    ${NM:-nm} -P "$object" | awk '$2 ~ /^[BbCDdRr]$/ { print $1 }'
done | sort -u >"$scratch/data"
awk '$1 == "outside" { print $2 }' "$scratch/reached" |
    grep -v -e '^_GLOBAL_OFFSET_TABLE_$' -e '^__stack_chk_fail$' \
        -e '^__ubsan_' |
    sort -u | comm -23 - "$scratch/data" >"$scratch/outside"
sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)  *[^ ].*/\1/p' \
    "$srcdir/tests/house/crashpath.allow" | sort -u >"$scratch/allowed"
comm -23 "$scratch/outside" "$scratch/allowed" >"$scratch/unknown"

echo "1..3"
if grep -q 'report_write$' "$scratch/reached" &&
    grep -q 'classify_fault$' "$scratch/reached"; then
    echo "ok 1 - the way from the handler to the report is found"
else
    echo "not ok 1 - the way from the handler to the report is found"
fi
if [ -s "$scratch/unknown" ]; then
    echo "not ok 2 - the fault path calls nothing that is not allowed"
    sed 's/^/# /' "$scratch/unknown"
else
    echo "ok 2 - the fault path calls nothing that is not allowed"
fi
if grep -q 'lock_take' "$scratch/reached"; then
    echo "not ok 3 - the fault path takes no lock"
else
    echo "ok 3 - the fault path takes no lock"
fi
