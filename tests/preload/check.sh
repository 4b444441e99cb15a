#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command `moat check`: what it finds that one run does not, each defect
# once; which passes it calls unusable; how it ends; what becomes of the
# program's input and output; what it refuses. Prints TAP. To be run at the top
# of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=$PWD/tools/moat/moat
crime=$PWD/tests/preload/crime
checked=$PWD/tests/preload/checked

TMPDIR=$scratch/tmp
export TMPDIR
mkdir "$TMPDIR"

run() {
    timeout 300 "$moat" check "$@" >"$scratch/output" 2>"$scratch/error" \
        </dev/null
    status=$?
}

# says PATTERN...: each is found on standard error.
says() {
    for pattern; do
        grep -q -e "$pattern" "$scratch/error" || {
            echo "# not said: $pattern"
            return 1
        }
    done
}

# finds COUNT: so many defects, with a report each, and exit status 99.
finds() {
    [ "$status" -eq 99 ] &&
        [ "$(grep -c '^==[0-9]*==ERROR: moat: ' "$scratch/error")" -eq "$1" ] &&
        [ "$(grep -c '^SUMMARY: moat: ' "$scratch/error")" -eq "$1" ] &&
        says "^moat: defect $1 of $1, seen by " "^moat: $1 defects* in "
}

# A program without errors.
run "$crime" nothing
[ $status -eq 0 ] && [ "$(cat "$scratch/output")" = 'all is well' ] &&
    says '^moat: after/abi: no report; [0-9.]* s; [0-9]* blocks* fenced in' \
        '^moat: after/natural: no report; ' '^moat: before: no report; ' \
        '^moat: no defect found in 3 passes$' &&
    [ "$(wc -l <"$scratch/error")" -eq 4 ]
result $? 'a clean program: its output once, and three verdicts'

# What only one pass sees; what several see, once; on each way of revoking.
for backend in move drop guard mprotect; do
    run --backend=$backend "$checked" read_past_an_odd_block
    finds 1 && says 'seen by after/natural (at access)$' \
        '^READ at 0x[0-9a-f]*, 0 bytes after the end of 21-byte block #' \
        '^moat: after/abi: no report' '^moat: after/natural: 1 report; ' \
        '^moat: before: no report'
    result $? "a read behind 21 bytes, backend=$backend"
    run --backend=$backend "$checked" read_in_front
    finds 1 && says 'seen by before (at access)$' 'heap-buffer-underflow' \
        '^READ at 0x[0-9a-f]*, 1 bytes before the start of 32-byte block #'
    result $? "a read in front, backend=$backend"
    run --backend=$backend "$crime" write_into_slack
    finds 1 && says \
        'seen by after/abi (at free), after/natural (at access), before (at free)$' \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 21-byte block #' \
        '^==.*seen at access$'
    result $? "a write into slack is one defect, backend=$backend"
    run --backend=$backend "$crime" write_in_front
    finds 1 && says \
        'seen by after/abi (at free), after/natural (at free), before (at access)$' \
        '^==.*seen at access$'
    result $? "a write in front is one defect, backend=$backend"
    run --backend=$backend "$crime" write_past_a_full_block
    finds 1 && says \
        'seen by after/abi (at access), after/natural (at access), before (at exit)$' \
        '^==.*seen at access$'
    result $? "a write past a full block is one defect, backend=$backend"
done
run "$crime" read_past_a_full_block
finds 1 && says 'seen by after/abi (at access), after/natural (at access)$'
result $? 'a read past a full block'
run "$crime" copy_an_unterminated_string
finds 1
result $? 'an unterminated string'
run "$crime" read_a_freed_block
finds 1 && says 'after/abi (at access), after/natural (.*), before (at access)'
result $? 'a use after free, in all passes'
run "$crime" free_twice
finds 1 && says 'after/abi (at free), after/natural (at free), before (at free)'
result $? 'a double free, in all passes'
run "$crime" read_a_page_in_front
finds 1 && says 'after/abi (at access), after/natural (at access), before (at acc'
result $? 'a read in front of a whole page'
run "$checked" read_on_and_on
finds 1 && says 'by after/abi (at access), after/natural (at access)$' \
    '^READ at 0x[0-9a-f]*, 0 bytes after the end of 21-byte block'
