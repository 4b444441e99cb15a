#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# clang has nothing to say of the library and the command either, with the
# warnings that configure asks for. Prints TAP.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

if ! command -v clang >/dev/null; then
    echo "1..0 # SKIP there is no clang"
    exit 0
fi
warnings=$(sed -n 's/^MOAT_TRY_WARNING(\[\(.*\)\])/\1/p' \
    "$srcdir/configure.ac" | grep -v '=strict$')
if [ -z "$warnings" ]; then
    echo "Bail out! configure.ac asks for no warnings"
    exit 99
fi

echo "1..1"
# Optimizing, because glibc's headers differ then.
# shellcheck disable=SC2046,SC2086 # lists
clang -std=gnu11 -O2 -fsyntax-only $warnings -D_GNU_SOURCE \
    -DMOAT_DEMO_DIR='""' -DMOAT_PRELOAD_DIR='""' \
    -I"$srcdir/include" -I"$srcdir/lib" \
    $(find "$srcdir/lib" "$srcdir/tools" -name '*.c' ! -name 'context_*') \
    "$srcdir/lib/os/context_$(uname -m).c" >"$scratch/said" 2>&1
echo "# exit status $?" >>"$scratch/said"
if [ "$(cat "$scratch/said")" = "# exit status 0" ]; then
    echo "ok 1 - clang does not warn"
else
    echo "not ok 1 - clang does not warn"
    sed 's/^/# /' "$scratch/said"
fi
