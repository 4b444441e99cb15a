#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command `moat run`: how it ends, what it says, and what it refuses. Prints
# TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=$PWD/tools/moat/moat
crime=$PWD/tests/preload/crime
checked=$PWD/tests/preload/checked

# check NAME STATUS OUTPUT ERROR ARGUMENT...: of `moat run`; OUTPUT and ERROR
# are patterns, '' for nothing at all.
check() {
    name=$1 wanted=$2 output=$3 error=$4
    shift 4
    "$moat" run "$@" >"$scratch/output" 2>"$scratch/error"
    status=$?
    is_right=0
    [ $status -eq "$wanted" ] || is_right=1
    for part in output error; do
        eval "pattern=\$$part"
        if [ -z "$pattern" ]; then
            [ ! -s "$scratch/$part" ] || is_right=1
        else
            grep -q -e "$pattern" "$scratch/$part" || is_right=1
        fi
    done
    result $is_right "$name"
}

closing='^moat: [0-9]* blocks fenced in [0-9]* processes; nothing was weaker'
check 'the status is the program'"'"'s' 5 '' '^moat: [0-9]* blocks\{0,1\} ' \
    sh -c 'exit 5'
check 'a program that is ended by a signal' 137 '' '^moat: ' \
    sh -c 'kill -9 $$'
check 'SIGTERM is passed on' 143 '' '^moat: ' "$checked" be_terminated
check 'the line at the end counts a tree of processes' 0 hello "$closing" \
    sh -c 'sort /dev/null; echo hello | cat; true'
check 'a report makes it 99, whatever becomes of the status' 99 goes-on \
    '1 report' sh -c "'$crime' free_twice; echo goes-on; exit 0"
check 'exitcode says another status' 7 '' '1 report' --exitcode=7 \
    "$crime" free_twice
check 'two processes, two reports' 99 '' '2 reports' \
    sh -c "'$crime' free_twice; '$crime' free_the_stack"
check 'options are for MOAT_OPTIONS' 99 '' 'seen at access' \
    --placement=before -- "$crime" write_in_front
check 'a key alone is true' 0 '' '^moat: stats: ' --stats true
MOAT_OPTIONS=placement=before
export MOAT_OPTIONS
check 'the environment holds too' 99 '' 'seen at access' --alignment=natural \
    "$crime" write_in_front
unset MOAT_OPTIONS
check 'arguments that look like options are the program'"'"'s' 0 \
    '--placement=before' '^moat: ' echo --placement=before
check 'what cannot be fenced is an error if that is required' 99 '' \
    'weaker than asked' --max_memory=8K --require=strict sort "$moat"
check 'and else said' 0 . 'with canaries only' --max_memory=8K sort "$moat"
LD_PRELOAD=libm.so.6
export LD_PRELOAD
check 'what else is preloaded stays' 0 libm.so.6 '^moat: ' \
    sh -c 'echo $LD_PRELOAD'
unset LD_PRELOAD

# Bad input.
check 'nothing to run' 2 '' 'run what' 
check 'a program that is not found' 2 '' 'nonesuch: not found' nonesuch
check 'nor by its path' 2 '' '/none/such: not found' /none/such
check 'a file that is not executable' 2 '' 'Permission denied' "$0"
check 'a folder' 2 '' 'Permission denied' /
check 'an empty name' 2 '' 'not found' ''
check 'an unknown option' 2 '' "unknown option 'colour'" --colour=blue true
check 'a bad value' 2 '' 'placement cannot be' --placement=sideways true
check 'an option of one dash' 2 '' "no option '-x'" -x true
check 'a colon in a value' 2 '' 'colon' --log_path=a:b true
MOAT_OPTIONS=backend=sieve
export MOAT_OPTIONS
check 'a mistake in the environment' 2 '' 'backend cannot be' true
unset MOAT_OPTIONS

printf 'int main(void) { return 0; }\n' >"$scratch/plain.c"
if ${CC:-cc} -static -o "$scratch/static" "$scratch/plain.c" 2>/dev/null; then
    check 'a static program' 2 '' 'statically linked' "$scratch/static"
else
    number=$((number + 1))
    echo "ok $number - a static program # SKIP none can be made here"
fi
printf '\177ELF\001\001\001%064d' 0 >"$scratch/narrow"
chmod +x "$scratch/narrow"
check 'a program of 32 bits' 2 '' 'another processor' "$scratch/narrow"
printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0\377\376%064d' 0 \
    >"$scratch/narrow"
check 'a program for another processor' 2 '' 'another processor' \
    "$scratch/narrow"
printf '#! /none/such -x\n' >"$scratch/script"
chmod +x "$scratch/script"
check 'a script without its interpreter' 2 '' 'interpreter /none/such' \
    "$scratch/script"
printf '#! /bin/sh\necho "script $1"; exit 4\n' >"$scratch/script"
check 'a script' 4 'script one' '^moat: ' "$scratch/script" one
printf 'echo "no line $1"\n' >"$scratch/script"
check 'a script that does not say its interpreter' 0 'no line one' '^moat: ' \
    "$scratch/script" one
if [ "$(id -u)" -eq 0 ] && cp /bin/true "$scratch/other" &&
    chown 1:1 "$scratch/other" && chmod 4755 "$scratch/other"
then
    check 'a program that gains rights' 2 '' 'rights that you do not have' \
        "$scratch/other"
else
    number=$((number + 1))
    echo "ok $number - a program that gains rights # SKIP only root can make one"
fi

"$moat" run "$crime" nothing >"$scratch/output" 2>&-
status=$?
[ $status -eq 0 ] && [ "$(cat "$scratch/output")" = 'all is well' ]
result $? 'standard error is closed'
"$moat" run "$crime" free_twice >"$scratch/output" 2>&-
status=$?
[ $status -eq 99 ]
result $? 'standard error is closed, and there is something to report'
(
    # shellcheck disable=SC3045
    ulimit -v 4000000
    exec "$moat" run "$crime" free_twice
) >"$scratch/output" 2>"$scratch/error"
status=$?
[ $status -eq 99 ] && grep -q double-free "$scratch/error"
result $? 'little address space'
(
    # shellcheck disable=SC3045
    ulimit -n 12
    exec "$moat" run "$crime" free_twice
) >"$scratch/output" 2>"$scratch/error"
status=$?
[ $status -eq 99 ] && grep -q double-free "$scratch/error"
result $? 'few descriptors'
for backend in move drop guard mprotect; do
    (
        # shellcheck disable=SC3045
        ulimit -v 1500000
        exec "$moat" run --backend=$backend --fill=0 "$crime" use_up_memory
    ) >"$scratch/output" 2>"$scratch/error"
    status=$?
    [ $status -eq 0 ] && [ "$(cat "$scratch/output")" = 'there was an end' ] &&
        ! grep -q 'ERROR: moat' "$scratch/error"
    result $? "no memory is left, backend=$backend"
done
echo "1..$number"