result $? 'a loop that goes on is reported where it leaves the block'
run "$checked" two_defects
finds 2 && says '^moat: defect 1 of 2, seen by after/natural (at access)$' \
    '^moat: defect 2 of 2, seen by before (at access)$'
result $? 'two defects, which no pass sees both'

run "$checked" read_behind_each_size
finds 300 && says '^moat: after/abi: 18 reports; ' \
    '^moat: after/natural: 300 reports; ' '^moat: before: no report; '
result $? 'a read behind blocks of each size from 1 to 300'

# Whole trees of processes.
run sh -c "'$crime' free_twice; '$checked' read_in_front; '$crime' free_twice
    echo goes-on"
finds 2 && says \
    '1 of 2, seen by after/abi (at free, 2 times), after/natural (at free, 2 tim' \
    '2 of 2, seen by before (at access)$' '^moat: before: 3 reports; ' &&
    [ "$(cat "$scratch/output")" = goes-on ]
result $? 'a tree of processes'
run "$crime" overflow_in_a_child
finds 1 && [ "$(cat "$scratch/output")" = 'the parent goes on' ]
result $? 'a child of fork()'

# Unusable passes.
run "$checked" count_on_alignment
[ $status -eq 0 ] && says \
    '^moat: after/natural: unusable .*: exit status 3, but without Moat exit status 0; ' \
    '^moat: without Moat: exit status 0; [0-9.]* s$' \
    '^    a pointer has ? marks$' \
    '^moat: no defect found in 2 of 3 passes; 1 was unusable$' &&
    [ ! -s "$scratch/output" ]
result $? 'a program that counts on alignment: its words, and no failure'
run "$checked" count_on_alignment_and_abort
[ $status -eq 0 ] &&
    says '^moat: after/natural: unusable .*: ended by signal 6 (Abort'
result $? 'one that is ended by a signal'
run "$checked" count_on_alignment_and_read_in_front
finds 1 && says '^moat: after/natural: unusable ' \
    '^moat: 1 defect in 2 of 3 passes; 1 was unusable$'
result $? 'what another pass finds is found'
run "$checked" read_past_a_full_block_but_in_the_last_pass
finds 1 && says '^moat: before: unusable .* status 4, but without Moat exit status 0'
result $? 'also where the first pass has a report'
run "$checked" fail_under_moat
[ $status -eq 1 ] && says '^moat: after/abi: unusable ' \
    '^moat: nothing could be found in 0 of 3 passes; 3 were unusable$'
result $? 'where no pass is usable that is no success'

# The end.
run sh -c 'exit 5'
[ $status -eq 5 ] && says '^moat: after/abi: no report, exit status 5 as without' \
    '^moat: before: no report, exit status 5 as without Moat; ' \
    '^moat: no defect found in 3 passes$'
result $? 'the status is the program'"'"'s'
run sh -c 'kill -9 $$'
[ $status -eq 137 ] && says '^moat: before: no report, ended by signal 9 '
result $? 'a program that is ended by a signal'
run --exitcode=7 "$crime" free_twice
[ $status -eq 7 ] && says '^moat: 1 defect in 3 passes$'
result $? 'exitcode says another status after a report'
run --max_memory=8K --require=strict sort "$moat"
[ $status -eq 99 ] && says '^moat: before: unusable .*: exit status 99, but'
result $? 'what cannot be fenced is an error if that is required'
run --require=strict "$checked" count_on_alignment
[ $status -eq 99 ] && says '^moat: after/natural: unusable '
result $? 'and so is an unusable pass'
run --max_memory=8K sort "$moat"
[ $status -eq 0 ] && says '^moat: before: no report.*with canaries only'
result $? 'and else said'
run --halt_on_error=0 "$crime" write_into_slack
finds 1
result $? 'a program that goes on after a report'
run --abort_on_error=1 "$crime" write_past_a_full_block
finds 1
result $? 'one that ends by the signal'

