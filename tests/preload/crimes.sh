#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An ordinary program under `moat run`: each error is reported with its kind,
# access and distance, moat ends with 99, on each way of revoking; and a program
# without errors runs as ever. Prints TAP. To be run at the top of the build
# tree.

# shellcheck source=tests/support/tap.sh
. "${srcdir:-.}/tests/support/tap.sh"

moat=tools/moat/moat
crime=tests/preload/crime

# expect CRIME KIND SEEN RELATION [OPTION]: the report's first two lines.
expect() {
    "$moat" run --backend="$backend" ${5+"$5"} "$crime" "$1" \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
    [ "$status" -eq 99 ] &&
        grep -q "^==[0-9]*==ERROR: moat: $2 .*, seen at $3\$" \
            "$scratch/error" &&
        grep -q "$4" "$scratch/error" &&
        [ "$(grep -c 'ERROR: moat' "$scratch/error")" -eq 1 ] &&
        grep -q '^moat: .* 1 report' "$scratch/error"
    result $? "$1${5+ $5}, backend=$backend"
}

for backend in move drop guard mprotect; do
    expect read_past_a_full_block heap-buffer-overflow access \
        '^READ at 0x[0-9a-f]*, 0 bytes after the end of 32-byte block #'
    expect write_past_a_full_block heap-buffer-overflow access \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 32-byte block #'
    expect write_into_slack heap-buffer-overflow free \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 21-byte block #'
    expect write_into_slack heap-buffer-overflow access \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 21-byte block #' \
        --alignment=natural
    expect write_into_slack_and_exit heap-buffer-overflow exit \
        '^WRITE at 0x[0-9a-f]*, 1 bytes after the end of 21-byte block #'
    expect write_in_front heap-buffer-underflow free \
        '^WRITE at 0x[0-9a-f]*, 1 bytes before the start of 32-byte block #'
    expect write_in_front heap-buffer-underflow access \
        '^WRITE at 0x[0-9a-f]*, 1 bytes before the start of 32-byte block #' \
        --placement=before
    expect read_in_front heap-buffer-underflow access \
        '^READ at 0x[0-9a-f]*, 1 bytes before the start of 32-byte block #' \
        --placement=before
    expect read_a_page_in_front heap-buffer-underflow access \
        '^READ at 0x[0-9a-f]*, 1 bytes before the start of 4096-byte block #'
    expect read_a_freed_block heap-use-after-free access \
        '^READ at 0x[0-9a-f]*, 5 bytes inside 32-byte block #'
    expect write_to_a_freed_block heap-use-after-free access \
        '^WRITE at 0x[0-9a-f]*, 4999999 bytes inside 5000000-byte block #'
    expect read_a_large_freed_block heap-use-after-free access \
        '^READ at 0x[0-9a-f]*, 2621440 bytes inside 5242880-byte block #'
    # libc may start anywhere in the block, and read more than a byte at once.
    expect measure_a_freed_string heap-use-after-free access \
        '^READ at 0x[0-9a-f]*, [0-9]* bytes [a-z ]* 27-byte block #'
    expect copy_from_a_freed_block heap-use-after-free access \
        '^READ at 0x[0-9a-f]*, [0-9]* bytes inside 64-byte block #'
    expect copy_to_a_freed_block heap-use-after-free access \
        '^WRITE at 0x[0-9a-f]*, [0-9]* bytes inside 64-byte block #'
    expect read_what_another_thread_freed heap-use-after-free access \
        '^it was freed by thread T1 '
    expect read_a_freed_block_in_another_thread heap-use-after-free access \
        '^READ at 0x[0-9a-f]*, 7 bytes inside 48-byte block #'
    grep -q '^in thread T1 ' "$scratch/error" &&
        grep -q '^it was freed by thread T0 ' "$scratch/error"
    result $? "and the threads are named, backend=$backend"
    expect free_twice_in_two_threads double-free free \
        '^it was freed by thread T1 '
    expect free_twice_with_standard_error_reopened double-free free \
        ' 32-byte block #'
    expect read_a_block_freed_long_ago heap-use-after-free access \
        '^READ at 0x[0-9a-f]*, 5 bytes inside 32-byte block #'
    expect free_twice double-free free ' 32-byte block #'
    expect free_twice_with_thousands_between double-free free \
        ' 32-byte block #'
    expect free_an_interior_pointer bad-free free \
        ', 16 bytes inside 32-byte block #'
    expect free_the_stack bad-free free '^FREE of 0x'
    expect free_a_global bad-free free '^FREE of 0x'
    expect free_a_wild_pointer bad-free free '^FREE of 0x123456789abc'
    expect realloc_a_freed_block double-free free ' 32-byte block #'
    expect use_the_old_block_after_realloc heap-use-after-free access \
        '^WRITE at 0x[0-9a-f]*, 3 bytes inside 32-byte block #'
    expect read_past_a_shrunk_block heap-buffer-overflow access \
        '^READ at 0x[0-9a-f]*, 0 bytes after the end of 32-byte block #'
    expect copy_an_unterminated_string heap-buffer-overflow access \
        '^READ at 0x[0-9a-f]*, 0 bytes after the end of 16-byte block #'
    for play in read_past_what_strdup_made read_past_what_strndup_made \
        read_past_a_path read_past_the_directory; do
        expect $play heap-buffer-overflow access \
            '^READ at 0x[0-9a-f]*, 0 bytes after the end of 5-byte block #'
    done
    for play in read_past_what_asprintf_made read_past_a_line; do
        expect $play heap-buffer-overflow access \
            '^READ at 0x[0-9a-f]*, 0 bytes after the end of 7-byte block #'
    done
    expect read_past_an_aligned_block heap-buffer-overflow access \
        '^READ at 0x[0-9a-f]*, 0 bytes after the end of 4096-byte block #'
    expect read_a_block_of_no_bytes heap-buffer-overflow access \
        '^READ at 0x[0-9a-f]*, 0 bytes after the end of 0-byte block #'
    expect overflow_in_a_child heap-buffer-overflow access \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 32-byte block #'
    grep -q 'the parent goes on' "$scratch/output"
    result $? "and its parent goes on, backend=$backend"
    expect overflow_in_a_thread heap-buffer-overflow access \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 32-byte block #'

    expect overflow_on_a_tiny_stack heap-buffer-overflow access \
        '^WRITE at 0x[0-9a-f]*, 0 bytes after the end of 32-byte block #'

    "$moat" run --backend="$backend" --alignment=natural "$crime" \
        read_behind_each_size >"$scratch/output" 2>"$scratch/error"
    status=$?
    sed -n 's/^READ at 0x[0-9a-f]*, 0 bytes after the end of \([0-9]*\)-byte block #.*/\1/p' \
        "$scratch/error" >"$scratch/sizes"
    [ $status -eq 99 ] && [ ! -s "$scratch/output" ] &&
        [ "$(grep -c 'ERROR: moat: heap-buffer-overflow .* seen at access$' \
            "$scratch/error")" -eq 300 ] &&
        awk '$1 != NR { wrong = 1 } END { exit wrong || NR != 300 }' \
            "$scratch/sizes"
    result $? "a byte behind each size from 1 to 300, backend=$backend"

    "$moat" run --backend="$backend" --require=strict "$crime" nothing \
        >"$scratch/output" 2>"$scratch/error"
    status=$?
    [ "$status" -eq 0 ] && [ "$(cat "$scratch/output")" = 'all is well' ] &&
        [ "$(cat "$scratch/error")" = "$(printf '%s' \
            "$(grep -E '^moat: [0-9]+ blocks? fenced in 1 process; nothing was weaker than asked$' \
                "$scratch/error")")" ] && [ -s "$scratch/error" ]
    result $? "nothing, backend=$backend"
done
echo "1..$number"
