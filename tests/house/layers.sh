#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The rooms of the house: an object file of a room may use symbols of its own
# room and of those below it; alloc and diagnose not each other's. The same for
# what the sources include. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

# What each room may use, itself first.
rooms='base:base
os:os base
record:record os base
alloc:alloc record os base
diagnose:diagnose record os base
api:api diagnose alloc record os base
preload:preload api diagnose alloc record os base'

echo "$rooms" | while IFS=: read -r room uses; do
    ${NM:-nm} -A -P -g lib/"$room"/*.o | awk -v room="$room" '
        { object = $1; sub(/:$/, "", object) }
        $3 ~ /^[Uw]$/ { print room, "uses", $2, object; next }
        { print room, "defines", $2 }'
done >"$scratch/all"
# What preload stands in front of is libc's for all the others: the linker
# binds their calls past it (--wrap).
cat "$srcdir"/lib/preload/*.c | tr '\n' ' ' | sed 's/PRELOAD_API/\n&/g' |
    sed -n 's/^PRELOAD_API [^(]*[ *]\([a-zA-Z0-9_]*\)(.*/preload defines \1/p' |
    sort -u >"$scratch/interposed"
grep -v -x -F -f "$scratch/interposed" "$scratch/all" >"$scratch/symbols"
[ "$(grep -c ' defines ' "$scratch/symbols")" -gt 50 ] || {
    echo "Bail out! no object files to look at"
    exit 99
}

result() {
    number=$((number + 1))
    if [ ! -s "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        sed 's/^/# /' "$2"
    fi
}

echo "1..14"
echo "$rooms" >"$scratch/rooms"
while IFS=: read -r room uses; do
    awk -v room="$room" -v uses="$uses" '
        BEGIN { split(uses, list); for (i in list) allowed[list[i]] = 1 }
        $2 == "defines" { home[$3] = $1 }
        $2 == "uses" && $1 == room { wanted[$3] = $4 }
        END {
            for (symbol in wanted) {
                if (symbol in home && !(home[symbol] in allowed)) {
                    print wanted[symbol] " uses " symbol " of " home[symbol]
                }
            }
        }' "$scratch/symbols" >"$scratch/wrong"
    result "the objects of $room use no room above or beside" "$scratch/wrong"

    grep -n '^#include "' "$srcdir"/lib/"$room"/*.[ch] |
        sed 's/^\([^:]*\):[0-9]*:#include "\([a-z]*\)\/.*/\1 \2/' |
        awk -v uses="$uses" '
            BEGIN { split(uses, list); for (i in list) allowed[list[i]] = 1 }
            !($2 in allowed) { print $1 " includes from " $2 }
        ' >"$scratch/wrong"
    result "the sources of $room include no room above or beside" \
        "$scratch/wrong"
done <"$scratch/rooms"