# Where the reports go.
run --log_path="$scratch/log" "$checked" two_defects
[ $status -eq 99 ] && [ "$(grep -c '^==.*ERROR' "$scratch/log")" -eq 2 ] &&
    [ "$(grep -c 'ERROR' "$scratch/error")" -eq 0 ] && says '^moat: 2 defects in'
result $? 'log_path has the reports put together'
mkdir "$scratch/logs"
run --log_path="$scratch/logs/a.%p" "$crime" free_twice
[ $status -eq 99 ] && [ "$(cat "$scratch"/logs/a.[0-9]* |
    grep -c '^==.*ERROR')" -eq 1 ]
result $? 'and its %p is a number'
run --log_path=/none/such "$crime" free_twice
finds 1 && says '/none/such: No such file'
result $? 'and where it cannot be opened they are on standard error'
run --color=always "$crime" free_twice
[ $status -eq 99 ] &&
    says "$(printf '^\033\\[1;31m==[0-9]*==ERROR.*, seen at free\033\\[0m$')"
result $? 'color=always'
"$moat" check "$crime" free_twice >"$scratch/output" 2>&- </dev/null
status=$?
[ $status -eq 99 ]
result $? 'standard error is closed'

# Standard input.
printf 'one\ntwo\n' >"$scratch/input"
input() {
    timeout 300 "$moat" check "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
}
input "$checked" count_input <"$scratch/input"
[ $status -eq 8 ] && [ "$(cat "$scratch/output")" = '8 bytes' ] &&
    says '^moat: before: no report, exit status 8 as without Moat' &&
    [ "$(grep -c '8 bytes on standard error' "$scratch/error")" -eq 1 ]
result $? 'a file is read again'
{
    read -r line
    input "$checked" count_input
    cat >>"$scratch/output"
} <"$scratch/input"
[ "$line" = one ] && [ $status -eq 4 ] &&
    [ "$(cat "$scratch/output")" = '4 bytes' ] &&
    says '^moat: before: no report, exit status 4 as without Moat'
