#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Leaks of an ordinary program under `moat run --detect_leaks=1`: each place
# that has lost blocks is reported once, at exit, on each way of revoking; what
# somebody still refers to is not, and neither is a real program that is clean.
# Prints TAP. To be run at the top of the build tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat
leaker=tests/preload/leaker

# run PLAY OPTION...
run() {
    play=$1
    shift
    timeout -k 5 60 "$moat" run --detect_leaks=1 --backend="$backend" "$@" \
        "$leaker" "$play" >"$scratch/output" 2>"$scratch/error"
    status=$?
}

# has_reports NUMBER
has_reports() {
    [ "$(grep -c 'ERROR: moat: memory-leak on address 0x.*, seen at exit$' \
        "$scratch/error")" -eq "$1" ] &&
        [ "$(grep -c 'ERROR: moat' "$scratch/error")" -eq "$1" ]
}

# says WORDS...: a line with each of these.
says() {
    for words in "$@"; do
        grep -q -e "$words" "$scratch/error" || return 1
    done
}

# loses PLAY NUMBER WORDS... [-- OPTION...]: so many reports, with these words.
loses() {
    play=$1
    reports=$2
    shift 2
    run "$play"
    [ $status -eq 99 ] && has_reports "$reports" && says "$@"
    result $? "$play, backend=$backend"
}

# keeps PLAY
keeps() {
    run "$1"
    [ $status -eq 0 ] && has_reports 0 && ! says 'detect_leaks:' &&
        grep -q '^done$' "$scratch/output"
    result $? "$1, backend=$backend"
}

for backend in move drop guard mprotect; do
    loses lose 1 '^LEAK of 0x.*, 0 bytes inside 32-byte block #' \
        '^leaked: 3 blocks with 96 bytes, allocated at one place; no pointer' \
        '^block #[0-9]* was allocated by thread T0 ' \
        '^SUMMARY: moat: memory-leak .*leaker+0x'
    loses lose_at_two_places_in_turns 2 '^leaked: 3 blocks with 96 bytes' \
        '^leaked: 3 blocks with 192 bytes'
    loses lose_a_large_one 1 \
        '^leaked: 1 block with 3145728 bytes; no pointer remains$'
    loses lose_a_ring 2 \
        '1 block with 32 bytes; to it pointers remain in leaked blocks only$' \
        '1 block with 64 bytes; to it pointers remain in leaked blocks only$'
    loses lose_one_that_holds_another 2 \
        '^leaked: 1 block with 32 bytes; no pointer remains$' \
        '1 block with 64 bytes; to it pointers remain in leaked blocks only$'
    loses lose_what_strdup_made 1 \
        '^leaked: 1 block with 5 bytes; no pointer remains$'
    loses lose_what_was_resized 1 \
        '^leaked: 1 block with 100 bytes; no pointer remains$'
    loses lose_in_a_freed_block 1 \
        '^leaked: 1 block with 64 bytes; no pointer remains$'
    loses lose_beside_threads 1 '^leaked: 3 blocks with 96 bytes'
    loses end_main_first 1 '^leaked: 3 blocks with 96 bytes'
    loses lose_in_a_child 1 '^leaked: 3 blocks with 96 bytes'
    grep -q '^child: 99$' "$scratch/output"
    result $? "and its parent goes on, backend=$backend"
    keeps keep
    keeps keep_in_registers
    keeps keep_in_threads
    keeps keep_in_a_child
    run lose_and_leave
    [ $status -eq 0 ] && has_reports 0
    result $? "lose_and_leave is not searched, backend=$backend"
    run lose_in_a_sandbox
    if [ $status -eq 77 ]; then
        skip "lose_in_a_sandbox, backend=$backend" "filters are refused"
    else
        [ $status -eq 0 ] && has_reports 0 &&
            says '^moat: detect_leaks: leaks could not be searched for'
        result $? "lose_in_a_sandbox says so, backend=$backend"
    fi
    run lose --halt_on_error=0
    has_reports 1 && grep -q '^done$' "$scratch/output"
    result $? "lose, halt_on_error=0, backend=$backend"
    # Blocks with canaries only.
    run lose --max_memory=1
    [ $status -eq 99 ] && has_reports 1 && says '^leaked: 3 blocks with 96 '
    result $? "lose, max_memory=1, backend=$backend"
    run lose --alignment=natural --placement=alternate
    [ $status -eq 99 ] && has_reports 1 && says '^leaked: 3 blocks with 96 '
    result $? "lose, placement=alternate, backend=$backend"
done

timeout -k 5 60 "$moat" run "$leaker" lose >"$scratch/output" 2>"$scratch/error"
status=$?
[ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error"
result $? "nothing is searched by itself"

for play in lose lose_one_that_holds_another; do
    timeout -k 5 60 "$moat" check --detect_leaks=1 "$leaker" $play \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
    defects=$([ $play = lose ] && echo 1 defect || echo 2 defects)
    [ $status -eq 99 ] &&
        cat "$scratch/output" "$scratch/error" |
        grep -q "^moat: $defects in 3 passes"
    result $? "moat check says each leak once: $play"
done

# Which have none under `valgrind --leak-check=full` either.
echo 'one line' >"$scratch/file"
while read -r program arguments; do
    if ! command -v "$program" >/dev/null; then
        skip "$program is clean" "there is no $program"
        continue
    fi
    # shellcheck disable=SC2086 # words
    timeout -k 5 120 "$moat" run --detect_leaks=1 "$program" $arguments \
        <"$scratch/file" >"$scratch/output" 2>"$scratch/error"
    status=$?
    [ $status -eq 0 ] && ! grep -q 'ERROR: moat' "$scratch/error" &&
        [ -s "$scratch/output" ]
    result $? "$program is clean"
done <<EOF
cat
grep one
sed p
ls /
python3 -c print(len(str(2**4000)))
sqlite3 :memory: select(1)
xz -c
git --version
bash -c echo
find $srcdir/man
jq -n 1
curl --version
EOF
echo "1..$number"
