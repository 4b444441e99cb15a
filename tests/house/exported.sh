#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The shared library exports what the public headers mark as MOAT_API, and
# nothing else; the library to preload also what it takes the place of. Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

library=.libs/libmoat.so

if [ ! -e "$library" ]; then
    echo "1..0 # SKIP built without a shared library"
    exit 0
fi
${NM:-nm} -D --defined-only "$library" | awk '{ print $3 }' |
    sed 's/@.*//' | sort -u >"$scratch/exported"
# A declaration may go over several lines; the name stands before the first
# parenthesis.
cat "$srcdir"/include/moat/*.h | tr '\n' ' ' | sed 's/MOAT_API/\n&/g' |
    sed -n 's/^MOAT_API [^(]*[ *]\(moat_[a-z_]*\)(.*/\1/p' |
    sort -u >"$scratch/declared"

echo "1..4"
if [ "$(wc -l <"$scratch/declared")" -gt 20 ]; then
    echo "ok 1 - the headers declare functions"
else
    echo "not ok 1 - the headers declare functions"
fi
if diff "$scratch/declared" "$scratch/exported" >"$scratch/differences"; then
    echo "ok 2 - what is declared is exported and nothing else"
else
    echo "not ok 2 - what is declared is exported and nothing else"
    sed 's/^/# /' "$scratch/differences"
fi
if grep -v '^moat_' "$scratch/exported" >"$scratch/foreign"; then
    echo "not ok 3 - every name starts with moat_"
    sed 's/^/# /' "$scratch/foreign"
else
    echo "ok 3 - every name starts with moat_"
fi

# libsigsegv is in it, for itself alone.
preload=.libs/libmoat-preload.so
if [ ! -e "$preload" ]; then
    echo "ok 4 # SKIP there is no library to preload"
    exit 0
fi
${NM:-nm} -D --defined-only "$preload" | awk '{ print $3 }' |
    sed 's/@.*//' | sort -u >"$scratch/exported"
cat "$srcdir"/lib/preload/*.c | tr '\n' ' ' | sed 's/PRELOAD_API/\n&/g' |
    sed -n 's/^PRELOAD_API [^(]*[ *]\([a-zA-Z0-9_]*\)(.*/\1/p' |
    sort -u - "$scratch/declared" >"$scratch/interposed"
if diff "$scratch/interposed" "$scratch/exported" >"$scratch/differences"
then
    echo "ok 4 - so does the library to preload, with what it interposes"
else
    echo "not ok 4 - so does the library to preload, with what it interposes"
    sed 's/^/# /' "$scratch/differences"
fi