result $? 'from where it was, and is left where it was read to'
cat "$scratch/input" - </dev/null | {
    input "$checked" count_input
    [ $status -eq 8 ] && [ "$(cat "$scratch/output")" = '8 bytes' ] &&
        says '^moat: before: no report, exit status 8 as without Moat'
}
result $? 'what comes from a pipe is given to each pass'
printf 'one\ntwo\n' | {
    input "$checked" take_more_each_time
    [ $status -eq 0 ]
}
result $? 'also to one that reads more than the one before'
head -c 300000 /dev/zero | tr '\0' 'x' >"$scratch/large"
cat "$scratch/large" - </dev/null | {
    input cat
    [ $status -eq 0 ] && cmp -s "$scratch/output" "$scratch/large"
}
result $? 'also more than a pipe holds'
yes | {
    input head -n 2
    [ $status -eq 0 ] && [ "$(cat "$scratch/output")" = 'y
y' ] && says '^moat: before: no report; '
}
result $? 'nobody waits for the end of a pipe that has none'
"$moat" check cat <&- >"$scratch/output" 2>"$scratch/error"
status=$?
says '^moat: before: no report'
result $? 'standard input is closed'
{
    "$moat" check yes 2>"$scratch/error"
    echo $? >"$scratch/status"
} | head -n 1 >"$scratch/output"
status=$(cat "$scratch/status")
[ "$status" -eq 141 ] && says '^moat: nobody reads' '^moat: before: not made$'
result $? 'output that nobody reads any more ends it'

# Signals.
run "$checked" be_terminated
[ $status -eq 143 ] && says '^moat: after/abi: stopped before its end' \
    '^moat: before: not made$' 'stopped by signal 15$'
result $? 'SIGTERM is passed on, and stops the passes'
run "$checked" be_interrupted
[ $status -eq 130 ] && says '^moat: before: not made$' 'stopped by signal 2$'
result $? 'so does SIGINT'
run sh -c "'$crime' free_twice; kill -TERM \$PPID; while :; do sleep 1; done"
finds 1 && says '^moat: after/natural: not made$' 'stopped by signal 15$'
result $? 'what has been reported until then is told'
run sh -c 'case $MOAT_OPTIONS in *natural*)
    kill -TERM $PPID; while :; do sleep 1; done ;; esac'
[ $status -eq 143 ] && says '^moat: after/abi: no report' \
    '^moat: after/natural: stopped before its end' '^moat: before: not made$' \
    '^moat: no defect found in 1 of 3 passes; stopped by signal 15$'
result $? 'in the second pass'
(
    trap '' INT
    exec "$moat" check sh -c "kill -INT \$\$ \$PPID; echo ignored"
) >"$scratch/output" 2>"$scratch/error" </dev/null
status=$?
[ $status -eq 0 ] && [ "$(cat "$scratch/output")" = ignored ]
result $? 'what is ignored from the start stays so'

# A terminal.
if command -v script >/dev/null &&
    script -qec true /dev/null >/dev/null 2>&1 </dev/null
then
    TERM=xterm script -qec "'$moat' check sh -c \"sh -c 'test -t 0 && echo on a'; cat\"" \
        /dev/null >"$scratch/output" 2>&1 <<INPUT
one
INPUT
    status=$?
    tr '\r' '\n' <"$scratch/output" >"$scratch/error"
    says '^moat: pass 1 of 3, after/abi$' '^on a$' '^one$' \
        '^moat: pass 2 of 3, after/natural: 0 s' '^moat: before: no report' &&
        [ "$(grep -c '^on a$' "$scratch/error")" -eq 1 ]
    result $? 'on a terminal there is progress, and the first pass has the keys'
else
    number=$((number + 1))
    echo "ok $number - on a terminal # SKIP there is no script(1)"
fi

# Nothing is left behind.
run sh -c 'echo words; kill -9 $PPID'
[ $status -eq 137 ] && [ -z "$(ls -A "$TMPDIR")" ]
result $? 'no files are left, not even when it is killed'

# Bad input.
# refuses NAME PATTERN ARGUMENT...
refuses() {
    name=$1 pattern=$2
    shift 2
    run "$@"
    [ $status -eq 2 ] && [ ! -s "$scratch/output" ] &&
        says "$pattern" && [ "$(wc -l <"$scratch/error")" -eq 1 ]
    result $? "$name"
}
refuses 'nothing to check' 'check what'
refuses 'placement is not to be chosen' 'each placement itself' \
    --placement=before true
refuses 'nor alignment' 'each alignment itself' --alignment=4 -- true
MOAT_OPTIONS=color=never:placement=after
export MOAT_OPTIONS
refuses 'nor in the environment' 'each placement itself' true
unset MOAT_OPTIONS
refuses 'an unknown option' "unknown option 'colour'" --colour=blue true
refuses 'a bad value' 'backend cannot be' --backend=sieve true
refuses 'an option of one dash' "check has no option '-x'" -x true
refuses 'a colon in a value' 'colon' --log_path=a:b true
refuses 'a program that is not found' 'nonesuch: not found' nonesuch
refuses 'a file that is not executable' 'Permission denied' "$0"
printf 'int main(void) { return 0; }\n' >"$scratch/plain.c"
if ${CC:-cc} -static -o "$scratch/static" "$scratch/plain.c" 2>/dev/null; then
    refuses 'a static program' 'statically linked' "$scratch/static"
else
    number=$((number + 1))
    echo "ok $number - a static program # SKIP none can be made here"
fi
TMPDIR=/none/such
printf 'one\n' | {
    input cat
    [ $status -eq 2 ] && says 'cannot keep standard input'
}
result $? 'no folder for what comes from a pipe'
run "$crime" free_twice
[ $status -eq 2 ] && says '^moat: cannot make a pass: No such file' \
    '^==.*ERROR: moat: double-free' '^moat: before: not made$'
result $? 'nor for output: what the first pass has found is told'
TMPDIR=$scratch/tmp
"$moat" check --help >"$scratch/output" 2>"$scratch/error"
status=$?
[ $status -eq 0 ] && grep -q '^usage: moat check ' "$scratch/output"
result $? '--help'
"$moat" help check >"$scratch/error"
says '^usage: moat check ' 'Three passes'
result $? 'help check'
echo "1..$number"
