#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# expect.sh [--update] EXPECTED PROGRAM [ARGUMENT...]
#
# Run PROGRAM and compare how it ends, and what it writes to standard error,
# with the file EXPECTED. Its first line is
#
#     exit: STATUS        or        signal: NAME        (such as SEGV)
#
# after which "; KEY=VALUE:KEY=VALUE" may say what is added to MOAT_OPTIONS. The
# lines after it are what standard error must be, where * in a line
# stands for any text, and a line of ... alone for any number of lines.
#
# Exit status 0 if it is so. Otherwise 1, and why, on standard output, each
# line after "# ", as TAP wants it. 99 if the test itself cannot be done.
#
# With --update, write the file EXPECTED instead, with a * for all that differs
# from run to run and from place to place.

update=
if [ "$1" = --update ]; then
    update=yes
    shift
fi
if [ $# -lt 2 ]; then
    echo "usage: expect.sh [--update] EXPECTED PROGRAM [ARGUMENT...]" >&2
    exit 99
fi
expected=$1
shift
if [ ! -r "$expected" ] && [ -z "$update" ]; then
    echo "# $expected: cannot be read"
    exit 99
fi

scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM

# No core files. A stack that ends, also where the user's is unlimited.
# shellcheck disable=SC3045
ulimit -c 0
# shellcheck disable=SC3045
ulimit -s 8192 2>/dev/null

# UBSan of clang has a handler of its own, which would get what is not Moat's.
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}handle_segv=0:handle_sigbus=0
export UBSAN_OPTIONS

first_line=$(head -n 1 "$expected" 2>/dev/null)
case $first_line in
*"; "*)
    added=${first_line#*; }
    MOAT_OPTIONS=${MOAT_OPTIONS:+$MOAT_OPTIONS:}$added
    export MOAT_OPTIONS
    ;;
*)
    added=
    ;;
esac

# The program in a subshell, so that what this shell says about a signal does
# not get among what the program says.
{
    (exec timeout 60 "$@" >"$scratch/stdout" 2>"$scratch/stderr")
    status=$?
} 2>/dev/null

if [ -n "$update" ]; then
    name=$(basename "$1")
    {
        if [ "$status" -gt 128 ]; then
            echo "signal: $(kill -l "$status")${added:+; $added}"
        else
            echo "exit: $status${added:+; $added}"
        fi
        sed -e 's/0x[0-9a-f]\{9,\}/0x*/g' \
            -e 's/==[0-9][0-9]*==/==*==/' \
            -e 's/(pid [0-9][0-9]*, "[^"]*")/(pid *, "*")/g' \
            -e "s| [^ ]*$name+0x[0-9a-f]*\$| *$name+0x*|" "$scratch/stderr"
    } >"$expected"
    exit
fi

wanted=${first_line%%; *}
case $wanted in
"exit: "*)
    ending="exit: $status"
    ;;
"signal: "*)
    if [ "$status" -gt 128 ]; then
        ending="signal: $(kill -l "$status")"
    else
        ending="exit: $status"
    fi
    ;;
*)
    echo "# $expected: the first line is no ending: $wanted"
    exit 99
    ;;
esac

failed=0
if [ "$ending" != "$wanted" ]; then
    echo "# expected $wanted, got $ending"
    failed=1
fi

# Both files, line by line, as a glob is matched: a mismatch goes back to the
# last "..." and lets that take one line more.
awk '
function pattern(line) {
    gsub(/[][\\^$.|?+(){}]/, "\\\\&", line)
    gsub(/[*]/, ".*", line)
    return "^" line "$"
}
FNR == 1 { file++ }
file == 1 && FNR > 1 { glob[++globs] = $0 }
file == 2 { text[++texts] = $0 }
END {
    at_glob = at_text = 1
    furthest = 1
    while (at_text <= texts || at_glob <= globs) {
        if (at_glob <= globs && glob[at_glob] == "...") {
            back_glob = ++at_glob
            back_text = at_text
        } else if (at_glob <= globs && at_text <= texts && \
                   text[at_text] ~ pattern(glob[at_glob])) {
            at_glob++
            at_text++
        } else {
            if (at_glob >= furthest) {
                furthest = at_glob
                missed = at_text
            }
            if (!back_glob || back_text > texts) {
                print "# expected: " \
                    (furthest <= globs ? glob[furthest] : "(nothing more)")
                print "# got:      " \
                    (missed <= texts ? text[missed] : "(nothing more)")
                exit 1
            }
            at_glob = back_glob
            at_text = ++back_text
        }
    }
}' "$expected" "$scratch/stderr" || failed=1

if [ $failed -ne 0 ]; then
    echo "# all of standard error:"
    sed 's/^/#   /' "$scratch/stderr"
fi
exit $failed
